//! Carry-less products of two times 128 bits (VPCLMULQDQ without AVX-512): 32 positions a step.
//!
//! As in `clmul`, with two of its blocks in each vector, the newer one in the lower half.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::Found;
use super::convolution::{Constants, Edges, Matrix};
use super::tables::Tables;
use crate::x86::{load_128, load_256};

/// Bytes of a vector.
const STEP: usize = 32;

/// The constants, on a processor that has the instructions: a value of this type shows that it does.
#[derive(Debug)]
pub(super) struct Clmul256(Constants);

impl Clmul256 {
    pub(super) fn is_available() -> bool {
        is_x86_feature_detected!("vpclmulqdq") && is_x86_feature_detected!("avx2")
    }

    pub(super) fn new(constants: Constants) -> Option<Self> {
        Self::is_available().then_some(Self(constants))
    }

    /// Tests 32 positions for each 32 bytes behind the first 64 of `data`; the first position is that behind these.
    pub(super) fn blocks(&self, data: &[u8], tables: &Tables) -> Found {
        // SAFETY: `new` has seen that the processor has these instructions.
        unsafe { blocks(&self.0, data, tables) }
    }
}

#[target_feature(enable = "vpclmulqdq,avx2")]
fn blocks(constants: &Constants, data: &[u8], tables: &Tables) -> Found {
    let (all, _) = data.as_chunks::<STEP>();
    let Some(([oldest, newest], rest)) = all.split_first_chunk::<2>() else {
        return Found::NoneIn(0);
    };
    let newest_lowest = both(_mm_set_epi8(
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    ));
    let load = |block| {
        let turned = _mm256_shuffle_epi8(load_256(block), newest_lowest);
        _mm256_permute4x64_epi64::<0b01_00_11_10>(turned)
    };
    let factor = lanes(&constants.factor);
    let (lower, upper) = (tables_of(constants.lower), tables_of(constants.upper));

    let (mut old, mut older) = (load(newest), load(oldest));
    let mut older_odd = odd_products(shifted(old, older, older), factor);
    // Whether bits 8 to 15 of the position before are zero is not known of the first position: it is not ruled out.
    let mut from_before = 1 << 31;
    for (index, block) in rest.iter().enumerate() {
        let new = load(block);
        let x = shifted(new, old, older);
        let odd = odd_products(x, factor);
        let even = even_products(x, factor);
        let odd_before = _mm256_permute2x128_si256::<0x21>(odd, older_odd);
        let product = _mm256_xor_si256(even, _mm256_alignr_epi8::<8>(odd_before, odd));
        let (newer, oldest) = (nibbles(new), nibbles(older));
        // Bit 31 is the first position.
        let lower_zero = zero_bytes(corrected(product, &lower, newer, oldest));
        let upper_zero = zero_bytes(corrected(product, &upper, newer, oldest));
        let left = lower_zero & (upper_zero >> 1 | from_before);
        if left != 0 {
            let positions = u64::from(left.reverse_bits());
            if let Some(at) = tables.first_cut(data.get(STEP * index..), positions) {
                return Found::Cut(STEP * index + at);
            }
        }
        from_before = (upper_zero & 1) << 31;
        older_odd = odd;
        (old, older) = (new, old);
    }
    Found::NoneIn(STEP * rest.len())
}

#[inline]
#[target_feature(enable = "avx2")]
fn both(half: __m128i) -> __m256i {
    _mm256_broadcastsi128_si256(half)
}

/// `K` in four parts, each in both halves of a vector.
#[inline]
#[target_feature(enable = "avx2")]
fn lanes(factor: &[u64; 8]) -> [__m256i; 4] {
    let part = |at: usize| {
        let (low, high) = (factor[2 * at] as i64, factor[2 * at + 1] as i64);
        both(_mm_set_epi64x(high, low))
    };
    [part(0), part(1), part(2), part(3)]
}

/// The data that lies 0, 16, 32, 48 and 64 bytes before the newest 32.
#[inline]
#[target_feature(enable = "avx2")]
fn shifted(new: __m256i, old: __m256i, older: __m256i) -> [__m256i; 5] {
    [
        new,
        _mm256_permute2x128_si256::<0x21>(new, old),
        old,
        _mm256_permute2x128_si256::<0x21>(old, older),
        older,
    ]
}

