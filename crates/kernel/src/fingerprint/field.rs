//! Arithmetic modulo a polynomial of degree 53 over GF(2). Bit `i` of a number is the coefficient of `x^i`.

/// Degree of every chunker polynomial: the largest prime that leaves a byte of room in 64 bits.
pub(super) const DEGREE: u32 = 53;

/// `value * x`, reduced; `value` must be reduced.
pub(super) fn times_x(value: u64, polynomial: u64) -> u64 {
    let shifted = value << 1;
    if shifted >> DEGREE & 1 == 1 {
        shifted ^ polynomial
    } else {
        shifted
    }
}

/// `value / x`, which exists since the polynomial has a constant term.
pub(super) fn over_x(value: u64, polynomial: u64) -> u64 {
    if value & 1 == 1 {
        (value ^ polynomial) >> 1
    } else {
        value >> 1
    }
}
