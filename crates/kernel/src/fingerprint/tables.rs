//! The portable path: fingerprints that are rolled from byte to byte over two tables.
//!
//! One rolling fingerprint waits for its table look-up at each byte. Four of them that start at four places have nothing
//! to do with each other, so that a processor computes them at the same time: more than twice as fast.

use super::field::{DEGREE, times_x};
use super::{Found, MASK, WINDOW};

/// Fingerprints that are computed side by side.
const LANES: usize = 4;

/// What a fingerprint needs to take one byte in and let another out.
#[derive(Debug)]
pub(super) struct Tables {
    /// `b * x^53`, once reduced and once not: added to a shifted fingerprint, it clears the bits above the degree and
    /// adds what they stand for.
    reduce: [u64; 256],
    /// `b * x^512`: what the byte that left the window amounts to after the shift.
    leave: [u64; 256],
}

impl Tables {
    pub(super) fn new(polynomial: u64) -> Self {
        let power = |byte: usize, power: u32| {
            (0..power).fold(byte as u64, |value, _| times_x(value, polynomial))
        };
        Self {
            reduce: std::array::from_fn(|byte| power(byte, DEGREE) | (byte as u64) << DEGREE),
            leave: std::array::from_fn(|byte| power(byte, 8 * WINDOW as u32)),
        }
    }

    /// Whether content may be cut behind a window.
    pub(super) fn is_cut(&self, window: &[u8]) -> bool {
        self.fingerprint(window) & MASK == 0
    }

    /// Searches `data` in whole blocks; the first position is that behind its first 64 bytes.
    pub(super) fn blocks(&self, data: &[u8]) -> Found {
        let mut tested = 0;
        let cut = self
            .blocks_of::<8192>(data, &mut tested)
            .or_else(|| self.blocks_of::<512>(data, &mut tested));
        cut.map_or(Found::NoneIn(tested), |at| Found::Cut(tested + at))
    }

    /// Searches whole blocks as long as there are any; `tested` is how many positions had no cut.
    fn blocks_of<const LANE: usize>(&self, data: &[u8], tested: &mut usize) -> Option<usize> {
        loop {
            match self.block::<LANE>(data.get(*tested..)?)? {
                Found::Cut(at) => return Some(at),
                Found::NoneIn(length) => *tested += length,
            }
        }
    }

    /// The first cut among some of the 64 positions behind the first 64 bytes of `data`: those whose bits are set, the first one's
    /// lowest.
    pub(super) fn first_cut(&self, data: Option<&[u8]>, mut positions: u64) -> Option<usize> {
        let data = data?;
        // Data with a short period may be let through everywhere. Rolling over all of it costs less then.
        if positions.count_ones() > 2 {
            let length = (2 * WINDOW - 1).min(data.len());
            return self.one_by_one(data.get(..length)?);
        }
        while positions != 0 {
            let at = positions.trailing_zeros() as usize;
            if self.is_cut(data.get(at..at + WINDOW)?) {
                return Some(at);
            }
            positions &= positions - 1;
        }
        None
    }

    fn fingerprint(&self, window: &[u8]) -> u64 {
        window
            .iter()
            .fold(0, |value, byte| self.append(value, *byte))
    }

    fn append(&self, value: u64, byte: u8) -> u64 {
        // A fingerprint has 53 bits, of which the upper eight are shifted out.
        (value << 8 | u64::from(byte)) ^ self.reduce[usize::from((value >> (DEGREE - 8)) as u8)]
    }

    fn roll(&self, value: u64, leaving: u8, entering: u8) -> u64 {
        self.append(value, entering) ^ self.leave[usize::from(leaving)]
    }

    /// Tests `LANES * LANE` positions, of which the first is that behind the first 64 bytes of `data`. `None` if there is
    /// too little data.
    fn block<const LANE: usize>(&self, data: &[u8]) -> Option<Found> {
        let mut leaving = [&[0; LANE]; LANES];
        let mut entering = [&[0; LANE]; LANES];
        let mut value = [0; LANES];
        for lane in 0..LANES {
            let lane_data = data.get(lane * LANE..)?;
            let (window, behind) = lane_data.split_at_checked(WINDOW)?;
            *leaving.get_mut(lane)? = lane_data.first_chunk()?;
            *entering.get_mut(lane)? = behind.first_chunk()?;
            *value.get_mut(lane)? = self.fingerprint(window);
        }
        let mut best = usize::MAX;
        for at in 0..LANE {
            // No short cut: one branch for all lanes, which is hardly ever taken.
            if value
                .iter()
                .fold(false, |hit, value| hit | (value & MASK == 0))
            {
                for lane in (0..LANES).filter(|lane| value[*lane] & MASK == 0) {
                    best = best.min(lane * LANE + at);
                }
            }
            for lane in 0..LANES {
                value[lane] = self.roll(value[lane], leaving[lane][at], entering[lane][at]);
            }
        }
        Some(if best == usize::MAX {
            Found::NoneIn(LANES * LANE)
        } else {
            Found::Cut(best)
        })
    }

    /// Tests each position behind the first 64 bytes of `data`, one after the other, up to and with its end.
    pub(super) fn one_by_one(&self, data: &[u8]) -> Option<usize> {
        let (window, behind) = data.split_at_checked(WINDOW)?;
        let mut value = self.fingerprint(window);
        for (at, (leaving, entering)) in data.iter().zip(behind).enumerate() {
            if value & MASK == 0 {
                return Some(at);
            }
            value = self.roll(value, *leaving, *entering);
        }
        (value & MASK == 0).then_some(behind.len())
    }
}
