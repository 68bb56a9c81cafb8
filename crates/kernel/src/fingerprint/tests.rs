//! Every path against the definition. A cut that one of them misses, or sees where there is none, stores everything anew that
//! another machine has stored.

use super::field::times_x;
use super::*;
use proptest::prelude::*;

/// The fingerprint by its definition: one bit of reduction at a time.
fn fingerprint(window: &[u8], polynomial: u64) -> u64 {
    window.iter().fold(0, |value, byte| {
        (0..8).fold(value, |value, _| times_x(value, polynomial)) ^ u64::from(*byte)
    })
}

/// The lengths of `data` behind which the definition lets it be cut.
fn cuts(data: &[u8], polynomial: u64) -> Vec<usize> {
    (WINDOW..=data.len())
        .filter(|at| fingerprint(&data[at - WINDOW..*at], polynomial) & MASK == 0)
        .collect()
}

/// Makes the lowest 20 bits of the fingerprint at `at` those of `bits`. The last three bytes of a window are in the fingerprint as
/// they are.
fn plant(data: &mut [u8], at: usize, bits: u32, polynomial: u64) {
    let now = fingerprint(&data[at - WINDOW..at], polynomial) as u32;
    let wrong = (now ^ bits) & MASK as u32;
    for (back, byte) in wrong.to_le_bytes().into_iter().enumerate() {
        data[at - 1 - back] ^= byte;
    }
}

/// All ways of this machine; that of 128 bits, too, where a wider one is taken instead.
fn searches(polynomial: u64) -> Vec<FingerprintSearch> {
    let mut searches: Vec<_> = CodePath::ALL
        .map(|path| FingerprintSearch::on_path(polynomial, path))
        .into();
    #[cfg(target_arch = "x86_64")]
    searches.extend(
        clmul::Clmul::new(convolution::Constants::new(polynomial)).map(|narrow| {
            FingerprintSearch {
                tables: Tables::new(polynomial),
                wide: Wide::Clmul(narrow),
            }
        }),
    );
    searches
}

/// All cuts that a search finds, one after the other.
fn found(search: &FingerprintSearch, data: &[u8]) -> Vec<usize> {
    let mut cuts = Vec::new();
    let mut first = WINDOW;
    while let Some(cut) = search.find(data, first, data.len()) {
        cuts.push(cut);
        first = cut + 1;
    }
    cuts
}

fn random(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        // Steele and others, "SplitMix".
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

fn random_bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut next = random(seed);
    (0..length).map(|_| next() as u8).collect()
}

/// Of degree 53 with a constant term; whether it is a product makes no difference to the search.
fn any_polynomial(seed: u64) -> u64 {
    1 << 53 | random(seed)() >> 11 | 1
}

/// Of a repository that restic made.
const POLYNOMIAL: u64 = 0x3D_A335_8B4D_C173;

#[test]
fn the_widest_path_is_taken_on_this_machine() {
    #[cfg(target_arch = "x86_64")]
    for (path, is_here) in [
        (CodePath::Avx512, avx512::Avx512::is_available()),
        (CodePath::Avx2, is_x86_feature_detected!("avx2")),
    ] {
        let taken = FingerprintSearch::on_path(POLYNOMIAL, path).path();
        assert_eq!(taken == path, is_here);
    }
    let portable = FingerprintSearch::on_path(POLYNOMIAL, CodePath::Portable);
    assert_eq!(portable.path(), CodePath::Portable);
}

#[test]
fn each_of_the_20_bits_decides_at_each_place_in_a_block() {
    for polynomial in [POLYNOMIAL, any_polynomial(1), any_polynomial(2)] {
        let searches = searches(polynomial);
        for at in WINDOW + 100..WINDOW + 100 + 130 {
            for wrong in (0..20).map(|bit| 1 << bit).chain([0]) {
                let mut data = random_bytes(at as u64, 500);
                plant(&mut data, at, wrong, polynomial);
                let expected = (wrong == 0).then_some(at);
                for search in &searches {
                    let cut = search.find(&data, WINDOW, data.len());
                    assert_eq!(cut, expected, "{:?}, bits {wrong:x}", search.path());
                }
            }
        }
    }
}

