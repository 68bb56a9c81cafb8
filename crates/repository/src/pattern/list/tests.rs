//! Every pattern against a table, and random ones against restic's own definition written out plainly.

use proptest::prelude::*;

use super::{Case, PatternList};
use crate::ErrorKind;
use crate::pattern::clean;
use crate::pattern::glob::Component;

fn matches(patterns: &[&str], path: &str) -> bool {
    PatternList::parse(patterns, Case::Sensitive)
        .unwrap()
        .is_match(path.as_bytes())
}

/// A wrong answer leaves files out of a backup in silence.
#[test]
fn patterns_match_where_restic_says() {
    for (pattern, path, expected) in [
        ("*.go", "/foo/bar/test.go", true),
        ("*.c", "/foo/bar/test.go", false),
        ("*", "/foo/bar/test.go", true),
        ("foo*", "/foo/bar/test.go", true),
        ("bar*", "/foo/bar/test.go", true),
        ("/bar*", "/foo/bar/test.go", false),
        ("bar/*", "/foo/bar/test.go", true),
        ("baz/*", "/foo/bar/test.go", false),
        ("bar/test.go", "/foo/bar/test.go", true),
        ("bar/*.go", "/foo/bar/test.go", true),
        ("ba*/*.go", "/foo/bar/test.go", true),
        ("bb*/*.go", "/foo/bar/test.go", false),
        ("/foo/*/test.*", "/foo/bar/test.go", true),
        ("/foo/*/bar/test.*", "/foo/bar/test.go", false),
        ("/*/*/bar/test.*", "/foo/bar/test.go", false),
        ("/*/bar/test.*", "/foo/bar/test.go", true),
        ("test.*", "/foo/bar/test.go", true),
        ("foo/bar", "/foo", false),
        ("/foo/bar/", "/foo/bar/x", true),
        ("foo/**/bar/*.go", "/home/user/foo/bar/test.go", true),
        ("foo/**/bar/*.go", "/home/user/foo/x/y/bar/test.go", true),
        ("user/**/important*", "/home/user/work/x/y/hidden/x", false),
        ("**/*.go", "/foo/test.go", true),
        ("/**/test.go", "/test.go", true),
        ("foo/**", "/foo", true),
        ("/foo/**", "/foo", true),
        ("/x/**", "/foo", false),
        ("**", "/foo", true),
        ("/", "/foo", true),
        ("/**", "/", false),
        ("foo/**/**/x", "/foo/x", true),
        ("/foo", "foo", false),
        ("foo", "foo", true),
        ("foo/../bar", "/bar", true),
        ("./foo", "/x/foo", true),
        ("foo//bar", "/foo/bar", true),
        ("\\!x", "/!x", true),
        ("x\\*", "/x*", true),
        ("x\\*", "/xy", false),
        (".", "/x", false),
        ("..", "/x", false),
    ] {
        assert_eq!(
            matches(&[pattern], path),
            expected,
            "{pattern:?} on {path:?}"
        );
    }
}

#[test]
fn the_last_pattern_decides() {
    assert!(!matches(&["*.go", "!test.go"], "/test.go"));
    assert!(matches(&["!test.go", "*.go"], "/test.go"));
    assert!(!matches(&["!test.go"], "/x.go"));
    assert!(matches(&["a", "!b", "c"], "/a"));
    assert!(matches(&["a", "!a", "a"], "/a"));
}

#[test]
fn case_is_ignored_where_asked() {
    let list = PatternList::parse(["*.JPG", "Ärger"], Case::Insensitive).unwrap();
    assert!(list.is_match(b"/x.jpG") && list.is_match("/äRGER".as_bytes()));
    assert!(!matches(&["*.JPG"], "/x.jpg"));
}

/// A restore that does not descend loses what it should have taken in.
#[test]
fn children_are_descended_into_where_they_may_match() {
    for (patterns, path, expected) in [
        (&["/foo/bar"][..], "/foo", true),
        (&["/foo/bar"], "/fox", false),
        (&["/foo/bar"], "/foo/bar", true),
        (&["/foo/bar"], "/foo/bar/x", true),
        (&["/foo/bar"], "/foo/x", false),
        (&["/foo/bar"], "/", true),
        (&["/foo/**/x"], "/foo/a/b", true),
        (&["/foo/**/x"], "/a", false),
        (&["bar"], "/anything", true),
        (&["*", "!/a"], "/a", false),
        (&["!/a", "*"], "/a", true),
        (&["/f*/b"], "/foo", true),
        (&[], "/foo", false),
    ] {
        let verdict = PatternList::parse(patterns, Case::Sensitive)
            .unwrap()
            .matches(path.as_bytes());
        assert_eq!(
            verdict.child_may_match, expected,
            "{patterns:?} on {path:?}"
        );
    }
}

