//! Sixteen messages, one in each 32-bit lane of 512-bit vectors.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::Block;
use super::constants::ROUND;
use super::schedule::Lanes;
use crate::x86::{load_512, load_words, store_words};

/// With fewer busy lanes than this, two messages side by side with the processor's SHA instructions are faster: measured 0.24 GB/s a lane
/// against 2.6 (docs/performance.md).
pub(super) const FEWEST: usize = 11;

/// Word by word of the state, one lane a message. A value of this type shows that the processor has the instructions.
pub(super) struct Lanes16([[u32; 16]; 8]);

impl Lanes16 {
    pub(super) fn new() -> Option<Self> {
        let is_available =
            is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
        is_available.then_some(Self([[0; 16]; 8]))
    }
}

impl Lanes<16> for Lanes16 {
    fn put(&mut self, lane: usize, state: &[u32; 8]) {
        for (words, word) in self.0.iter_mut().zip(state) {
            words[lane] = *word;
        }
    }

    fn get(&self, lane: usize) -> [u32; 8] {
        self.0.map(|words| words[lane])
    }

    fn compress(&mut self, blocks: [&[Block]; 16], count: usize) {
        // SAFETY: `new` has seen that the processor has these instructions.
        unsafe { compress(&mut self.0, blocks, count) }
    }
}

#[target_feature(enable = "avx512f,avx512bw")]
fn compress(states: &mut [[u32; 16]; 8], blocks: [&[Block]; 16], count: usize) {
    let mut state = states.each_ref().map(|words| load_words(words));
    for at in 0..count {
        let before = state;
        let mut words = message_words(blocks, at);
        rounds_16::<0>(&mut state, &mut words);
        rounds_16::<1>(&mut state, &mut words);
        rounds_16::<2>(&mut state, &mut words);
        rounds_16::<3>(&mut state, &mut words);
        for (word, before) in state.iter_mut().zip(before) {
            *word = _mm512_add_epi32(*word, before);
        }
    }
    for (words, vector) in states.iter_mut().zip(state) {
        store_words(words, vector);
    }
}

/// Sixteen rounds, and the message words of the next sixteen. Written out, so that all of it stays in registers.
#[inline]
#[target_feature(enable = "avx512f")]
fn rounds_16<const QUARTER: usize>(state: &mut [__m512i; 8], words: &mut [__m512i; 16]) {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    macro_rules! rounds {
        ($($at:literal)*) => {$(
            let constant = _mm512_set1_epi32(ROUND[16 * QUARTER + $at] as i32);
            let sum = xor3(
                _mm512_ror_epi32::<6>(e),
                _mm512_ror_epi32::<11>(e),
                _mm512_ror_epi32::<25>(e),
            );
            // Truth tables: f where e is set and g elsewhere; what two of three are.
            let choice = _mm512_ternarylogic_epi32::<0xca>(e, f, g);
            let word = _mm512_add_epi32(words[$at], constant);
            let first = _mm512_add_epi32(_mm512_add_epi32(h, word), _mm512_add_epi32(sum, choice));
            let sum = xor3(
                _mm512_ror_epi32::<2>(a),
                _mm512_ror_epi32::<13>(a),
                _mm512_ror_epi32::<22>(a),
            );
            let majority = _mm512_ternarylogic_epi32::<0xe8>(a, b, c);
            let second = _mm512_add_epi32(sum, majority);
            (h, g, f, e) = (g, f, e, _mm512_add_epi32(d, first));
            (d, c, b, a) = (c, b, a, _mm512_add_epi32(first, second));
            if QUARTER < 3 {
                words[$at] = next_word(words, $at);
            }
        )*};
    }
    rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    *state = [a, b, c, d, e, f, g, h];
}

/// The message word 16 places on.
#[inline]
#[target_feature(enable = "avx512f")]
fn next_word(words: &[__m512i; 16], at: usize) -> __m512i {
    let early = words[(at + 1) % 16];
    let late = words[(at + 14) % 16];
    let early = xor3(
        _mm512_ror_epi32::<7>(early),
        _mm512_ror_epi32::<18>(early),
        _mm512_srli_epi32::<3>(early),
    );
    let late = xor3(
        _mm512_ror_epi32::<17>(late),
        _mm512_ror_epi32::<19>(late),
        _mm512_srli_epi32::<10>(late),
    );
    _mm512_add_epi32(
        _mm512_add_epi32(words[at], early),
        _mm512_add_epi32(words[(at + 9) % 16], late),
    )
}

#[inline]
#[target_feature(enable = "avx512f")]
fn xor3(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    // The truth table of three XORs.
    _mm512_ternarylogic_epi32::<0x96>(a, b, c)
}

/// The 16 words of one block of each message: word by word, one lane a message.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn message_words(blocks: [&[Block]; 16], at: usize) -> [__m512i; 16] {
    let big_endian = _mm512_broadcast_i32x4(_mm_set_epi8(
        12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3,
    ));
    let rows = blocks.map(|blocks| _mm512_shuffle_epi8(load_512(&blocks[at]), big_endian));
    transposed(rows)
}

/// Rows become columns: pairs of words within quarters of vectors first, then the quarters.
#[inline]
#[target_feature(enable = "avx512f")]
fn transposed(rows: [__m512i; 16]) -> [__m512i; 16] {
    let mut pairs = rows;
    for (pair, row) in pairs
        .as_chunks_mut::<2>()
        .0
        .iter_mut()
        .zip(rows.as_chunks::<2>().0)
    {
        *pair = [
            _mm512_unpacklo_epi32(row[0], row[1]),
            _mm512_unpackhi_epi32(row[0], row[1]),
        ];
    }
    // Behind this, vector 4i+j has word j of its quarters, of the messages 4i to 4i+3.
    let mut fours = pairs;
    for (four, pair) in fours
        .as_chunks_mut::<4>()
        .0
        .iter_mut()
        .zip(pairs.as_chunks::<4>().0)
    {
        *four = [
            _mm512_unpacklo_epi64(pair[0], pair[2]),
            _mm512_unpackhi_epi64(pair[0], pair[2]),
            _mm512_unpacklo_epi64(pair[1], pair[3]),
            _mm512_unpackhi_epi64(pair[1], pair[3]),
        ];
    }
    let mut columns = fours;
    for word in 0..4 {
        let [a, b, c, d] = [0, 4, 8, 12].map(|group| fours[group + word]);
        let (even_ab, odd_ab) = (
            _mm512_shuffle_i32x4::<0x88>(a, b),
            _mm512_shuffle_i32x4::<0xdd>(a, b),
        );
        let (even_cd, odd_cd) = (
            _mm512_shuffle_i32x4::<0x88>(c, d),
            _mm512_shuffle_i32x4::<0xdd>(c, d),
        );
        columns[word] = _mm512_shuffle_i32x4::<0x88>(even_ab, even_cd);
        columns[word + 4] = _mm512_shuffle_i32x4::<0x88>(odd_ab, odd_cd);
        columns[word + 8] = _mm512_shuffle_i32x4::<0xdd>(even_ab, even_cd);
        columns[word + 12] = _mm512_shuffle_i32x4::<0xdd>(odd_ab, odd_cd);
    }
    columns
}
