//! Why many fingerprints can be had at once, and the constants for it.
//!
//! Let `P` be the polynomial, `phi(z)` the constant term of `z mod P`, and `u_n = phi(x^n)`. Dividing by `x` in the field shifts the
//! bits of `z` down by one after adding `P` if bit 0 was set. So if the bits `0..k` of a fingerprint `H` are zero, then bit `k` is
//! `phi(x^-k H)`: the lowest 20 bits are zero exactly if `phi(x^-k H) = 0` for `k = 0..20`.
//!
//! With the window as the bits `W_0..W_511`, bit 0 being the lowest of its newest byte, `phi(x^-k H) = sum_i W_i u_(i-k)`. This is a
//! correlation of the data with one fixed sequence, and neighbouring positions, 8 bits apart, need the same at other lags. All of
//! it is one carry-less product: read the data as a number, the newest byte lowest, and multiply it by
//! `K = sum_n u_n x^(504-n)`, `n = -7..=504`. The coefficient of `x^(504+8m+k)` in that product is `sum_i D_i u_(i-8m-k)`, so
//! byte `m + 63` of it holds `k = 0..8` for the window whose newest byte is `m`, but for its edges: where `i-8m-k` is outside of `-7..=504`.
//!
//! - For `k = 0..8` bits `k+1..8` of the byte newer than the window come in too much, and the same bits of the oldest byte of the
//!   window are missing. Both are linear in one byte: matrices of 8 by 8 bits.
//! - One byte further on in the product lie `k = 8..16`, with the bits `0..=k-8` of the byte before the window too much, and those of
//!   the newest byte missing.
//!
//! So byte `j` of the product, with two matrices each applied to the data byte at `j` and to the one 64 bytes older, gives 8 conditions for one
//! position and the other 8 for the position before. The last four are left to an exact look at what survives: one
//! position in 2^16.

use super::field::{over_x, times_x};

/// The lowest `n` for which some `u_n` is needed.
const LOWEST: i64 = -15;

/// The highest, and one.
const END: i64 = 512;

/// What a path with carry-less multiplication needs to know of a polynomial.
#[derive(Debug)]
pub(super) struct Constants {
    /// `K`, the lowest 64 bits first.
    pub(super) factor: [u64; 8],
    /// For the conditions 0 to 7: of the byte newer than the window, and of the oldest in it.
    pub(super) lower: Edges,
    /// For the conditions 8 to 15: of the newest byte of the window, and of the one before it.
    pub(super) upper: Edges,
}

/// Corrections at the two ends of a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edges {
    pub(super) newer: Matrix,
    pub(super) older: Matrix,
}

impl Constants {
    pub(super) fn new(polynomial: u64) -> Self {
        let lowest = (LOWEST..0).fold(1, |value, _| over_x(value, polynomial));
        let mut power = lowest;
        let mut u = [0; (END - LOWEST) as usize];
        for bit in &mut u {
            *bit = power & 1;
            power = times_x(power, polynomial);
        }
        let u = |n: i64| u.get((n - LOWEST) as usize).copied().unwrap_or(0);
        let word =
            |index: i64| (0..64).fold(0, |word, bit| word | u(504 - (64 * index + bit)) << bit);
        let edges = |is_edge: fn(i64, i64) -> bool| Edges {
            newer: Matrix::new(|row, column| is_edge(row, column) && u(column - row - 8) == 1),
            older: Matrix::new(|row, column| is_edge(row, column) && u(504 + column - row) == 1),
        };
        Self {
            factor: std::array::from_fn(|index| word(index as i64)),
            lower: edges(|row, column| column > row),
            upper: edges(|row, column| column <= row),
        }
    }
}

/// A linear map of 8 bits to 8 bits, in the layout of GF2P8AFFINEQB: byte `7 - row`, bit `column`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix(pub(super) u64);

impl Matrix {
    fn new(is_set: impl Fn(i64, i64) -> bool) -> Self {
        let mut bits = 0;
        for row in 0..8 {
            for column in 0..8 {
                bits |= u64::from(is_set(row, column)) << (8 * (7 - row) + column);
            }
        }
        Self(bits)
    }

    /// The image of a byte.
    pub(super) fn apply(self, byte: u8) -> u8 {
        (0..8).fold(0, |image, row| {
            let selected = (self.0 >> (8 * (7 - row))) as u8 & byte;
            image | (selected.count_ones() as u8 & 1) << row
        })
    }
}