#[test]
fn malformed_patterns_are_named() {
    let error = PatternList::parse(["ok", "a[", "b/\\"], Case::Sensitive).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().ends_with("a[, b/\\"), "{error}");
    assert!(
        PatternList::parse([""], Case::Sensitive)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn deep_paths_and_raw_bytes_work() {
    let deep = "/a".repeat(100) + "/target";
    assert!(matches(&["target"], &deep));
    assert!(matches(&["a/**/target", "zz"], &deep));
    let list = PatternList::parse([&b"*.\xff"[..]], Case::Sensitive).unwrap();
    assert!(list.is_match(b"/x/\xfe.\xff") && !list.is_match(b"/x/\xff.\xfe"));
}

/// `**` is written out as every number of stars, and every place in the path is tried, as restic defines it.
mod reference {
    use super::{Component, clean};

    pub fn judge(patterns: &[String], path: &str) -> (bool, bool) {
        let strs: Vec<&str> = path.split('/').collect();
        let (mut matched, mut child) = (false, false);
        for pattern in patterns {
            let negated = pattern.starts_with('!');
            let text = pattern.strip_prefix('!').unwrap_or(pattern);
            let text = String::from_utf8(clean(text.as_bytes())).unwrap();
            let parts: Vec<&str> = text.split('/').collect();
            let here = matches(&parts, &strs);
            if negated {
                (matched, child) = (matched && !here, child && !here);
            } else {
                (matched, child) = (matched || here, child || child_matches(&parts, &strs));
            }
        }
        (matched, child)
    }

    fn double(parts: &[&str]) -> Option<usize> {
        parts
            .iter()
            .enumerate()
            .position(|(at, part)| *part == "**" || (at > 0 && part.is_empty()))
    }

    fn matches(parts: &[&str], strs: &[&str]) -> bool {
        if let Some(at) = double(parts) {
            return (0..=strs.len()).any(|stars| {
                let mut wider = parts[..at].to_vec();
                wider.extend(std::iter::repeat_n("*", stars));
                wider.extend(&parts[at + 1..]);
                matches(&wider, strs)
            });
        }
        if parts.is_empty() || parts.len() > strs.len() {
            return false;
        }
        let places = match parts[0] {
            "" => 0..=0,
            _ => 1..=strs.len() - parts.len(),
        };
        places.into_iter().any(|place| {
            parts.iter().zip(&strs[place..]).all(|(part, name)| {
                Component::compile(part.as_bytes())
                    .unwrap()
                    .matches(name.as_bytes())
            })
        })
    }

    fn child_matches(parts: &[&str], strs: &[&str]) -> bool {
        if !parts[0].is_empty() {
            return true;
        }
        let strs = match double(parts) {
            Some(at) if strs.len() >= at => &strs[..at],
            _ => strs,
        };
        matches(&parts[..parts.len().min(strs.len())], strs)
    }
}

fn pattern() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "a", "b", "ab", "*", "a*", "*b", "**", "?", "[ab]", "..", "a\\*",
    ]);
    (
        prop::sample::select(vec!["", "/", "!", "!/"]),
        prop::collection::vec(part, 1..5),
    )
        .prop_map(|(start, parts)| format!("{start}{}", parts.join("/")))
}

proptest! {
    #[test]
    fn lists_agree_with_the_definition(
        patterns in prop::collection::vec(pattern(), 0..4),
        names in prop::collection::vec(prop::sample::select(vec!["a", "b", "ab", "ba", "c", "a*"]), 1..6),
    ) {
        let path = format!("/{}", names.join("/"));
        let verdict = PatternList::parse(&patterns, Case::Sensitive).unwrap().matches(path.as_bytes());
        let (matched, child) = reference::judge(&patterns, &path);
        prop_assert_eq!(verdict.matched, matched, "{:?} on {}", patterns, path);
        prop_assert_eq!(verdict.child_may_match, child, "child of {:?} on {}", patterns, path);
    }
}
