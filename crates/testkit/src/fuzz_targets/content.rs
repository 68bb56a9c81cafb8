//! Targets for what lies between a file and what it holds: compression, encryption, chunks.

use strongroom_kernel::{CodePath, FingerprintSearch, WINDOW};
use strongroom_repository::chunker::{CHUNK_MAX, CHUNK_MIN, Chunker, Cut, Polynomial};
use strongroom_repository::compression;

use super::format::known_key;

/// A zstd frame. The first two bytes are the length that the header of a pack claims.
pub(super) fn frame(input: &[u8]) {
    const LIMIT: u64 = 1 << 16;
    let Some((length, frame)) = input.split_first_chunk::<2>() else {
        return;
    };
    // A compressed blob is never empty.
    let claimed = usize::from(u16::from_le_bytes(*length)).max(1);
    let known = compression::decompress(frame, claimed);
    let unknown = compression::decompress_unknown(frame, LIMIT);
    if let Ok(content) = &known {
        assert_eq!(content.len(), claimed);
    }
    if let Ok(content) = &unknown {
        assert!(content.len() as u64 <= LIMIT);
        let known = compression::decompress(frame, content.len());
        // zstd has two decoders. A frame that no encoder makes may pass one and not the other, yet never with other content.
        assert!(content.is_empty() || known.is_err() || known.is_ok_and(|it| it == *content));
    }
}

/// Nothing opens that was not sealed with the key, and what was opens.
pub(super) fn sealed(input: &[u8]) {
    let key = known_key();
    if let Ok(plain) = key.open(input) {
        // The fuzzer cannot make a MAC; the corpus holds a right one.
        assert_eq!(
            plain.len() + strongroom_repository::crypto::OVERHEAD,
            input.len()
        );
    }
    let sealed = key.seal(input).unwrap();
    assert_eq!(key.open(&sealed).unwrap(), input);
    let mut flipped = sealed;
    let at = input.first().map_or(0, |byte| usize::from(*byte)) % flipped.len();
    flipped[at] ^= 1 << (at % 8);
    assert!(key.open(&flipped).is_err());
}

/// Cutting is the same however the content arrives and on every path, and the chunks are the content. The input is repeated to
/// fill chunks.
pub(super) fn chunks(input: &[u8]) {
    let Some((first, pattern)) = input.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return;
    };
    let length = CHUNK_MIN + usize::from(*first) * 1024;
    let data: Vec<u8> = pattern.iter().copied().cycle().take(length).collect();
    let polynomial: Polynomial = "3da3358b4dc173".parse().unwrap();
    let first_cuts = CodePath::ALL.map(|path| {
        let search = FingerprintSearch::on_path(polynomial.coefficients(), path);
        search.find(&data, WINDOW + usize::from(*first), 40_000)
    });
    assert_eq!(first_cuts, [first_cuts[0]; 3]);
    let chunker = Chunker::new(polynomial);
    let Cut::At(whole) = chunker.next_cut(&data, 0, true) else {
        panic!("no cut at the end of the input");
    };
    assert!(whole == data.len() || (CHUNK_MIN..=CHUNK_MAX).contains(&whole));
    let (mut scanned, mut end) = (0, CHUNK_MIN / 2);
    let in_pieces = loop {
        end = (end + 1 + usize::from(*first) * 997).min(data.len());
        match chunker.next_cut(&data[..end], scanned, end == data.len()) {
            Cut::At(cut) => break cut,
            Cut::NeedMore { scanned: so_far } => scanned = so_far,
        }
    };
    assert_eq!(in_pieces, whole);
}
