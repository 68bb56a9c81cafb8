//! JSON byte for byte as Go's `encoding/json` writes it, since a blob's identifier depends on each byte.

use data_encoding::{BASE64, Encoding, HEXLOWER};

use crate::format::{Id, Time};

/// Appends a JSON string as Go 1.22 and later write it.
///
/// `<`, `>`, `&`, U+2028 and U+2029 are escaped for HTML's sake; control characters have their short form where JSON
/// has one; each byte that is not part of valid UTF-8 becomes the escape of U+FFFD.
pub(crate) fn push_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    push_escaped(out, text);
    out.push(b'"');
}

fn push_escaped(out: &mut Vec<u8>, text: &[u8]) {
    for chunk in text.utf8_chunks() {
        push_escaped_str(out, chunk.valid());
        // Go replaces each invalid byte, not each invalid sequence.
        for _ in chunk.invalid() {
            out.extend_from_slice(b"\\ufffd");
        }
    }
}

fn push_escaped_str(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut done = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let (length, escape): (usize, &[u8]) = match byte {
            b'"' => (1, b"\\\""),
            b'\\' => (1, b"\\\\"),
            b'\n' => (1, b"\\n"),
            b'\r' => (1, b"\\r"),
            b'\t' => (1, b"\\t"),
            0x08 => (1, b"\\b"),
            0x0c => (1, b"\\f"),
            b'<' => (1, b"\\u003c"),
            b'>' => (1, b"\\u003e"),
            b'&' => (1, b"\\u0026"),
            0x00..0x20 => (1, b""),
            // U+2028 and U+2029 are e2 80 a8 and e2 80 a9.
            0xe2 => match bytes.get(at..at.saturating_add(3)) {
                Some([_, 0x80, 0xa8]) => (3, b"\\u2028"),
                Some([_, 0x80, 0xa9]) => (3, b"\\u2029"),
                _ => continue,
            },
            _ => continue,
        };
        out.extend_from_slice(bytes.get(done..at).unwrap_or_default());
        if escape.is_empty() {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            let low = DIGITS.get(usize::from(byte & 15)).copied().unwrap_or(b'0');
            out.extend_from_slice(b"\\u00");
            out.push(b'0' + (byte >> 4));
            out.push(low);
        } else {
            out.extend_from_slice(escape);
        }
        done = at.saturating_add(length);
    }
    out.extend_from_slice(bytes.get(done..).unwrap_or_default());
}

/// Appends a number in decimal.
pub(crate) fn push_u64(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0; 20];
    let mut begin = digits.len();
    let mut rest = number;
    for (index, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        begin = index;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(begin..).unwrap_or_default());
}

/// Appends an identifier as a JSON string.
pub(crate) fn push_id(out: &mut Vec<u8>, id: &Id) {
    out.push(b'"');
    push_encoded(out, &HEXLOWER, id.as_bytes());
    out.push(b'"');
}

fn push_encoded(out: &mut Vec<u8>, encoding: &Encoding, bytes: &[u8]) {
    let begin = out.len();
    out.resize(begin + encoding.encode_len(bytes.len()), 0);
    encoding.encode_mut(bytes, out.split_at_mut(begin).1);
}

