//! The search for a fingerprint whose lowest bits are zero.
//!
//! One rolling fingerprint waits for its table look-up at each byte. Four of them that start at four places have nothing
//! to do with each other, so that a processor computes them at the same time: more than twice as fast.

use super::Polynomial;
use super::polynomial::DEGREE;

/// Bytes that a fingerprint covers.
pub(super) const WINDOW: usize = 64;

/// The bits that are zero at a cut: one position in 2^20.
pub(super) const MASK: u64 = (1 << 20) - 1;

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
    pub(super) fn new(polynomial: Polynomial) -> Self {
        let power = |byte: usize, power: u32| {
            (0..power).fold(byte as u64, |value, _| polynomial.times_x(value))
        };
        Self {
            reduce: std::array::from_fn(|byte| power(byte, DEGREE) | (byte as u64) << DEGREE),
            leave: std::array::from_fn(|byte| power(byte, 8 * WINDOW as u32)),
        }
    }

    /// The first position from `first` to `end` (both included) at which `data` may be cut: the length of what lies
    /// before it. `first` is at least [`WINDOW`].
    pub(super) fn find(&self, data: &[u8], first: usize, end: usize) -> Option<usize> {
        // In runs of zeros each position is a cut. They are common, and not worth more than one look.
        let start = first.checked_sub(WINDOW)?;
        let first_window = data.get(start..first).filter(|_| first <= end)?;
        if self.fingerprint(first_window) & MASK == 0 {
            return Some(first);
        }
        // From here on `data` begins with the window before its first tested position.
        let data = data.get(start + 1..end)?;
        let mut tested = 0;
        let cut = self
            .blocks::<8192>(data, &mut tested)
            .or_else(|| self.blocks::<512>(data, &mut tested))
            .or_else(|| self.one_lane(data.get(tested..)?));
        cut.map(|at| first + 1 + tested + at)
    }

    /// Searches whole blocks as long as there are any; `tested` is how many positions had no cut.
    fn blocks<const LANE: usize>(&self, data: &[u8], tested: &mut usize) -> Option<usize> {
        loop {
            match self.block::<LANE>(data.get(*tested..)?)? {
                Block::Cut(at) => return Some(at),
                Block::Without(length) => *tested += length,
            }
        }
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
    fn block<const LANE: usize>(&self, data: &[u8]) -> Option<Block> {
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
            Block::Without(LANES * LANE)
        } else {
            Block::Cut(best)
        })
    }

    /// Tests each position behind the first 64 bytes of `data`, one after the other, up to and with its end.
    fn one_lane(&self, data: &[u8]) -> Option<usize> {
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

/// What a search of one block found.
enum Block {
    /// A cut so many bytes behind the first position.
    Cut(usize),
    /// None at so many positions.
    Without(usize),
}
