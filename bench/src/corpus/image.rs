//! A disk image: extents of zeros, text, pages and random bytes, a quarter of them copies of earlier ones; and the same image some
//! time later, with content shifted.

use std::io::Write;
use std::path::Path;

use anyhow::Result;

use super::large_files::create;
use super::pages::{PAGE, Tail, write_page};
use super::set_modified;
use super::text::Vocabulary;
use crate::random::Random;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Zeros,
    Text,
    Pages,
    Random,
}

/// A stretch of the image. The same values give the same bytes.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    kind: Kind,
    seed: u64,
    length: u64,
}

/// Shortest extent in the image; the longest is 2^10 times that.
const UNIT: u64 = 4 << 10;

/// Changes between the two images.
const EDITS: usize = 200;

/// What an image of so many bytes consists of.
pub fn plan(seed: u64, length: u64) -> Vec<Extent> {
    let mut random = Random::of_part(seed, 0x133A6E, 0);
    let mut plan: Vec<Extent> = Vec::new();
    let mut rest = length;
    while rest > 0 {
        let begin = plan.len();
        if plan.len() > 50 && random.chance(25) {
            let first = random.index(plan.len() - 40);
            let count = 1 + random.index(40);
            plan.extend_from_within(first..first + count);
        } else {
            plan.push(extent(&mut random));
        }
        for extent in &mut plan[begin..] {
            extent.length = extent.length.min(rest);
            rest -= extent.length;
        }
    }
    plan
}

fn extent(random: &mut Random) -> Extent {
    let length = UNIT << random.below(11);
    let (kind, length) = match random.below(75) {
        0..20 => (Kind::Zeros, length * 4),
        20..40 => (Kind::Text, length),
        40..60 => (Kind::Pages, length),
        _ => (Kind::Random, length),
    };
    Extent {
        kind,
        seed: random.word(),
        length,
    }
}

/// The plan of the later image.
pub fn edited(seed: u64, plan: &[Extent]) -> Vec<Extent> {
    let mut random = Random::of_part(seed, 0x133A6E, 1);
    let mut plan = plan.to_vec();
    // In a small image a part of the edits, so that most of it stays.
    for _ in 0..EDITS.min(plan.len() / 20) {
        let at = random.index(plan.len());
        match random.below(3) {
            0 => {
                let shifted = Extent {
                    length: 1 + random.below(20_000),
                    ..extent(&mut random)
                };
                plan.insert(at, shifted);
            }
            1 => drop(plan.remove(at)),
            _ => plan[at].seed = random.word(),
        }
    }
    plan
}

/// Writes an image.
pub fn write(path: &Path, plan: &[Extent], words: &Vocabulary) -> Result<()> {
    let mut file = create(path)?;
    let mut bytes = Vec::new();
    for extent in plan {
        bytes.clear();
        bytes.resize(extent.length as usize, 0);
        let mut random = Random::new(extent.seed);
        match extent.kind {
            Kind::Zeros => {}
            Kind::Random => random.fill(&mut bytes),
            Kind::Text => {
                bytes.clear();
                words.write(&mut random, extent.length as usize, &mut bytes);
            }
            Kind::Pages => {
                for (number, page) in bytes.chunks_mut(PAGE).enumerate() {
                    write_page(extent.seed, 0, number as u64, Tail::Free, words, page);
                }
            }
        }
        file.write_all(&bytes)?;
    }
    file.flush()?;
    set_modified(path, 1_600_000_000)
}
