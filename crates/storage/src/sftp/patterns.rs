//! Names with `*` and `?`, as OpenSSH's files have them.

/// Whether the name matches one of the patterns, and none of those that begin with `!`.
pub(super) fn matches_any<'a>(patterns: impl IntoIterator<Item = &'a str>, name: &str) -> bool {
    let mut found = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(pattern) if matches(pattern, name) => return false,
            Some(_) => {}
            None => found |= matches(pattern, name),
        }
    }
    found
}

/// Without regard to case. Goes back to the last `*` alone, so that no pattern takes longer than the product of both lengths.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = name.get(n) {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, n));
                p += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted.eq_ignore_ascii_case(byte) => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    p = after;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    let rest = pattern.get(p..).unwrap_or_default();
    rest.iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_what_they_do_in_openssh() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", "a", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("*.org", "a.b.org", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("**a**", "ba", true),
            ("A", "a", true),
            ("", "", true),
            ("", "a", false),
            ("[a]:1", "[a]:1", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        let long = "*a".repeat(30);
        assert!(!matches(&long, &"b".repeat(1000)));
        assert!(!matches_any(["*", "!a"], "a") && matches_any(["!b", "*"], "a"));
        assert!(!matches_any(["!b"], "a"));
    }
}
