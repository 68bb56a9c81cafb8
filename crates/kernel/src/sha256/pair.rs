//! Two messages side by side with the processor's SHA instructions, each of which waits for the one before of its own message.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::Block;
use super::constants::ROUND;
use super::schedule::Lanes;
use crate::x86::{load_4_words, load_128, store_4_words};

/// Messages side by side.
pub(super) const MESSAGES: usize = 2;

/// A value of this type shows that the processor has the instructions.
pub(super) struct Pair([[u32; 8]; MESSAGES]);

impl Pair {
    pub(super) fn new() -> Option<Self> {
        let is_available = is_x86_feature_detected!("sha")
            && is_x86_feature_detected!("sse4.1")
            && is_x86_feature_detected!("ssse3");
        is_available.then_some(Self([[0; 8]; MESSAGES]))
    }
}

impl Lanes<MESSAGES> for Pair {
    fn put(&mut self, lane: usize, state: &[u32; 8]) {
        self.0[lane] = *state;
    }

    fn get(&self, lane: usize) -> [u32; 8] {
        self.0[lane]
    }

    fn compress(&mut self, blocks: [&[Block]; MESSAGES], count: usize) {
        // SAFETY: `new` has seen that the processor has these instructions.
        unsafe { compress(&mut self.0, blocks, count) }
    }
}

/// The state in the order of the instructions: the words a, b, e, f and c, d, g, h, the first one highest.
#[derive(Clone, Copy)]
struct State {
    abef: __m128i,
    cdgh: __m128i,
}

#[target_feature(enable = "sha,sse4.1,ssse3")]
fn compress<const N: usize>(states: &mut [[u32; 8]; N], blocks: [&[Block]; N], count: usize) {
    let mut state = states.each_ref().map(|words| load_state(words));
    for at in 0..count {
        let before = state;
        let mut words = blocks.map(|blocks| message_words(&blocks[at]));
        for group in 0..16 {
            let constants = load_4_words(&ROUND.as_chunks().0[group]);
            for lane in 0..N {
                rounds_4(&mut state[lane], &mut words[lane], group, constants);
            }
        }
        for (state, before) in state.iter_mut().zip(before) {
            state.abef = _mm_add_epi32(state.abef, before.abef);
            state.cdgh = _mm_add_epi32(state.cdgh, before.cdgh);
        }
    }
    for (words, state) in states.iter_mut().zip(state) {
        store_state(words, state);
    }
}

/// Four rounds. From the fifth group on it makes their message words first.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn rounds_4(state: &mut State, words: &mut [__m128i; 4], group: usize, constants: __m128i) {
    let [oldest, old, new, newest] = [0, 1, 2, 3].map(|behind| words[(group + behind) % 4]);
    let mut current = oldest;
    if group >= 4 {
        let sum = _mm_add_epi32(
            _mm_sha256msg1_epu32(oldest, old),
            _mm_alignr_epi8::<4>(newest, new),
        );
        current = _mm_sha256msg2_epu32(sum, newest);
        words[group % 4] = current;
    }
    let word = _mm_add_epi32(current, constants);
    state.cdgh = _mm_sha256rnds2_epu32(state.cdgh, state.abef, word);
    let upper = _mm_shuffle_epi32::<0x0e>(word);
    state.abef = _mm_sha256rnds2_epu32(state.abef, state.cdgh, upper);
}

#[inline]
#[target_feature(enable = "ssse3")]
fn message_words(block: &Block) -> [__m128i; 4] {
    let big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    let quarters = block.as_chunks().0;
    [0, 1, 2, 3].map(|at| _mm_shuffle_epi8(load_128(&quarters[at]), big_endian))
}

#[inline]
#[target_feature(enable = "sse4.1,ssse3")]
fn load_state(words: &[u32; 8]) -> State {
    let [abcd, efgh] = [0, 1].map(|half| load_4_words(&words.as_chunks().0[half]));
    let badc = _mm_shuffle_epi32::<0xb1>(abcd);
    let hgfe = _mm_shuffle_epi32::<0x1b>(efgh);
    State {
        abef: _mm_alignr_epi8::<8>(badc, hgfe),
        cdgh: _mm_blend_epi16::<0xf0>(hgfe, badc),
    }
}

#[inline]
#[target_feature(enable = "sse4.1,ssse3")]
fn store_state(words: &mut [u32; 8], state: State) {
    let feba = _mm_shuffle_epi32::<0x1b>(state.abef);
    let dchg = _mm_shuffle_epi32::<0xb1>(state.cdgh);
    let [abcd, efgh] = words.as_chunks_mut().0 else {
        return;
    };
    store_4_words(abcd, _mm_blend_epi16::<0xf0>(feba, dchg));
    store_4_words(efgh, _mm_alignr_epi8::<8>(dchg, feba));
}
