//! Names and messages made safe for a terminal: a hostile file name must not drive it.

use std::borrow::Cow;
use std::fmt::Write;

/// A file name or path for people.
///
/// As it is where every character can be seen; otherwise in double quotes, with `\n`, `\u{202e}` or, for bytes that
/// are not UTF-8, `\xff` in place of what cannot, so that two names never look the same.
pub fn name(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && text.chars().all(is_visible)
    {
        return Cow::Borrowed(text);
    }
    let mut quoted = String::with_capacity(bytes.len() + 8);
    quoted.push('"');
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => quoted.extend(['\\', c]),
                c => push_visible(&mut quoted, c),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(quoted, "\\x{byte:02x}");
        }
    }
    quoted.push('"');
    Cow::Owned(quoted)
}

/// A message that may carry a foreign text: line breaks stay, what else cannot be seen is escaped.
pub fn text(message: &str) -> Cow<'_, str> {
    let harmless = |c| c == '\n' || is_visible(c);
    if message.chars().all(harmless) {
        return Cow::Borrowed(message);
    }
    let mut shown = String::with_capacity(message.len() + 8);
    for c in message.chars() {
        match c {
            '\n' => shown.push(c),
            c => push_visible(&mut shown, c),
        }
    }
    Cow::Owned(shown)
}

fn push_visible(text: &mut String, c: char) {
    match is_visible(c) {
        true => text.push(c),
        false => text.extend(c.escape_debug()),
    }
}

/// Printable by Unicode's tables, so neither control (Cc) nor format (Cf: writing direction, zero width) nor unassigned.
fn is_visible(c: char) -> bool {
    match c {
        ' '..='~' => true,
        '\0'..='\u{9f}' => false,
        // `str::escape_debug` escapes combining marks at the beginning only; behind a letter they are part of a name.
        c => {
            let mut buffer = ['\0'; 2];
            buffer[0] = 'a';
            buffer[1] = c;
            let text: String = buffer.iter().collect();
            text.escape_debug().nth(1) == Some(c)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{name, text};

    #[test]
    fn t31_hostile_names_cannot_drive_the_terminal() {
        for plain in [
            "a b",
            "ünïcode",
            "e\u{301}",
            "日本",
            "back\\slash",
            "quo\"te",
            "😀",
        ] {
            assert_eq!(name(plain.as_bytes()), plain);
        }
        assert_eq!(name(b"\x1b[2J\x07"), r#""\u{1b}[2J\u{7}""#);
        assert_eq!(name(b"new\nline"), r#""new\nline""#);
        assert_eq!(name(b"caf\xe9"), r#""caf\xe9""#);
        assert_eq!(name("exe.\u{202e}gpj".as_bytes()), r#""exe.\u{202e}gpj""#);
        assert_eq!(name("zero\u{200b}".as_bytes()), r#""zero\u{200b}""#);
        assert_eq!(name("\u{9b}1m".as_bytes()), r#""\u{9b}1m""#);
        assert_eq!(name(b"a\\\n"), r#""a\\\n""#);
    }

    #[test]
    fn a_message_keeps_its_lines() {
        assert_eq!(text("one\ntwo"), "one\ntwo");
        assert_eq!(text("one\r\x1b[31mtwo"), "one\\r\\u{1b}[31mtwo");
    }
}
