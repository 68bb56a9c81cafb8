//! A set of positions, one bit each, that many threads may fill.

use std::sync::atomic::{AtomicU64, Ordering};

/// A set of numbers below a length that is fixed at the start.
#[derive(Debug, Default)]
pub(crate) struct Bitmap {
    words: Vec<AtomicU64>,
}

impl Bitmap {
    /// The empty set of numbers below `length`.
    pub fn new(length: usize) -> Self {
        let words = length.div_ceil(64);
        Self {
            words: (0..words).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Adds a number; whether it was not there before. A number that is not below the length is not added.
    pub fn set(&self, position: usize) -> bool {
        let bit = 1 << (position % 64);
        // Each bit stands for itself and no other memory hangs on it, so that no ordering is needed.
        self.words
            .get(position / 64)
            .is_some_and(|word| word.fetch_or(bit, Ordering::Relaxed) & bit == 0)
    }

    /// Whether the number is in the set.
    pub fn get(&self, position: usize) -> bool {
        let bit = 1 << (position % 64);
        self.words
            .get(position / 64)
            .is_some_and(|word| word.load(Ordering::Relaxed) & bit != 0)
    }

    /// The same set once more, which goes its own way.
    pub fn copied(&self) -> Self {
        let word = |word: &AtomicU64| AtomicU64::new(word.load(Ordering::Relaxed));
        Self {
            words: self.words.iter().map(word).collect(),
        }
    }

    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        self.words
            .iter()
            .map(|word| u64::from(word.load(Ordering::Relaxed).count_ones()))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::Bitmap;

    #[test]
    fn a_number_is_new_once_and_numbers_outside_are_never() {
        let set = Bitmap::new(130);
        for position in [0, 63, 64, 129] {
            assert!(!set.get(position));
            assert!(set.set(position));
            assert!(!set.set(position));
            assert!(set.get(position));
        }
        assert_eq!(set.count(), 4);
        assert!(!set.set(1000) && !set.get(1000));
    }
}
