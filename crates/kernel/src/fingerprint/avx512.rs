//! Carry-less products of 512 bits: 64 positions a step.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::convolution::{Constants, Edges};
use super::tables::Tables;
use super::{Found, WINDOW};
use crate::x86::load_512;

/// The constants, on a processor that has the instructions: a value of this type shows that it does.
#[derive(Debug)]
pub(super) struct Avx512(Constants);

impl Avx512 {
    pub(super) fn is_available() -> bool {
        is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("vpclmulqdq")
            && is_x86_feature_detected!("gfni")
    }

    pub(super) fn new(constants: Constants) -> Option<Self> {
        Self::is_available().then_some(Self(constants))
    }

    /// Tests 64 positions for each 64 bytes behind the first 64 of `data`; the first position is that behind these.
    pub(super) fn blocks(&self, data: &[u8], tables: &Tables) -> Found {
        // SAFETY: `new` has seen that the processor has these instructions.
        unsafe { blocks(&self.0, data, tables) }
    }
}

/// Two byte-wise corrections, to be added to a product.
#[derive(Clone, Copy)]
struct EdgeMatrices {
    newer: __m512i,
    older: __m512i,
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,vpclmulqdq,gfni")]
fn blocks(constants: &Constants, data: &[u8], tables: &Tables) -> Found {
    let (all, _) = data.as_chunks::<WINDOW>();
    let Some((window, rest)) = all.split_first() else {
        return Found::NoneIn(0);
    };
    let newest_lowest = reversal();
    let load = |block| _mm512_permutexvar_epi8(newest_lowest, load_512(block));
    let factor = broadcast(&constants.factor);
    let (lower, upper) = (matrices(constants.lower), matrices(constants.upper));
    let zero = _mm512_setzero_si512();

    let mut older = load(window);
    let mut older_odd = odd_products(shifted(zero, older), factor);
    // Whether bits 8 to 15 of the position before are zero is not known of the first position: it is not ruled out.
    let mut from_before = 1 << 63;
    for (index, block) in rest.iter().enumerate() {
        let x = load(block);
        let shifts = shifted(older, x);
        let odd = odd_products(shifts, factor);
        let even = even_products(shifts, older, factor);
        let product = _mm512_xor_si512(even, _mm512_alignr_epi64::<1>(older_odd, odd));
        let conditions_0_to_7 = corrected(product, lower, x, older);
        let conditions_8_to_15 = corrected(product, upper, x, older);
        // Bit 63 is the first position.
        let lower_zero = _mm512_testn_epi8_mask(conditions_0_to_7, conditions_0_to_7);
        let upper_zero = _mm512_testn_epi8_mask(conditions_8_to_15, conditions_8_to_15);
        let left = lower_zero & (upper_zero >> 1 | from_before);
        if left != 0
            && let Some(at) = tables.first_cut(data.get(64 * index..), left.reverse_bits())
        {
            return Found::Cut(64 * index + at);
        }
        from_before = upper_zero << 63;
        (older, older_odd) = (x, odd);
    }
    Found::NoneIn(64 * rest.len())
}

/// The index vector that turns 64 bytes around.
#[inline]
#[target_feature(enable = "avx512f")]
fn reversal() -> __m512i {
    load_512(&std::array::from_fn(|at| 63 - at as u8))
}

/// `K` in four vectors, each with 128 bits of it in all lanes.
#[inline]
#[target_feature(enable = "avx512f")]
fn broadcast(factor: &[u64; 8]) -> [__m512i; 4] {
    let part = |at: usize| {
        let (low, high) = (factor[2 * at] as i64, factor[2 * at + 1] as i64);
        _mm512_broadcast_i32x4(_mm_set_epi64x(high, low))
    };
    [part(0), part(1), part(2), part(3)]
}

#[inline]
#[target_feature(enable = "avx512f")]
fn matrices(edges: Edges) -> EdgeMatrices {
    EdgeMatrices {
        newer: _mm512_set1_epi64(edges.newer.0 as i64),
        older: _mm512_set1_epi64(edges.older.0 as i64),
    }
}

/// The data that lies 0, 16, 32 and 48 bytes before the newest 64.
#[inline]
#[target_feature(enable = "avx512f")]
fn shifted(older: __m512i, newer: __m512i) -> [__m512i; 4] {
    [
        newer,
        _mm512_alignr_epi64::<2>(older, newer),
        _mm512_alignr_epi64::<4>(older, newer),
        _mm512_alignr_epi64::<6>(older, newer),
    ]
}

/// Products of two lower and of two upper halves of lanes, which lie in whole lanes of the result. A lane of data `d` lanes before the
/// result's meets the lane `4 - d` of `K` with its lower half, and `3 - d` with the upper.
#[inline]
#[target_feature(enable = "avx512f,vpclmulqdq")]
fn even_products(x: [__m512i; 4], older: __m512i, k: [__m512i; 4]) -> __m512i {
    let first = xor3(
        _mm512_clmulepi64_epi128::<0x00>(x[1], k[3]),
        _mm512_clmulepi64_epi128::<0x00>(x[2], k[2]),
        _mm512_clmulepi64_epi128::<0x00>(x[3], k[1]),
    );
    let second = xor3(
        _mm512_clmulepi64_epi128::<0x00>(older, k[0]),
        _mm512_clmulepi64_epi128::<0x11>(x[0], k[3]),
        _mm512_clmulepi64_epi128::<0x11>(x[1], k[2]),
    );
    let third = _mm512_xor_si512(
        _mm512_clmulepi64_epi128::<0x11>(x[2], k[1]),
        _mm512_clmulepi64_epi128::<0x11>(x[3], k[0]),
    );
    xor3(first, second, third)
}

/// Products of a lower and an upper half, which lie half a lane higher than the lanes of this result.
#[inline]
#[target_feature(enable = "avx512f,vpclmulqdq")]
fn odd_products(x: [__m512i; 4], k: [__m512i; 4]) -> __m512i {
    let first = xor3(
        _mm512_clmulepi64_epi128::<0x01>(x[0], k[3]),
        _mm512_clmulepi64_epi128::<0x01>(x[1], k[2]),
        _mm512_clmulepi64_epi128::<0x01>(x[2], k[1]),
    );
    let second = xor3(
        _mm512_clmulepi64_epi128::<0x01>(x[3], k[0]),
        _mm512_clmulepi64_epi128::<0x10>(x[0], k[3]),
        _mm512_clmulepi64_epi128::<0x10>(x[1], k[2]),
    );
    let third = _mm512_xor_si512(
        _mm512_clmulepi64_epi128::<0x10>(x[2], k[1]),
        _mm512_clmulepi64_epi128::<0x10>(x[3], k[0]),
    );
    xor3(first, second, third)
}

#[inline]
#[target_feature(enable = "avx512f,gfni")]
fn corrected(product: __m512i, edges: EdgeMatrices, newer: __m512i, older: __m512i) -> __m512i {
    xor3(
        product,
        _mm512_gf2p8affine_epi64_epi8::<0>(newer, edges.newer),
        _mm512_gf2p8affine_epi64_epi8::<0>(older, edges.older),
    )
}

#[inline]
#[target_feature(enable = "avx512f")]
fn xor3(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    // The truth table of three XORs.
    _mm512_ternarylogic_epi64::<0x96>(a, b, c)
}
