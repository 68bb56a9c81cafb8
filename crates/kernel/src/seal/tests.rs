//! Every path against the crates `aes`, `ctr` and `poly1305`, called as plainly as can be. A wrong key stream would be noticed only when
//! the data is needed.

use aes::Aes256;
use aes::cipher::{KeyIvInit, StreamCipher};
use poly1305::Poly1305;
use proptest::prelude::*;

use super::*;

struct Parts {
    encrypt: [u8; 32],
    mac_k: [u8; 16],
    mac_r: [u8; 16],
}

impl Parts {
    fn of(seed: u64) -> Self {
        let bytes: [u8; 64] = bytes_of(seed, 64).try_into().unwrap();
        Self {
            encrypt: bytes[..32].try_into().unwrap(),
            mac_k: bytes[32..48].try_into().unwrap(),
            mac_r: bytes[48..].try_into().unwrap(),
        }
    }

    fn keys(&self) -> Vec<SealKey> {
        CodePath::ALL
            .iter()
            .map(|path| SealKey::on_path(*path, &self.encrypt, &self.mac_k, &self.mac_r))
            .collect()
    }

    fn ciphertext(&self, iv: &[u8; 16], plain: &[u8]) -> Vec<u8> {
        let mut data = plain.to_vec();
        ctr::Ctr128BE::<Aes256>::new(&self.encrypt.into(), iv.into()).apply_keystream(&mut data);
        data
    }

    fn mac(&self, iv: &[u8; 16], ciphertext: &[u8]) -> [u8; 16] {
        let mut nonce = (*iv).into();
        Aes128::new(&self.mac_k.into()).encrypt_block(&mut nonce);
        let one_time: [u8; 32] = [self.mac_r, nonce.into()].concat().try_into().unwrap();
        Poly1305::new(&one_time.into())
            .compute_unpadded(ciphertext)
            .into()
    }

    #[track_caller]
    fn all_paths_agree(&self, iv: &[u8; 16], plain: &[u8]) {
        let ciphertext = self.ciphertext(iv, plain);
        let mac = self.mac(iv, &ciphertext);
        let sealed = [&b"before"[..], &ciphertext, &mac].concat();
        for (key, path) in self.keys().iter().zip(CodePath::ALL) {
            let length = plain.len();
            let mut out = b"before".to_vec();
            key.seal(iv, plain, &mut out);
            assert!(out == sealed, "{path:?} seals {length} bytes");
            assert_eq!(key.mac(iv, &ciphertext), mac, "{path:?}, {length} bytes");
            let mut back = b"before".to_vec();
            key.decrypt(iv, &ciphertext, &mut back);
            assert!(&back[6..] == plain, "{path:?} decrypts {length} bytes");
            let mut back = ciphertext.clone();
            key.apply_keystream(iv, &mut back);
            assert!(back == plain, "{path:?}, {length} bytes in place");
        }
    }
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

#[test]
fn the_widest_path_is_taken_on_this_machine() {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("vaes") && is_x86_feature_detected!("avx512ifma") {
        let key = &Parts::of(1).keys()[2];
        assert!(matches!(key.way, Way::Wide(_)));
    }
}

#[test]
fn every_length_up_to_some_groups_and_around_tiles() {
    let parts = Parts::of(7);
    let data = bytes_of(8, 5 * TILE + 600);
    let around = |length: usize| length - 2..length + 3;
    let lengths = (0..1100).chain((1100..4200).step_by(61)).chain(
        [TILE - 128, TILE, 2 * TILE, 5 * TILE + 512]
            .map(around)
            .into_iter()
            .flatten(),
    );
    for length in lengths {
        let iv = (length as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        parts.all_paths_agree(&iv.to_be_bytes(), &data[length % 64..][..length]);
    }
}

#[test]
fn the_counter_carries_through_all_128_bits() {
    let parts = Parts::of(9);
    let data = bytes_of(10, 2 * TILE + 700);
    for blocks_before in (0..70).chain([500, 511, 512, 513, 1000, 1050]) {
        for end in [
            u128::MAX,
            u128::from(u64::MAX),
            u128::from(u32::MAX),
            7 << 64 | u128::from(u64::MAX),
        ] {
            let iv = end.wrapping_sub(blocks_before).to_be_bytes();
            parts.all_paths_agree(&iv, &data);
        }
    }
}

/// Numbers at the edges of the field and of the limbs.
#[test]
fn sums_that_carry_everywhere() {
    let edges = [0x00, 0x01, 0x80, 0xfb, 0xfc, 0xff];
    for r in edges {
        for byte in edges {
            let parts = Parts {
                mac_r: [r; 16],
                ..Parts::of(u64::from(byte))
            };
            for length in [1, 15, 16, 17, 127, 128, 129, 256, 1000, 4096, 20_000] {
                let data = vec![byte; length];
                let iv = [byte; 16];
                let expected = parts.mac(&iv, &data);
                for key in parts.keys() {
                    assert_eq!(key.mac(&iv, &data), expected, "{r:x}, {length} of {byte:x}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn any_key_iv_and_data(seed: u64, iv: [u8; 16], length in 0_usize..40_000) {
        Parts::of(seed).all_paths_agree(&iv, &bytes_of(!seed, length));
    }

    /// Long runs of set bits make the longest carries.
    #[test]
    fn data_of_few_kinds_of_bytes(seed: u64, kinds in proptest::collection::vec(0_usize..6, 1..600)) {
        let parts = Parts::of(seed);
        let data: Vec<u8> = kinds.iter().flat_map(|kind| [[0, 1, 0xfb, 0xff, 0xff, 0xfe][*kind]; 8]).collect();
        let expected = parts.mac(&[1; 16], &data);
        for key in parts.keys() {
            prop_assert_eq!(key.mac(&[1; 16], &data), expected);
        }
    }
}
