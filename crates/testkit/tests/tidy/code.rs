//! Takes comments and the contents of strings out of Rust source, so that rules about code see code alone.

/// The source with every comment and every string or character literal blanked; lines keep their numbers.
pub fn code_only(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let previous = out.chars().next_back().unwrap_or(' ');
        let skipped = comment_len(rest)
            .or_else(|| literal_len(rest, previous))
            .unwrap_or(0);
        if skipped == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            out.extend(
                rest[..skipped]
                    .chars()
                    .map(|c| if c == '\n' { '\n' } else { ' ' }),
            );
            rest = &rest[skipped..];
        }
    }
    out
}

fn comment_len(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if !text.starts_with("/*") {
        return None;
    }
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let here = &text.as_bytes()[at..];
        if here.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if here.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += 1;
        }
    }
    Some(text.len())
}

/// Length of the literal that starts here; `previous` is the character before it.
fn literal_len(text: &str, previous: char) -> Option<usize> {
    if let Some(content) = text.strip_prefix('"') {
        return Some(1 + closing(content, '"'));
    }
    if let Some(content) = text.strip_prefix('\'') {
        // A lifetime has no closing quote behind its first character.
        let first = content.chars().next()?;
        let is_char = first == '\\' || content[first.len_utf8()..].starts_with('\'');
        return is_char.then(|| 1 + closing(content, '\''));
    }
    if previous.is_alphanumeric() || previous == '_' {
        return None;
    }
    let behind_prefix = ["br", "cr", "r"]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix))?;
    let hashes = behind_prefix.len() - behind_prefix.trim_start_matches('#').len();
    let content = behind_prefix[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = content
        .find(&end)
        .map_or(content.len(), |at| at + end.len());
    Some(text.len() - content.len() + length)
}

/// Bytes up to and with the closing quote.
fn closing(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[test]
fn comments_and_literals_go_and_code_stays() {
    let cases = [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        ("f(\"unsafe // no\"); g", "f(              ); g"),
        ("f(\"a\\\"b\") + c", "f(      ) + c"),
        ("r#\"a \"b\" c\"# + d", "             + d"),
        ("br\"x\" y", "      y"),
        ("'a' 'static '\\'' x", "    'static      x"),
        ("for r in b", "for r in b"),
        ("tar\"x\"", "tar   "),
        ("\"unclosed", "         "),
    ];
    for (source, expected) in cases {
        assert_eq!(code_only(source), expected, "{source}");
    }
}
