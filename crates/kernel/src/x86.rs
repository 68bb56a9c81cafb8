//! Vectors from arrays: the loads that the intrinsics want pointers for.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

/// 16 bytes, the first one lowest.
#[inline]
#[target_feature(enable = "sse2")]
pub(crate) fn load_128(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: the array has the 16 bytes that are read, and the instruction asks for no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

/// 32 bytes, the first one lowest.
#[inline]
#[target_feature(enable = "avx")]
pub(crate) fn load_256(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: the array has the 32 bytes that are read, and the instruction asks for no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// 64 bytes, the first one lowest.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn load_512(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: the array has the 64 bytes that are read, and the instruction asks for no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// Four words, the first one lowest.
#[inline]
#[target_feature(enable = "sse2")]
pub(crate) fn load_4_words(words: &[u32; 4]) -> __m128i {
    // SAFETY: the array has the 16 bytes that are read, and the instruction asks for no alignment.
    unsafe { _mm_loadu_si128(words.as_ptr().cast()) }
}

/// The opposite of [`load_4_words`].
#[inline]
#[target_feature(enable = "sse2")]
pub(crate) fn store_4_words(words: &mut [u32; 4], vector: __m128i) {
    // SAFETY: the array has the 16 bytes that are written, and the instruction asks for no alignment.
    unsafe { _mm_storeu_si128(words.as_mut_ptr().cast(), vector) }
}

/// Sixteen words, the first one lowest.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn load_words(words: &[u32; 16]) -> __m512i {
    // SAFETY: the array has the 64 bytes that are read, and the instruction asks for no alignment.
    unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
}

/// The opposite of [`load_words`].
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn store_words(words: &mut [u32; 16], vector: __m512i) {
    // SAFETY: the array has the 64 bytes that are written, and the instruction asks for no alignment.
    unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), vector) }
}

/// The opposite of [`load_128`].
#[inline]
#[target_feature(enable = "sse2")]
pub(crate) fn store_128(bytes: &mut [u8; 16], vector: __m128i) {
    // SAFETY: the array has the 16 bytes that are written, and the instruction asks for no alignment.
    unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), vector) }
}

/// The opposite of [`load_512`].
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn store_512(bytes: &mut [u8; 64], vector: __m512i) {
    // SAFETY: the array has the 64 bytes that are written, and the instruction asks for no alignment.
    unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), vector) }
}

/// Eight numbers of 64 bits, the first one lowest.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn load_quads(numbers: &[u64; 8]) -> __m512i {
    // SAFETY: the array has the 64 bytes that are read, and the instruction asks for no alignment.
    unsafe { _mm512_loadu_si512(numbers.as_ptr().cast()) }
}

/// The opposite of [`load_quads`].
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn store_quads(numbers: &mut [u64; 8], vector: __m512i) {
    // SAFETY: the array has the 64 bytes that are written, and the instruction asks for no alignment.
    unsafe { _mm512_storeu_si512(numbers.as_mut_ptr().cast(), vector) }
}
