//! Whether a large blob is worth the attempt to compress it.
//!
//! zstd notices by itself that random bytes do not shrink, but copies them meanwhile: what it reads and writes does not
//! fit in the cache of a core, and that takes a seventh of the time of storing such a blob. So samples are looked at first.
//!
//! What they cannot show is content that repeats itself at a distance, such as the same photograph twice. Such a blob
//! would be stored whole: readable, and larger than it had to be. That is bounded: after a few blobs in a row that were
//! judged by samples the next is compressed all the same, and if it shrinks samples are not believed for a long time.

use std::cell::Cell;

use super::{Level, compress_into};
use crate::format::FormatError;

/// Shorter blobs are always compressed: they fit in the cache.
const PROBED_MIN: usize = 512 << 10;

/// A sample is taken in each stretch of this length.
const STRETCH: usize = 64 << 10;
const SAMPLE: usize = 2 << 10;

/// Blobs in a row that are judged by samples alone.
const IN_A_ROW: u32 = 7;

/// Blobs that are compressed without a look after samples were wrong.
const DISTRUSTED: u32 = 64;

/// What the samples of a thread have been worth lately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Record {
    judged_in_a_row: u32,
    distrusted: u32,
}

/// What is known of a blob before it is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outlook {
    /// Nothing: it may shrink.
    Open,
    /// The samples say that it does not shrink, and are put to the proof.
    Doubtful,
    /// It is not worth the attempt.
    Hopeless,
}

thread_local! {
    static RECORD: Cell<Record> = const { Cell::new(Record { judged_in_a_row: 0, distrusted: 0 }) };
}

/// Looks at samples of a blob; `scratch` is overwritten.
pub(super) fn outlook(content: &[u8], scratch: &mut Vec<u8>) -> Result<Outlook, FormatError> {
    let mut record = RECORD.get();
    if content.len() < PROBED_MIN {
        return Ok(Outlook::Open);
    }
    let outlook = if record.distrusted > 0 {
        record.distrusted -= 1;
        Outlook::Open
    } else if !samples_are_random(content, scratch)? {
        record.judged_in_a_row = 0;
        Outlook::Open
    } else if record.judged_in_a_row < IN_A_ROW {
        record.judged_in_a_row += 1;
        Outlook::Hopeless
    } else {
        record.judged_in_a_row = 0;
        Outlook::Doubtful
    };
    RECORD.set(record);
    Ok(outlook)
}

/// A blob of a doubtful outlook did shrink.
pub(super) fn was_wrong() {
    RECORD.set(Record {
        judged_in_a_row: 0,
        distrusted: DISTRUSTED,
    });
}

/// Whether no sample has a byte that is more frequent than chance would have it, and all of them together do not shrink.
fn samples_are_random(content: &[u8], scratch: &mut Vec<u8>) -> Result<bool, FormatError> {
    let samples = || {
        content
            .chunks(STRETCH)
            .filter_map(|stretch| stretch.first_chunk::<SAMPLE>())
    };
    if samples().any(is_uneven) {
        return Ok(false);
    }
    let mut gathered = Vec::with_capacity(content.len() / STRETCH * SAMPLE + SAMPLE);
    for sample in samples() {
        gathered.extend_from_slice(sample);
    }
    scratch.clear();
    compress_into(Level::Auto, &gathered, scratch)?;
    Ok(scratch.len() >= gathered.len())
}

/// Whether the bytes of a sample are distributed in a way that chance does not bring forth.
///
/// The sum of the squares of the 256 counts is n²/256 + n on the average for n even random bytes, with a deviation of
/// n/11: 18,432 and 181 here. The limit is eighteen deviations above; bytes of six bits give 65,536 and more.
fn is_uneven(sample: &[u8; SAMPLE]) -> bool {
    let mut counts = [0_u32; 256];
    for byte in sample {
        counts[usize::from(*byte)] += 1;
    }
    counts.iter().map(|count| count * count).sum::<u32>() > 21_700
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        getrandom::fill(&mut bytes).unwrap();
        bytes
    }

    fn samples_are_random(content: &[u8]) -> bool {
        super::samples_are_random(content, &mut Vec::new()).unwrap()
    }

    #[test]
    fn what_would_shrink_is_not_taken_for_random() {
        let length = 3 << 19;
        for _ in 0..100 {
            assert!(samples_are_random(&random(length)));
        }
        let text: Vec<u8> = (0..length)
            .map(|i| b"the same words again and again "[i % 31] ^ (i / 977) as u8 & 3)
            .collect();
        assert!(!samples_are_random(&text));
        // A thirtieth of it shrinks, wherever that lies.
        for begin in (0..length - STRETCH).step_by(50_000) {
            let mut mixed = random(length);
            let place = begin..begin + STRETCH + SAMPLE;
            let count = length.min(place.end) - begin;
            mixed[begin..begin + count].copy_from_slice(&text[..count]);
            assert!(!samples_are_random(&mixed), "{begin}");
        }
        // Of seven bits, of six, and random lines that are repeated.
        let narrow = |bits: u32| {
            let bytes = random(length).into_iter();
            bytes.map(|byte| byte >> (8 - bits)).collect::<Vec<u8>>()
        };
        assert!(!samples_are_random(&narrow(7)) && !samples_are_random(&narrow(6)));
        assert!(!samples_are_random(&random(700).repeat(2000)));
    }

    /// Content that only looks random takes more space than it should, for a few blobs and no more.
    #[test]
    fn samples_that_were_wrong_are_not_believed_for_long() {
        // At a distance at which no sample lies on what another one shows.
        let twice = random((512 << 10) + 5000).repeat(2);
        let mut scratch = Vec::new();
        let mut look = || outlook(&twice, &mut scratch).unwrap();
        for _ in 0..IN_A_ROW {
            assert_eq!(look(), Outlook::Hopeless);
        }
        assert_eq!(look(), Outlook::Doubtful);
        was_wrong();
        for _ in 0..DISTRUSTED {
            assert_eq!(look(), Outlook::Open);
        }
        assert_eq!(look(), Outlook::Hopeless);
        assert_eq!(outlook(b"short", &mut scratch).unwrap(), Outlook::Open);
    }
}