/// Images of the 16 lower and of the 16 upper halves of a byte.
#[derive(Clone, Copy)]
struct HalfTables {
    low: __m256i,
    high: __m256i,
}

#[derive(Clone, Copy)]
struct EdgeTables {
    newer: HalfTables,
    older: HalfTables,
}

#[inline]
#[target_feature(enable = "avx2")]
fn tables_of(edges: Edges) -> EdgeTables {
    let halves = |matrix: Matrix| {
        let table = |shift: u8| {
            both(load_128(&std::array::from_fn(|half| {
                matrix.apply((half as u8) << shift)
            })))
        };
        HalfTables {
            low: table(0),
            high: table(4),
        }
    };
    EdgeTables {
        newer: halves(edges.newer),
        older: halves(edges.older),
    }
}

/// Bytes split into their lower and upper halves.
#[derive(Clone, Copy)]
struct Halves {
    low: __m256i,
    high: __m256i,
}

#[inline]
#[target_feature(enable = "avx2")]
fn nibbles(x: __m256i) -> Halves {
    let four_bits = _mm256_set1_epi8(15);
    Halves {
        low: _mm256_and_si256(x, four_bits),
        high: _mm256_and_si256(_mm256_srli_epi16::<4>(x), four_bits),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn corrected(product: __m256i, edges: &EdgeTables, newer: Halves, older: Halves) -> __m256i {
    let image = |tables: HalfTables, x: Halves| {
        _mm256_xor_si256(
            _mm256_shuffle_epi8(tables.low, x.low),
            _mm256_shuffle_epi8(tables.high, x.high),
        )
    };
    let correction = _mm256_xor_si256(image(edges.newer, newer), image(edges.older, older));
    _mm256_xor_si256(product, correction)
}

#[inline]
#[target_feature(enable = "avx2")]
fn zero_bytes(x: __m256i) -> u32 {
    _mm256_movemask_epi8(_mm256_cmpeq_epi8(x, _mm256_setzero_si256())) as u32
}

/// Products of two lower and of two upper halves of lanes, which lie in whole lanes of the result.
#[inline]
#[target_feature(enable = "vpclmulqdq,avx2")]
fn even_products(x: [__m256i; 5], k: [__m256i; 4]) -> __m256i {
    sum([
        _mm256_clmulepi64_epi128::<0x00>(x[1], k[3]),
        _mm256_clmulepi64_epi128::<0x00>(x[2], k[2]),
        _mm256_clmulepi64_epi128::<0x00>(x[3], k[1]),
        _mm256_clmulepi64_epi128::<0x00>(x[4], k[0]),
        _mm256_clmulepi64_epi128::<0x11>(x[0], k[3]),
        _mm256_clmulepi64_epi128::<0x11>(x[1], k[2]),
        _mm256_clmulepi64_epi128::<0x11>(x[2], k[1]),
        _mm256_clmulepi64_epi128::<0x11>(x[3], k[0]),
    ])
}

/// Products of a lower and an upper half, which lie half a lane higher than the lanes of this result.
#[inline]
#[target_feature(enable = "vpclmulqdq,avx2")]
fn odd_products(x: [__m256i; 5], k: [__m256i; 4]) -> __m256i {
    sum([
        _mm256_clmulepi64_epi128::<0x01>(x[0], k[3]),
        _mm256_clmulepi64_epi128::<0x01>(x[1], k[2]),
        _mm256_clmulepi64_epi128::<0x01>(x[2], k[1]),
        _mm256_clmulepi64_epi128::<0x01>(x[3], k[0]),
        _mm256_clmulepi64_epi128::<0x10>(x[0], k[3]),
        _mm256_clmulepi64_epi128::<0x10>(x[1], k[2]),
        _mm256_clmulepi64_epi128::<0x10>(x[2], k[1]),
        _mm256_clmulepi64_epi128::<0x10>(x[3], k[0]),
    ])
}

#[inline]
#[target_feature(enable = "avx2")]
fn sum(x: [__m256i; 8]) -> __m256i {
    let add = |a, b| _mm256_xor_si256(a, b);
    let (first, second) = (add(x[0], x[1]), add(x[2], x[3]));
    let (third, fourth) = (add(x[4], x[5]), add(x[6], x[7]));
    add(add(first, second), add(third, fourth))
}
