//! Names as the format keeps them: the inside of a Go string literal, so that any bytes fit into JSON.
//!
//! What is escaped depends on the version of Unicode that a program knows. A name that one escapes and another does
//! not is read back to the same bytes by both; the trees merely differ, and are stored twice.

mod printable;

use std::borrow::Cow;

use printable::is_printable;

/// The name as `strconv.Quote` gives it, without the quotation marks.
pub(crate) fn quote(name: &[u8]) -> Cow<'_, [u8]> {
    if name
        .iter()
        .all(|byte| (b' '..0x7f).contains(byte) && !b"\"\\".contains(byte))
    {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len() + 16);
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            push_escaped(&mut out, character);
        }
        for byte in chunk.invalid() {
            push_hex(&mut out, 'x', u32::from(*byte), 2);
        }
    }
    Cow::Owned(out.into_bytes())
}

fn push_escaped(out: &mut String, character: char) {
    let short = match character {
        '"' | '\\' => character,
        _ if is_printable(character) => return out.push(character),
        '\x07' => 'a',
        '\x08' => 'b',
        '\x0c' => 'f',
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        '\x0b' => 'v',
        _ => {
            let code = u32::from(character);
            return match code {
                0..0x20 | 0x7f => push_hex(out, 'x', code, 2),
                0..0x1_0000 => push_hex(out, 'u', code, 4),
                _ => push_hex(out, 'U', code, 8),
            };
        }
    };
    out.push('\\');
    out.push(short);
}

fn push_hex(out: &mut String, letter: char, code: u32, digits: u32) {
    out.push('\\');
    out.push(letter);
    for place in (0..digits).rev() {
        out.extend(char::from_digit(code >> (4 * place) & 15, 16));
    }
}

/// The bytes of a name as the format keeps it; `None` where Go refuses it too.
pub(crate) fn unquote(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut parts = text.split('\\');
    let plain = parts.next().unwrap_or_default();
    out.extend_from_slice(plain.as_bytes());
    let mut rest = text.get(plain.len()..)?;
    while let Some(escape) = rest.strip_prefix('\\') {
        rest = unescape(escape, &mut out)?;
        let end = rest.find('\\').unwrap_or(rest.len());
        let (plain, behind) = rest.split_at_checked(end)?;
        out.extend_from_slice(plain.as_bytes());
        rest = behind;
    }
    // These two must be escaped.
    let raw = text.bytes().any(|byte| byte == b'\n') || has_bare_quote(text);
    (!raw).then_some(out)
}

fn has_bare_quote(text: &str) -> bool {
    let mut escaped = false;
    text.bytes().any(|byte| {
        let bare = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        bare
    })
}

/// Appends what an escape stands for; `text` begins behind the backslash. Returns what follows the escape.
fn unescape<'a>(text: &'a str, out: &mut Vec<u8>) -> Option<&'a str> {
    let mut rest = text.chars();
    let letter = rest.next()?;
    let byte = match letter {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        '\\' => b'\\',
        '"' => b'"',
        'x' => {
            let (code, behind) = take_number(rest.as_str(), 2, 16)?;
            out.push(u8::try_from(code).ok()?);
            return Some(behind);
        }
        '0'..='7' => {
            let (code, behind) = take_number(text, 3, 8)?;
            out.push(u8::try_from(code).ok()?);
            return Some(behind);
        }
        'u' | 'U' => {
            let (code, behind) = take_number(rest.as_str(), if letter == 'u' { 4 } else { 8 }, 16)?;
            let character = char::from_u32(code)?;
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(behind);
        }
        _ => return None,
    };
    out.push(byte);
    Some(rest.as_str())
}

fn take_number(text: &str, digits: usize, radix: u32) -> Option<(u32, &str)> {
    let (number, behind) = text.split_at_checked(digits)?;
    if !number.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    Some((u32::from_str_radix(number, radix).ok()?, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(name: &[u8]) -> String {
        String::from_utf8(quote(name).into_owned()).unwrap()
    }

    #[test]
    fn names_are_quoted_as_go_does_it() {
        for (name, expected) in [
            (&b"plain name.txt"[..], "plain name.txt"),
            (b"a\"b\\c'd", r#"a\"b\\c'd"#),
            (
                b"\x07\x08\x0c\n\r\t\x0b\x00\x1f\x7f",
                r"\a\b\f\n\r\t\v\x00\x1f\x7f",
            ),
            (b"\xff\xc3\x28\xe2\x82", r"\xff\xc3(\xe2\x82"),
            ("äöü€ \u{1f600}".as_bytes(), "äöü€ \u{1f600}"),
            (
                "\u{ad}\u{a0}\u{200b}\u{2028}\u{feff}".as_bytes(),
                r"\u00ad\u00a0\u200b\u2028\ufeff",
            ),
            (
                "\u{80}\u{e000}\u{f0000}\u{10ffff}".as_bytes(),
                r"\u0080\ue000\U000f0000\U0010ffff",
            ),
            ("\u{fffd}".as_bytes(), "\u{fffd}"),
            // A surrogate in UTF-8 and an overlong form are no UTF-8.
            (b"\xed\xa0\x80\xc0\xaf", r"\xed\xa0\x80\xc0\xaf"),
        ] {
            assert_eq!(quoted(name), expected);
            assert_eq!(unquote(expected).unwrap(), name);
        }
    }

    #[test]
    fn every_code_point_and_every_byte_comes_back() {
        for character in '\0'..=char::MAX {
            let name = character.to_string();
            assert_eq!(unquote(&quoted(name.as_bytes())).unwrap(), name.as_bytes());
        }
        for first in 0..=255 {
            for second in 0..=255 {
                let name = [first, second, b'a', first];
                assert_eq!(unquote(&quoted(&name)).unwrap(), name);
            }
        }
    }

    #[test]
    fn other_escapes_of_go_are_read() {
        assert_eq!(
            unquote(r"\101\x41A\U00000041é").unwrap(),
            "AAAAé".as_bytes()
        );
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for text in [
            "\\",
            r"a\",
            r"\q",
            r"\'",
            "\"",
            "a\nb",
            r"\x4",
            r"\xg0",
            r"\x+1",
            r"\u12",
            r"\ud800",
            r"\U00110000",
            r"\400",
            r"\08",
            r"\u+123",
            r#"\\""#,
            r"\xé",
        ] {
            assert_eq!(unquote(text), None, "{text}");
        }
    }
}
