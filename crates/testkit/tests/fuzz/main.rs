//! The fuzz targets over their corpus, and over what a seeded generator makes of it: a short fuzzing in every test run.
//!
//! `scripts/fuzz` runs them for as long as one likes, guided by coverage. `STRONGROOM_FUZZ_SEED` sets another seed here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod complete;
mod found;
mod mutate;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use peak_alloc::PeakAlloc;
use strongroom_testkit::{FUZZ_TARGETS, FuzzTarget, Random};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// One at a time, so that what is allocated belongs to one input.
static TURN: Mutex<()> = Mutex::new(());

/// Bytes that a decoder may hold whatever its input is, with everything that the target does to compare.
const MEMORY_BASE: usize = 2 << 20;

/// Bytes that it may hold for each byte of input. A name of two bytes becomes a node of some 300, which is copied.
const MEMORY_FACTOR: usize = 600;

/// Mutations of each file of a corpus.
const MUTATIONS: u64 = 300;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Name and content of the files of a target's corpus, in order.
fn corpus(target: &FuzzTarget) -> Vec<(String, Vec<u8>)> {
    let folder = root().join("fuzz/corpus").join(target.name);
    let files = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<_> = files
        .map(|file| file.unwrap())
        .map(|file| {
            (
                file.file_name().into_string().unwrap(),
                fs::read(file.path()).unwrap(),
            )
        })
        .collect();
    files.sort();
    assert!(
        files.len() > 2,
        "{} holds next to nothing",
        folder.display()
    );
    files
}

/// Runs the target; a panic, or too much memory, ends the test with the input in full.
fn run(target: &FuzzTarget, input: &[u8], origin: &str) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let ran = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let used = ALLOCATOR.peak_usage().saturating_sub(before);
    let complain = |what: &str| {
        let kept = std::env::temp_dir().join(format!("strongroom-fuzz-{}", target.name));
        fs::write(&kept, input).unwrap();
        panic!(
            "target {}, input {origin} (kept as {}): {what}\n{}",
            target.name,
            kept.display(),
            input.escape_ascii()
        );
    };
    if ran.is_err() {
        complain("the target panicked, see above");
    }
    // Chunks are cut from what the target makes of its input.
    let own = if target.name == "chunks" { 8 << 20 } else { 0 };
    if used > MEMORY_BASE + own + MEMORY_FACTOR * input.len() {
        complain(&format!("{used} bytes of memory"));
    }
}

fn seed() -> u64 {
    std::env::var("STRONGROOM_FUZZ_SEED").map_or(1, |seed| seed.parse().unwrap())
}

/// Damaged or hostile bytes that bring the program down take every backup in the repository with them.
#[test]
fn the_corpus_and_its_mutations_break_no_parser() {
    let _turn = TURN.lock().unwrap();
    let seed = seed();
    println!("seed {seed}");
    for target in FUZZ_TARGETS {
        let corpus = corpus(target);
        for (name, input) in &corpus {
            run(target, input, name);
        }
        let mut random = Random::new(seed);
        for (name, input) in &corpus {
            for number in 0..MUTATIONS {
                let (_, other) = &corpus[random.below(corpus.len() as u64) as usize];
                let mutated = mutate::mutate(&mut random, input, other);
                run(
                    target,
                    &mutated,
                    &format!("{name}, seed {seed}, mutation {number}"),
                );
            }
        }
    }
}