/// Writes the fields of a JSON object in the order of the calls. The names must need no escaping.
///
/// `…_if` methods leave the field out when the value is empty, as Go's `omitempty` does.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> Object<'a> {
    pub(crate) fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    pub(crate) fn end(self) {
        self.out.push(b'}');
    }

    /// Writes the name; the value must be appended to what is returned.
    pub(crate) fn name(&mut self, name: &str) -> &mut Vec<u8> {
        self.out
            .extend_from_slice(if self.empty { b"\"" } else { b",\"" });
        self.empty = false;
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    pub(crate) fn raw(&mut self, name: &str, json: &[u8]) {
        self.name(name).extend_from_slice(json);
    }

    /// As [`Object::raw`], for a name from outside.
    pub(crate) fn escaped_raw(&mut self, name: &str, json: &[u8]) {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        push_string(self.out, name.as_bytes());
        self.out.push(b':');
        self.out.extend_from_slice(json);
    }

    pub(crate) fn string(&mut self, name: &str, value: &[u8]) {
        push_string(self.name(name), value);
    }

    pub(crate) fn string_if(&mut self, name: &str, value: &[u8]) {
        if !value.is_empty() {
            self.string(name, value);
        }
    }

    pub(crate) fn number(&mut self, name: &str, value: u64) {
        push_u64(self.name(name), value);
    }

    pub(crate) fn number_if(&mut self, name: &str, value: u64) {
        if value != 0 {
            self.number(name, value);
        }
    }

    pub(crate) fn boolean(&mut self, name: &str, value: bool) {
        self.raw(name, if value { b"true" } else { b"false" });
    }

    pub(crate) fn id(&mut self, name: &str, value: &Id) {
        push_id(self.name(name), value);
    }

    pub(crate) fn id_if(&mut self, name: &str, value: Option<&Id>) {
        if let Some(id) = value {
            self.id(name, id);
        }
    }

    pub(crate) fn time(&mut self, name: &str, value: &Time) {
        let out = self.name(name);
        out.push(b'"');
        value.push_rfc3339(out);
        out.push(b'"');
    }

    /// Bytes as base64, the form of Go's `[]byte`.
    pub(crate) fn base64(&mut self, name: &str, value: &[u8]) {
        let out = self.name(name);
        out.push(b'"');
        push_encoded(out, &BASE64, value);
        out.push(b'"');
    }

    /// A list; `write` appends one value.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        values: &[T],
        write: impl FnMut(&mut Vec<u8>, &T),
    ) {
        push_list(self.name(name), values, write);
    }

    pub(crate) fn strings(&mut self, name: &str, values: &[String]) {
        self.list(name, values, |out, value| {
            push_string(out, value.as_bytes())
        });
    }

    pub(crate) fn strings_if(&mut self, name: &str, values: &[String]) {
        if !values.is_empty() {
            self.strings(name, values);
        }
    }
}

/// Appends a JSON list; `write` appends one value.
pub(crate) fn push_list<T>(
    out: &mut Vec<u8>,
    values: &[T],
    mut write: impl FnMut(&mut Vec<u8>, &T),
) {
    out.push(b'[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, value);
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &[u8]) -> String {
        let mut out = Vec::new();
        push_string(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn strings_are_escaped_as_go_does_it() {
        for (text, expected) in [
            (&b"plain"[..], r#""plain""#),
            (b"", r#""""#),
            (b"\"\\/\x7f", "\"\\\"\\\\/\x7f\""),
            (
                b"\x08\x0c\n\r\t\x00\x0b\x1f\x1b",
                r#""\b\f\n\r\t\u0000\u000b\u001f\u001b""#,
            ),
            (b"<a href='x'>&", r#""\u003ca href='x'\u003e\u0026""#),
            (
                "\u{2027}\u{2028}\u{2029}\u{202a}é\u{1f600}".as_bytes(),
                "\"\u{2027}\\u2028\\u2029\u{202a}é\u{1f600}\"",
            ),
            (b"a\xffb\xc3(\xe2\x80", r#""a\ufffdb\ufffd(\ufffd\ufffd""#),
            ("\u{fffd}".as_bytes(), "\"\u{fffd}\""),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn every_code_point_comes_back_through_another_parser() {
        for character in '\0'..=char::MAX {
            let text = character.to_string();
            assert_eq!(
                serde_json::from_str::<String>(&escaped(text.as_bytes())).unwrap(),
                text
            );
        }
    }

    #[test]
    fn numbers_have_no_leading_zero() {
        for number in [0, 1, 9, 10, 99, 100, 1 << 32, u64::MAX - 1, u64::MAX] {
            let mut out = Vec::new();
            push_u64(&mut out, number);
            assert_eq!(out, number.to_string().as_bytes());
        }
    }
}
