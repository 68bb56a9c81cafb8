//! The rolling fingerprint.

use super::Polynomial;

/// Bytes that a fingerprint is of.
const WINDOW: usize = 64;

/// A cut is where these bits of the fingerprint are zero.
const MASK: u64 = (1 << 20) - 1;

/// Bits of a fingerprint above its lowest 45: what a byte that is pushed in shifts beyond the degree.
const TOP_SHIFT: u32 = 53 - 8;

/// What the fingerprint changes by when a byte leaves the window, and when eight bits are shifted beyond the degree.
#[derive(Debug)]
pub(super) struct Tables {
    leave: [u64; 256],
    reduce: [u64; 256],
}

impl Tables {
    pub fn new(polynomial: Polynomial) -> Self {
        let mut tables = Self {
            leave: [0; 256],
            reduce: [0; 256],
        };
        for (byte, (leave, reduce)) in
            (0..=255_u8).zip(tables.leave.iter_mut().zip(&mut tables.reduce))
        {
            // The oldest of 64 bytes stands 63 bytes to the left.
            *leave = (1..WINDOW).fold(u64::from(byte), |value, _| polynomial.append_byte(value, 0));
            let top = u64::from(byte) << TOP_SHIFT;
            // The table also clears the bits that were shifted out.
            *reduce = polynomial.append_byte(top, 0) ^ (top << 8);
        }
        tables
    }

    /// The first position in `from..=to` before which the fingerprint of 64 bytes ends in zeros. `from` is at least 64.
    pub fn find(&self, data: &[u8], from: usize, to: usize) -> Option<usize> {
        let begin = from.checked_sub(WINDOW)?;
        let incoming = data.get(begin..to).filter(|bytes| bytes.len() >= WINDOW)?;
        let (first, rest) = incoming.split_at(WINDOW);
        let mut fingerprint = first.iter().fold(0, |value, byte| self.push(value, *byte));
        if fingerprint & MASK == 0 {
            return Some(from);
        }
        for (done, (old, new)) in incoming.iter().zip(rest).enumerate() {
            #[allow(clippy::indexing_slicing)] // a byte indexes 256 entries
            let without = fingerprint ^ self.leave[usize::from(*old)];
            fingerprint = self.push(without, *new);
            if fingerprint & MASK == 0 {
                return from.checked_add(done)?.checked_add(1);
            }
        }
        None
    }

    fn push(&self, fingerprint: u64, byte: u8) -> u64 {
        let top = (fingerprint >> TOP_SHIFT) & 0xff;
        let reduced = usize::try_from(top)
            .ok()
            .and_then(|top| self.reduce.get(top));
        ((fingerprint << 8) | u64::from(byte)) ^ reduced.copied().unwrap_or_default()
    }
}
