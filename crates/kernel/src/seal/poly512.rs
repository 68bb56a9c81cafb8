//! Poly1305 with eight blocks side by side, on multiplications of 52 bits (AVX-512 IFMA).
//!
//! Lane `i` sums every eighth block, multiplied by `r^8` from step to step; in the end each lane is multiplied by the power of `r`
//! that its last block lacks, and all are added.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use zeroize::Zeroize;

use super::limbs::{BITS_42, BITS_44, Limbs};
use crate::x86::{load_512, load_quads, store_quads};

/// Powers of the factor. A value of this type shows that the processor has the instructions.
#[derive(Clone)]
pub(super) struct Poly512 {
    /// `r^1` to `r^8`.
    powers: [Limbs; 8],
}

impl Drop for Poly512 {
    fn drop(&mut self) {
        self.powers.zeroize();
    }
}

/// Three limbs of eight numbers.
type Lanes = [__m512i; 3];

impl Poly512 {
    pub(super) fn new(r: &[u8; 16]) -> Option<Self> {
        let is_available = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512ifma");
        let mut powers = [Limbs::of_factor(r); 8];
        for power in 1..8 {
            powers[power] = powers[power - 1].times(&powers[0]);
        }
        is_available.then_some(Self { powers })
    }

    /// The factor.
    pub(super) fn r(&self) -> &Limbs {
        &self.powers[0]
    }

    /// Takes groups of eight blocks in.
    pub(super) fn update(&self, sums: &mut [[u64; 8]; 3], groups: &[[u8; 128]]) {
        // SAFETY: `new` has seen that the processor has these instructions.
        unsafe { update(&self.powers[7], sums, groups) }
    }

    /// What the lanes come to together; each has taken in one group at least.
    pub(super) fn sum(&self, sums: &[[u64; 8]; 3]) -> Limbs {
        // The order in which `blocks` puts a group into lanes: that of the blocks 0, 4, 1, 5, 2, 6, 3, 7.
        const LACKING: [usize; 8] = [8, 4, 7, 3, 6, 2, 5, 1];
        let mut sum = Limbs::ZERO;
        for (lane, power) in LACKING.into_iter().enumerate() {
            let number = Limbs(sums.map(|limb| limb[lane]));
            sum = sum.plus(&number.times(&self.powers[power - 1]));
        }
        Limbs::carried(sum.0.map(u128::from))
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512ifma")]
fn update(factor: &Limbs, sums: &mut [[u64; 8]; 3], groups: &[[u8; 128]]) {
    let r = factor.0.map(|limb| _mm512_set1_epi64(limb as i64));
    // 2^132 is 4 * 2^130, and that 4 * 5.
    let r_20 = factor.0.map(|limb| _mm512_set1_epi64(20 * limb as i64));
    let mut sum = sums.each_ref().map(|limbs| load_quads(limbs));
    for group in groups {
        let product = times(sum, r, r_20);
        let blocks = blocks(group);
        sum = [0, 1, 2].map(|at| _mm512_add_epi64(product[at], blocks[at]));
    }
    for (limbs, vector) in sums.iter_mut().zip(sum) {
        store_quads(limbs, vector);
    }
}

/// Eight blocks, each with a 1 behind it.
#[inline]
#[target_feature(enable = "avx512f")]
fn blocks(group: &[u8; 128]) -> Lanes {
    let [first, second] = group.as_chunks::<64>().0 else {
        return [_mm512_setzero_si512(); 3];
    };
    let (first, second) = (load_512(first), load_512(second));
    let low = _mm512_unpacklo_epi64(first, second);
    let high = _mm512_unpackhi_epi64(first, second);
    let bits_44 = _mm512_set1_epi64(BITS_44 as i64);
    let middle = _mm512_or_si512(_mm512_srli_epi64::<44>(low), _mm512_slli_epi64::<20>(high));
    let bit_128 = _mm512_set1_epi64(1 << 40);
    [
        _mm512_and_si512(low, bits_44),
        _mm512_and_si512(middle, bits_44),
        _mm512_or_si512(_mm512_srli_epi64::<24>(high), bit_128),
    ]
}

/// The products of all lanes with one factor below 2^130. Limbs of `a` have at most 46 bits, those of the result 44, 45 and 42: the lower 52
/// bits of three products make a column of 54 bits; their upper parts have at most 45, belong 8 bits into the next
/// column, and the last of them comes back to the first one times 20, with 58 bits.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn times(a: Lanes, r: Lanes, r_20: Lanes) -> Lanes {
    let zero = _mm512_setzero_si512();
    let columns = [
        [(a[0], r[0]), (a[1], r_20[2]), (a[2], r_20[1])],
        [(a[0], r[1]), (a[1], r[0]), (a[2], r_20[2])],
        [(a[0], r[2]), (a[1], r[1]), (a[2], r[0])],
    ];
    let low = columns.map(|terms| {
        let sum = terms.into_iter();
        sum.fold(zero, |sum, (a, r)| _mm512_madd52lo_epu64(sum, a, r))
    });
    let high = columns.map(|terms| {
        let sum = terms.into_iter();
        let sum = sum.fold(zero, |sum, (a, r)| _mm512_madd52hi_epu64(sum, a, r));
        _mm512_slli_epi64::<8>(sum)
    });
    let high_2_times_20 = _mm512_add_epi64(
        _mm512_slli_epi64::<4>(high[2]),
        _mm512_slli_epi64::<2>(high[2]),
    );
    let bits_44 = _mm512_set1_epi64(BITS_44 as i64);
    let bits_42 = _mm512_set1_epi64(BITS_42 as i64);
    let c0 = _mm512_add_epi64(low[0], high_2_times_20);
    let c1 = _mm512_add_epi64(
        low[1],
        _mm512_add_epi64(high[0], _mm512_srli_epi64::<44>(c0)),
    );
    let c2 = _mm512_add_epi64(
        low[2],
        _mm512_add_epi64(high[1], _mm512_srli_epi64::<44>(c1)),
    );
    let over = _mm512_srli_epi64::<42>(c2);
    let over_times_5 = _mm512_add_epi64(over, _mm512_slli_epi64::<2>(over));
    [
        _mm512_add_epi64(_mm512_and_si512(c0, bits_44), over_times_5),
        _mm512_and_si512(c1, bits_44),
        _mm512_and_si512(c2, bits_42),
    ]
}
