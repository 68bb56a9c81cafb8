//! Characters in paths that need not be UTF-8, counted and lower-cased as Go does it.

use std::borrow::Cow;

/// What a byte that is no part of a character counts as: U+FFFD.
pub(super) const REPLACEMENT: u32 = 0xFFFD;

/// The first character and its length in bytes; ([`REPLACEMENT`], 1) for a byte that is not UTF-8, length 0 at the end.
pub(super) fn decode(bytes: &[u8]) -> (u32, usize) {
    match bytes.first() {
        None => (REPLACEMENT, 0),
        Some(&ascii) if ascii.is_ascii() => (u32::from(ascii), 1),
        Some(_) => {
            let head = bytes.get(..4).unwrap_or(bytes);
            match head
                .utf8_chunks()
                .next()
                .and_then(|chunk| chunk.valid().chars().next())
            {
                Some(character) => (u32::from(character), character.len_utf8()),
                None => (REPLACEMENT, 1),
            }
        }
    }
}

/// Lower case, character by character. Bytes that are not UTF-8 become U+FFFD, in paths and in patterns alike.
pub(super) fn lowercase(bytes: &[u8]) -> Cow<'_, [u8]> {
    if bytes.is_ascii() {
        return if bytes.iter().any(u8::is_ascii_uppercase) {
            Cow::Owned(bytes.to_ascii_lowercase())
        } else {
            Cow::Borrowed(bytes)
        };
    }
    let mut lower = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        lower.extend(chunk.valid().chars().map(lowercase_one));
        lower.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Cow::Owned(lower.into_bytes())
}

/// The simple mapping of one character to one; only `İ` has a longer one, which is not used.
fn lowercase_one(character: char) -> char {
    character.to_lowercase().next().unwrap_or(character)
}

#[cfg(test)]
mod tests {
    use super::lowercase;

    #[test]
    fn lower_case_is_simple_and_total() {
        assert_eq!(&*lowercase("ÄÖÜ/İ/Σ".as_bytes()), "äöü/i/σ".as_bytes());
        assert_eq!(&*lowercase(b"A\xff\xfe"), "a\u{fffd}\u{fffd}".as_bytes());
        assert_eq!(&*lowercase(b"abc"), b"abc");
    }
}
