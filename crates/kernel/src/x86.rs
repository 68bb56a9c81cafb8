//! Vectors from arrays: the loads that the intrinsics want pointers for.
#![allow(unsafe_code)]

use std::arch::x86_64::{__m128i, __m512i, _mm_loadu_si128, _mm512_loadu_si512};

/// 16 bytes, the first one lowest.
#[inline]
#[target_feature(enable = "sse2")]
pub(crate) fn load_128(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: the array has the 16 bytes that are read, and the instruction asks for no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

/// 64 bytes, the first one lowest.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn load_512(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: the array has the 64 bytes that are read, and the instruction asks for no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}
