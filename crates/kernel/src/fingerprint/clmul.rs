//! Carry-less products of 128 bits, which x86-64 processors have had since 2010: 16 positions a step.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::Found;
use super::convolution::{Constants, Edges, Matrix};
use super::tables::Tables;
use crate::x86::load_128;

/// Bytes of a vector.
const STEP: usize = 16;

/// The constants, on a processor that has the instructions: a value of this type shows that it does.
#[derive(Debug)]
pub(super) struct Clmul(Constants);

impl Clmul {
    pub(super) fn new(constants: Constants) -> Option<Self> {
        let is_available =
            is_x86_feature_detected!("pclmulqdq") && is_x86_feature_detected!("avx2");
        is_available.then_some(Self(constants))
    }

    /// Tests 16 positions for each 16 bytes behind the first 64 of `data`; the first position is that behind these.
    pub(super) fn blocks(&self, data: &[u8], tables: &Tables) -> Found {
        // SAFETY: `new` has seen that the processor has these instructions.
        unsafe { blocks(&self.0, data, tables) }
    }
}

#[target_feature(enable = "pclmulqdq,avx2")]
fn blocks(constants: &Constants, data: &[u8], tables: &Tables) -> Found {
    let (all, _) = data.as_chunks::<STEP>();
    let Some(([oldest, old, new, newest], rest)) = all.split_first_chunk::<4>() else {
        return Found::NoneIn(0);
    };
    let newest_lowest = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    let load = |block| _mm_shuffle_epi8(load_128(block), newest_lowest);
    let factor = lanes(&constants.factor);
    let (lower, upper) = (tables_of(constants.lower), tables_of(constants.upper));

    // The last 64 bytes, the newest first.
    let mut x = [load(newest), load(new), load(old), load(oldest)];
    let mut older_odd = odd_products(x, factor);
    // Whether bits 8 to 15 of the position before are zero is not known of the first position: it is not ruled out.
    let mut from_before = 1 << 15;
    for (index, block) in rest.iter().enumerate() {
        let older = x[3];
        x = [load(block), x[0], x[1], x[2]];
        let odd = odd_products(x, factor);
        let even = even_products(x, older, factor);
        let product = _mm_xor_si128(even, _mm_alignr_epi8::<8>(older_odd, odd));
        let (newer, old) = (nibbles(x[0]), nibbles(older));
        // Bit 15 is the first position.
        let lower_zero = zero_bytes(corrected(product, &lower, newer, old));
        let upper_zero = zero_bytes(corrected(product, &upper, newer, old));
        let left = lower_zero & (upper_zero >> 1 | from_before);
        if left != 0 {
            let positions = u64::from((left as u16).reverse_bits());
            if let Some(at) = tables.first_cut(data.get(STEP * index..), positions) {
                return Found::Cut(STEP * index + at);
            }
        }
        from_before = (upper_zero & 1) << 15;
        older_odd = odd;
    }
    Found::NoneIn(STEP * rest.len())
}

/// `K` in four vectors.
#[inline]
#[target_feature(enable = "avx2")]
fn lanes(factor: &[u64; 8]) -> [__m128i; 4] {
    let part = |at: usize| _mm_set_epi64x(factor[2 * at + 1] as i64, factor[2 * at] as i64);
    [part(0), part(1), part(2), part(3)]
}

/// Images of the 16 lower and of the 16 upper halves of a byte.
#[derive(Clone, Copy)]
struct HalfTables {
    low: __m128i,
    high: __m128i,
}

#[derive(Clone, Copy)]
struct EdgeTables {
    newer: HalfTables,
    older: HalfTables,
}

#[inline]
#[target_feature(enable = "avx2")]
fn tables_of(edges: Edges) -> EdgeTables {
    let halves = |matrix: Matrix| HalfTables {
        low: load_128(&std::array::from_fn(|half| matrix.apply(half as u8))),
        high: load_128(&std::array::from_fn(|half| matrix.apply((half as u8) << 4))),
    };
    EdgeTables {
        newer: halves(edges.newer),
        older: halves(edges.older),
    }
}

/// Bytes split into their lower and upper halves.
#[derive(Clone, Copy)]
struct Halves {
    low: __m128i,
    high: __m128i,
}

#[inline]
#[target_feature(enable = "avx2")]
fn nibbles(x: __m128i) -> Halves {
    let four_bits = _mm_set1_epi8(15);
    Halves {
        low: _mm_and_si128(x, four_bits),
        high: _mm_and_si128(_mm_srli_epi16::<4>(x), four_bits),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn image(tables: HalfTables, x: Halves) -> __m128i {
    _mm_xor_si128(
        _mm_shuffle_epi8(tables.low, x.low),
        _mm_shuffle_epi8(tables.high, x.high),
    )
}

#[inline]
#[target_feature(enable = "avx2")]
fn corrected(product: __m128i, edges: &EdgeTables, newer: Halves, older: Halves) -> __m128i {
    let correction = _mm_xor_si128(image(edges.newer, newer), image(edges.older, older));
    _mm_xor_si128(product, correction)
}

#[inline]
#[target_feature(enable = "avx2")]
fn zero_bytes(x: __m128i) -> u32 {
    _mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_setzero_si128())) as u32
}

/// Products of two lower and of two upper halves, which lie in whole lanes of the result: see the path for 512 bits.
#[inline]
#[target_feature(enable = "pclmulqdq,avx2")]
fn even_products(x: [__m128i; 4], older: __m128i, k: [__m128i; 4]) -> __m128i {
    let lower = xor4([
        _mm_clmulepi64_si128::<0x00>(x[1], k[3]),
        _mm_clmulepi64_si128::<0x00>(x[2], k[2]),
        _mm_clmulepi64_si128::<0x00>(x[3], k[1]),
        _mm_clmulepi64_si128::<0x00>(older, k[0]),
    ]);
    let upper = xor4([
        _mm_clmulepi64_si128::<0x11>(x[0], k[3]),
        _mm_clmulepi64_si128::<0x11>(x[1], k[2]),
        _mm_clmulepi64_si128::<0x11>(x[2], k[1]),
        _mm_clmulepi64_si128::<0x11>(x[3], k[0]),
    ]);
    _mm_xor_si128(lower, upper)
}

/// Products of a lower and an upper half, which lie half a lane higher than the lanes of this result.
#[inline]
#[target_feature(enable = "pclmulqdq,avx2")]
fn odd_products(x: [__m128i; 4], k: [__m128i; 4]) -> __m128i {
    let first = xor4([
        _mm_clmulepi64_si128::<0x01>(x[0], k[3]),
        _mm_clmulepi64_si128::<0x01>(x[1], k[2]),
        _mm_clmulepi64_si128::<0x01>(x[2], k[1]),
        _mm_clmulepi64_si128::<0x01>(x[3], k[0]),
    ]);
    let second = xor4([
        _mm_clmulepi64_si128::<0x10>(x[0], k[3]),
        _mm_clmulepi64_si128::<0x10>(x[1], k[2]),
        _mm_clmulepi64_si128::<0x10>(x[2], k[1]),
        _mm_clmulepi64_si128::<0x10>(x[3], k[0]),
    ]);
    _mm_xor_si128(first, second)
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor4(x: [__m128i; 4]) -> __m128i {
    _mm_xor_si128(_mm_xor_si128(x[0], x[1]), _mm_xor_si128(x[2], x[3]))
}
