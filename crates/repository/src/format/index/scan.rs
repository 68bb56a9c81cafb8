//! Reading an index file in the one shape in which restic and we write it, some ten times as fast as the general decoder.
//!
//! That shape has no space between its parts, the fields in the order of the encoder, plain numbers and lower-case
//! identifiers. Anything else is not judged here: [`scan`] gives up, and the general decoder decides what it is.

use std::num::NonZeroU32;

use super::Sink;
use crate::format::pack_header::PackedBlob;
use crate::format::{BlobKind, Id};

/// Hands all packs and blobs to the sink; `None` where the content has another shape, whatever the sink got by then.
pub(super) fn scan(json: &[u8], sink: &mut impl Sink) -> Option<()> {
    let mut rest = Rest(json);
    rest.literal(b"{\"packs\":[")?;
    if !rest.has(b"]") {
        loop {
            pack(&mut rest, sink)?;
            if !rest.has(b",") {
                break;
            }
        }
        rest.literal(b"]")?;
    }
    rest.literal(b"}")?;
    rest.0.trim_ascii().is_empty().then_some(())
}

fn pack(rest: &mut Rest<'_>, sink: &mut impl Sink) -> Option<()> {
    rest.literal(b"{\"id\":\"")?;
    let id = rest.id()?;
    rest.literal(b"\",\"blobs\":[")?;
    if rest.has(b"]}") {
        return Some(());
    }
    sink.pack(&id);
    loop {
        sink.blob(blob(rest)?);
        if !rest.has(b",") {
            return rest.literal(b"]}");
        }
    }
}

fn blob(rest: &mut Rest<'_>) -> Option<PackedBlob> {
    rest.literal(b"{\"id\":\"")?;
    let id = rest.id()?;
    rest.literal(b"\",\"type\":\"")?;
    let kind = match rest.0.split_first_chunk::<4>()? {
        (b"data", _) => BlobKind::Data,
        (b"tree", _) => BlobKind::Tree,
        _ => return None,
    };
    rest.0 = rest.0.get(4..)?;
    rest.literal(b"\",\"offset\":")?;
    let offset = rest.number()?;
    rest.literal(b",\"length\":")?;
    let length = rest.number()?;
    let uncompressed_length = match rest.has(b",\"uncompressed_length\":") {
        true => NonZeroU32::new(rest.number()?),
        false => None,
    };
    rest.literal(b"}")?;
    let blob = PackedBlob {
        kind,
        id,
        offset,
        length,
        uncompressed_length,
    };
    blob.end().map(|_| blob)
}

/// What has not been read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    /// Whether these bytes come next; then they are read.
    #[inline]
    fn has(&mut self, literal: &[u8]) -> bool {
        match self.0.strip_prefix(literal) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    #[inline]
    fn literal(&mut self, literal: &[u8]) -> Option<()> {
        self.has(literal).then_some(())
    }

    #[inline]
    fn id(&mut self) -> Option<Id> {
        let (digits, rest) = self.0.split_first_chunk::<64>()?;
        self.0 = rest;
        identifier(digits)
    }

    /// A number as JSON writes it: no sign, no zero in front.
    #[inline]
    fn number(&mut self) -> Option<u32> {
        let mut value = 0_u32;
        let mut digits = 0_usize;
        for byte in self.0 {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            value = value.checked_mul(10)?.checked_add(digit.into())?;
            digits += 1;
        }
        if digits == 0 || (digits > 1 && self.0.first() == Some(&b'0')) {
            return None;
        }
        self.0 = self.0.get(digits..)?;
        Some(value)
    }
}

/// Eight digits at a time, as the bytes of one number: an identifier a blob is most of an index file.
pub(super) fn identifier(digits: &[u8; 64]) -> Option<Id> {
    let mut bytes = [0; 32];
    let mut bad = 0;
    let (words, _) = digits.as_chunks::<8>();
    let (parts, _) = bytes.as_chunks_mut::<4>();
    for (part, word) in parts.iter_mut().zip(words) {
        let (values, is_bad) = eight_digits(u64::from_le_bytes(*word));
        bad |= is_bad;
        // Pairs of four bits become bytes, and every second byte goes.
        let pairs = (values << 4 | values >> 8) & 0x00ff_00ff_00ff_00ff;
        let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
        let [a, b, c, d, ..] = (fours | fours >> 16).to_le_bytes();
        *part = [a, b, c, d];
    }
    (bad == 0).then(|| Id::from_bytes(bytes))
}

/// The values of eight lower-case hexadecimal digits, a byte each, and something other than zero if one is none.
///
/// A digit is 0x30 to 0x39, a letter 0x61 to 0x66. No sum below passes 255, so that no byte disturbs the next.
fn eight_digits(word: u64) -> (u64, u64) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let low = word & (ONES * 0x0f);
    let letter = word >> 6 & ONES;
    let digit = letter ^ ONES;
    let values = low + letter * 9;
    let wrong_high = (word & (ONES * 0xf0)) ^ (ONES * 0x30 + letter * 0x30);
    // Above 9, or above f; and the character before a.
    let too_high = (values + digit * 6) & (ONES * 0x10);
    let before_a = letter & !((low + ONES * 0x0f) >> 4);
    (values, wrong_high | too_high | before_a)
}
