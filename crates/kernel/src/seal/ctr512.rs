//! AES-256 in counter mode with 32 blocks in flight (VAES on 512 bits).
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use zeroize::{Zeroize, Zeroizing};

use crate::x86::{load_128, load_512, store_128, store_512};

/// Bytes that are encrypted at once.
const GROUP: usize = 512;

/// The round keys. A value of this type shows that the processor has the instructions.
#[derive(Clone)]
pub(super) struct Ctr512([[u8; 16]; 15]);

impl Drop for Ctr512 {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Ctr512 {
    pub(super) fn new(key: &[u8; 32]) -> Option<Self> {
        let is_available = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("vaes")
            && is_x86_feature_detected!("aes");
        if !is_available {
            return None;
        }
        // SAFETY: the processor has these instructions, as was just seen.
        Some(Self(unsafe { round_keys(key) }))
    }

    /// Adds the key stream that begins with this value of the counter.
    pub(super) fn apply_keystream(&self, counter: u128, data: &mut [u8]) {
        // SAFETY: `new` has seen that the processor has these instructions.
        unsafe { apply_keystream(&self.0, counter, data) }
    }
}

#[target_feature(enable = "avx512f,avx512bw,vaes")]
fn apply_keystream(round_keys: &[[u8; 16]; 15], mut counter: u128, data: &mut [u8]) {
    let keys = round_keys
        .each_ref()
        .map(|key| _mm512_broadcast_i32x4(load_128(key)));
    let (groups, rest) = data.as_chunks_mut::<GROUP>();
    for group in groups {
        encrypt(&keys, counter, group);
        counter = counter.wrapping_add((GROUP / 16) as u128);
    }
    if !rest.is_empty() {
        let mut group = Zeroizing::new([0; GROUP]);
        let (head, _) = group.split_at_mut(rest.len());
        head.copy_from_slice(rest);
        encrypt(&keys, counter, &mut group);
        let (head, _) = group.split_at(rest.len());
        rest.copy_from_slice(head);
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,vaes")]
fn encrypt(keys: &[__m512i; 15], counter: u128, group: &mut [u8; GROUP]) {
    let mut blocks = counters(counter).map(|block| _mm512_xor_si512(block, keys[0]));
    for key in &keys[1..14] {
        blocks = blocks.map(|block| _mm512_aesenc_epi128(block, *key));
    }
    for (block, data) in blocks.into_iter().zip(group.as_chunks_mut::<64>().0) {
        let stream = _mm512_aesenclast_epi128(block, keys[14]);
        let sum = _mm512_xor_si512(stream, load_512(data));
        store_512(data, sum);
    }
}

/// 32 values of the counter, from this one on, as big-endian bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn counters(first: u128) -> [__m512i; 8] {
    let big_endian = _mm512_broadcast_i32x4(_mm_set_epi8(
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    ));
    let (low, high) = (first as u64, (first >> 64) as u64);
    let carries = low > u64::MAX - 32;
    let mut next = _mm512_broadcast_i32x4(_mm_set_epi64x(high as i64, low as i64));
    next = _mm512_add_epi64(next, _mm512_set_epi64(0, 3, 0, 2, 0, 1, 0, 0));
    let four = _mm512_set_epi64(0, 4, 0, 4, 0, 4, 0, 4);
    let mut counters = [next; 8];
    for counter in &mut counters {
        *counter = _mm512_shuffle_epi8(next, big_endian);
        next = _mm512_add_epi64(next, four);
    }
    if carries {
        // The lower half of the counter runs over within these blocks, once in 2^64 of them. The IV is no secret.
        let mut bytes = [0; GROUP];
        for (at, block) in bytes.as_chunks_mut::<16>().0.iter_mut().enumerate() {
            *block = first.wrapping_add(at as u128).to_be_bytes();
        }
        for (counter, bytes) in counters.iter_mut().zip(bytes.as_chunks::<64>().0) {
            *counter = load_512(bytes);
        }
    }
    counters
}

/// The key schedule (FIPS 197, section 5.2).
#[target_feature(enable = "aes,sse2")]
fn round_keys(key: &[u8; 32]) -> [[u8; 16]; 15] {
    let [first, second] = [0, 1].map(|half| load_128(&key.as_chunks().0[half]));
    let mut keys = [first; 15];
    keys[1] = second;
    /// The next even key, with a round constant, and the odd one behind it.
    macro_rules! pair {
        ($at:literal, $constant:literal) => {
            let assist = _mm_aeskeygenassist_si128::<$constant>(keys[$at - 1]);
            keys[$at] = mixed(keys[$at - 2], _mm_shuffle_epi32::<0xff>(assist));
            {
                let assist = _mm_aeskeygenassist_si128::<0>(keys[$at]);
                keys[$at + 1] = mixed(keys[$at - 1], _mm_shuffle_epi32::<0xaa>(assist));
            }
        };
    }
    pair!(2, 0x01);
    pair!(4, 0x02);
    pair!(6, 0x04);
    pair!(8, 0x08);
    pair!(10, 0x10);
    pair!(12, 0x20);
    let assist = _mm_aeskeygenassist_si128::<0x40>(keys[13]);
    keys[14] = mixed(keys[12], _mm_shuffle_epi32::<0xff>(assist));
    let mut bytes = [[0; 16]; 15];
    for (bytes, key) in bytes.iter_mut().zip(keys) {
        store_128(bytes, key);
    }
    bytes
}

/// Each word is the sum of those of the old key up to its place, and of the new word.
#[inline]
#[target_feature(enable = "sse2")]
fn mixed(key: __m128i, word: __m128i) -> __m128i {
    let twice = _mm_xor_si128(key, _mm_slli_si128::<4>(key));
    let all = _mm_xor_si128(twice, _mm_slli_si128::<8>(twice));
    _mm_xor_si128(all, word)
}
