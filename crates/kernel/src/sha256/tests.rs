//! Every path against the crate `sha2`. A wrong hash would store a blob under a name under which nobody finds it.

use proptest::prelude::*;
use sha2::Digest;

use super::*;

fn expected(message: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(message).into()
}

fn bytes_of(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

#[track_caller]
fn all_paths_agree(messages: &[&[u8]]) {
    let wanted: Vec<[u8; 32]> = messages.iter().map(|message| expected(message)).collect();
    for path in CodePath::ALL {
        let hashes = sha256_many_on(path, messages);
        assert!(hashes == wanted, "{path:?}, {} messages", messages.len());
    }
}

#[test]
fn the_examples_of_the_standard() {
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let hex = |digest: [u8; 32]| digest.map(|byte| format!("{byte:02x}")).concat();
    for path in CodePath::ALL {
        for count in [1, 2, 3, 16, 17] {
            for digest in sha256_many_on(path, &vec![&b"abc"[..]; count]) {
                assert_eq!(hex(digest), abc);
            }
        }
    }
    assert!(sha256_many(&[]).is_empty());
}

#[test]
fn messages_of_every_length_around_a_block_in_every_number() {
    let data = bytes_of(3, 40 * 200);
    for count in 1..40 {
        let messages: Vec<&[u8]> = (0..count).map(|at| &data[at * 200..][..at * 5]).collect();
        all_paths_agree(&messages);
    }
    let messages: Vec<&[u8]> = (0..300).map(|length| &data[length..2 * length]).collect();
    all_paths_agree(&messages);
}

#[test]
fn a_message_that_is_much_longer_than_the_others() {
    let data = bytes_of(4, 1 << 20);
    for (long, short, count) in [(1 << 20, 100, 30), (1 << 20, 4096, 5), (1 << 19, 0, 16)] {
        let mut messages = vec![&data[..short]; count];
        messages.insert(count / 2, &data[..long]);
        all_paths_agree(&messages);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn messages_of_any_lengths(lengths in proptest::collection::vec(0_usize..3000, 0..60), seed: u64) {
        let data = bytes_of(seed, 3100);
        let messages: Vec<&[u8]> = lengths.iter().map(|length| &data[length % 77..][..*length]).collect();
        all_paths_agree(&messages);
    }

    /// As a check reads a pack: its hash goes on while those of its blobs are computed.
    #[test]
    fn a_hash_that_goes_on_beside_whole_messages(
        turns in proptest::collection::vec((0_usize..3000, proptest::collection::vec(0_usize..900, 0..20)), 0..9),
        seed: u64,
    ) {
        let data = bytes_of(seed, 3000);
        for path in CodePath::ALL {
            let (mut hash, mut whole) = (Sha256::new(), Vec::new());
            for (length, messages) in &turns {
                let messages: Vec<&[u8]> = messages.iter().map(|length| &data[3000 - length..]).collect();
                let digests = hash.update_beside_on(path, &data[..*length], &messages);
                whole.extend_from_slice(&data[..*length]);
                let wanted: Vec<_> = messages.iter().map(|message| expected(message)).collect();
                prop_assert!(digests == wanted, "{path:?}");
            }
            prop_assert_eq!(hash.finish(), expected(&whole));
        }
    }

    /// As the packs of a backup: each gets its blobs one after the other, all at the same time.
    #[test]
    fn hashes_of_pieces_are_those_of_the_whole(
        turns in proptest::collection::vec(proptest::collection::vec(0_usize..400, 20), 0..12),
        seed: u64,
    ) {
        let data = bytes_of(seed, 400);
        for path in CodePath::ALL {
            let mut hashes = vec![Sha256::new(); 20];
            let mut alone = hashes.clone();
            let mut whole = vec![Vec::new(); 20];
            for lengths in &turns {
                let mut pieces: Vec<(&mut Sha256, &[u8])> =
                    hashes.iter_mut().zip(lengths.iter().map(|length| &data[..*length])).collect();
                Sha256::update_many_on(path, &mut pieces);
                for (at, length) in lengths.iter().enumerate() {
                    alone[at].update(&data[..*length]);
                    whole[at].extend_from_slice(&data[..*length]);
                }
            }
            for ((hash, alone), whole) in hashes.into_iter().zip(alone).zip(&whole) {
                prop_assert_eq!(hash.finish(), expected(whole));
                prop_assert_eq!(alone.finish(), expected(whole));
            }
        }
    }
}
