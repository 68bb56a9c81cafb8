use super::*;
use proptest::prelude::*;

/// The definition, as directly as it can be written (`tests/restic_chunks.rs` compares with restic itself): a window of 64 bytes that begins as zeros with one 1, one bit of
/// reduction at a time, and a count of bytes.
fn reference(polynomial: Polynomial, data: &[u8]) -> Vec<usize> {
    let append = |value: u64, byte: u8| {
        let shifted = (0..8).fold(value, |value, _| polynomial.times_x(value));
        shifted ^ u64::from(byte)
    };
    let leave: Vec<u64> = (0..=255)
        .map(|byte| (0..63).fold(append(0, byte), |value, _| append(value, 0)))
        .collect();
    let mut cuts = Vec::new();
    let mut begin = 0;
    while begin < data.len() {
        let (mut window, mut value, mut oldest) = ([0_u8; 64], append(0, 1), 1);
        window[0] = 1;
        let mut length = CHUNK_MIN - 64;
        loop {
            let Some(byte) = data.get(begin + length) else {
                length = data.len() - begin;
                break;
            };
            value = append(value ^ leave[usize::from(window[oldest])], *byte);
            window[oldest] = *byte;
            oldest = (oldest + 1) % 64;
            length += 1;
            if length >= CHUNK_MIN && (value.trailing_zeros() >= 20 || length >= CHUNK_MAX) {
                break;
            }
        }
        cuts.push(length);
        begin += length;
    }
    cuts
}

/// All cuts; the data arrives in pieces whose lengths `piece` yields.
fn cuts(chunker: &Chunker, data: &[u8], mut piece: impl FnMut() -> usize) -> Vec<usize> {
    let (mut cuts, mut begin, mut arrived, mut scanned) = (Vec::new(), 0, 0, 0);
    while begin < data.len() {
        match chunker.next_cut(&data[begin..arrived], scanned, arrived == data.len()) {
            Cut::At(length) => {
                cuts.push(length);
                begin += length;
                scanned = 0;
            }
            Cut::NeedMore { scanned: so_far } => {
                assert!(arrived < data.len() && so_far <= arrived - begin);
                scanned = so_far;
                arrived = (arrived + piece()).min(data.len());
            }
        }
    }
    cuts
}

fn random(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        // Steele and others, "SplitMix": good enough to cut.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

/// Data in which runs of different kinds follow each other.
fn data(seed: u64, length: usize) -> Vec<u8> {
    let mut next = random(seed);
    let mut data = Vec::with_capacity(length);
    while data.len() < length {
        let run = (next() % (3 << 20)) as usize;
        let run = run.min(length - data.len());
        match next() % 6 {
            0 => data.resize(data.len() + run, 0),
            1 => data.resize(data.len() + run, next() as u8),
            2 => {
                let period = 1 + next() as usize % 200;
                let pattern: Vec<u8> = (0..period).map(|_| next() as u8).collect();
                data.extend(pattern.iter().cycle().take(run));
            }
            3 => data.extend((0..run).map(|_| next() as u8 & 1)),
            _ => data.extend((0..run).map(|_| next() as u8)),
        }
    }
    data
}

fn polynomial(seed: u64) -> Polynomial {
    let mut next = random(seed);
    std::iter::repeat_with(|| Polynomial::new(1 << 53 | next() >> 11 | 1))
        .find_map(Result::ok)
        .unwrap()
}

#[test]
fn zeros_are_cut_at_the_minimum_and_data_without_cuts_at_the_maximum() {
    let polynomial = polynomial(7);
    let chunker = Chunker::new(polynomial);
    let zeros = vec![0; 3 * CHUNK_MIN + 5];
    assert_eq!(
        cuts(&chunker, &zeros, || 1 << 20),
        [CHUNK_MIN, CHUNK_MIN, CHUNK_MIN, 5]
    );
    let ones = vec![1; 2 * CHUNK_MAX + 1];
    let found = cuts(&chunker, &ones, || 1 << 20);
    assert_eq!(found, reference(polynomial, &ones));
    assert_eq!(found, [CHUNK_MAX, CHUNK_MAX, 1]);
}

#[test]
fn short_input_is_one_blob() {
    let chunker = Chunker::new(polynomial(3));
    for length in [0, 1, 63, 64, 65, CHUNK_MIN - 1] {
        let data = vec![7; length];
        assert_eq!(chunker.next_cut(&data, 0, true), Cut::At(length));
        assert_eq!(
            chunker.next_cut(&data, 0, false),
            Cut::NeedMore { scanned: length }
        );
        assert_eq!(chunker.next_cut(&data, usize::MAX, true), Cut::At(length));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// A wrong cut stores everything anew that another program has stored, and no longer deduplicates.
    #[test]
    fn cuts_are_those_of_the_definition_however_the_data_arrives(seed: u64, length in 0_usize..12 << 20, piece in 1_u32..22) {
        let (polynomial, data) = (polynomial(seed), data(!seed, length));
        let expected = reference(polynomial, &data);
        for path in CodePath::ALL {
            let chunker = Chunker::on_path(polynomial, path);
            prop_assert_eq!(&cuts(&chunker, &data, || usize::MAX), &expected, "{:?}", path);
            let mut next = random(seed ^ 1);
            // Pieces of a few bytes up to megabytes; tiny ones only for a while, since each is a call.
            let mut calls = 0;
            let pieces = || { calls += 1; if calls < 2000 { 1 + next() as usize % (1 << piece) } else { 1 << 20 } };
            prop_assert_eq!(&cuts(&chunker, &data, pieces), &expected, "{:?}", path);
        }
    }
}