/// Many of one block that the first 16 bits do not rule out, and one cut among them.
#[test]
fn a_cut_among_near_misses_is_found_at_each_place_in_a_block() {
    for cut in WINDOW + 128..WINDOW + 2 * 128 {
        let mut data = random_bytes(cut as u64, 600);
        for at in (WINDOW + 50..cut - 3).step_by(5) {
            plant(&mut data, at, 1 << 17, POLYNOMIAL);
        }
        plant(&mut data, cut, 0, POLYNOMIAL);
        for search in searches(POLYNOMIAL) {
            let found = search.find(&data, WINDOW, data.len());
            assert_eq!(found, Some(cut), "{:?}", search.path());
        }
    }
}

#[test]
fn slices_of_every_length_and_alignment_are_searched_whole() {
    let mut data = random_bytes(5, 5 << 13);
    for at in (70..data.len()).step_by(61) {
        plant(&mut data, at, 0, POLYNOMIAL);
    }
    let lengths = (0..400).chain((4 << 13) - 3..(4 << 13) + 2 * WINDOW + 3);
    for (turn, length) in lengths.enumerate() {
        let slice = &data[turn % 67..][..length];
        let last = slice.len().saturating_sub(200);
        for search in searches(POLYNOMIAL) {
            for first in [WINDOW, WINDOW + turn % 80, last] {
                let expected = (first..=length)
                    .filter(|at| *at >= WINDOW)
                    .find(|at| fingerprint(&slice[at - WINDOW..*at], POLYNOMIAL) & MASK == 0)
                    .filter(|_| first >= WINDOW);
                assert_eq!(
                    search.find(slice, first, length),
                    expected,
                    "{:?}, {length} bytes from {first}",
                    search.path()
                );
            }
        }
    }
}

#[test]
fn positions_without_a_fingerprint_are_none() {
    let data = [0; 1000];
    for search in searches(POLYNOMIAL) {
        for (first, end) in [(0, 1000), (63, 1000), (64, 1001), (500, 499), (1001, 1001)] {
            assert_eq!(search.find(&data, first, end), None, "{first}..={end}");
        }
        assert_eq!(search.find(&data, usize::MAX, usize::MAX), None);
        assert_eq!(search.find(&data, 64, 64), Some(64));
        assert_eq!(search.find(&data, 1000, 1000), Some(1000));
    }
}

/// Data that is not random, in one of several ways.
fn regular_data(kind: u64, seed: u64, length: usize) -> Vec<u8> {
    let mut next = random(seed);
    match kind {
        0 => vec![next() as u8; length],
        1 => (0..length).map(|_| next() as u8 & 1).collect(),
        2 => {
            let period = 1 + next() as usize % 200;
            let pattern = random_bytes(seed, period);
            pattern.iter().copied().cycle().take(length).collect()
        }
        // Pages of a database: a header, some rows, zeros.
        3 => (0..length)
            .map(|at| match at % 8192 {
                0..24 => (at / 8192) as u8,
                at if at > 3000 && next() % 200 < 199 => 0,
                _ => next() as u8 & 63,
            })
            .collect(),
        _ => {
            let mut data = random_bytes(seed, length);
            let zeros = next() as usize % (length + 1);
            data[zeros..]
                .iter_mut()
                .take(300)
                .for_each(|byte| *byte = 0);
            data
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// With cuts, and what looks like one to all but the last bits, wherever chance puts them.
    #[test]
    fn all_paths_find_what_the_definition_finds(
        seed: u64,
        kind in 0_u64..5,
        length in 0_usize..40_000,
        planted in proptest::collection::vec((0_usize..40_000, 0_u32..20), 0..60),
    ) {
        let polynomial = any_polynomial(seed);
        let mut data = regular_data(kind, seed, length);
        for (at, bits) in planted {
            if (WINDOW..=length).contains(&at) {
                plant(&mut data, at, (bits & 15) << 16, polynomial);
            }
        }
        let expected = cuts(&data, polynomial);
        for search in searches(polynomial) {
            prop_assert_eq!(&found(&search, &data), &expected, "{:?}", search.path());
        }
    }
}
