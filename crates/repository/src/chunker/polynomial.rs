use std::fmt;
use std::str::FromStr;

use crate::crypto::CryptoError;

/// Degree of every chunker polynomial: the largest prime that leaves a byte of room in 64 bits.
const DEGREE: u32 = 53;

/// An irreducible polynomial of degree 53 over GF(2), which decides where content is cut.
///
/// Bit `i` is the coefficient of `x^i`. Each repository has one of its own, chosen at random, so that the sizes of blobs
/// do not give away known content.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Polynomial(u64);

/// A polynomial that cannot be used for cutting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an irreducible polynomial of degree 53 in hexadecimal digits")]
pub struct InvalidPolynomial;

impl Polynomial {
    /// The polynomial with these coefficients.
    ///
    /// # Errors
    /// [`InvalidPolynomial`] if its degree is not 53 or it is a product of others.
    pub fn new(coefficients: u64) -> Result<Self, InvalidPolynomial> {
        let polynomial = Self(coefficients);
        if coefficients >> DEGREE == 1 && polynomial.is_irreducible() {
            Ok(polynomial)
        } else {
            Err(InvalidPolynomial)
        }
    }

    /// A random polynomial for a new repository. One in 27 odd ones of this degree is irreducible.
    ///
    /// # Errors
    /// [`CryptoError::Random`] if the system has no random bytes, or only such that never yield a polynomial.
    pub fn generate() -> Result<Self, CryptoError> {
        const TRIES: u32 = 100_000;
        for _ in 0..TRIES {
            let mut bytes = [0; 8];
            crate::crypto::fill_random(&mut bytes)?;
            let low = u64::from_le_bytes(bytes) & ((1 << DEGREE) - 1);
            if let Ok(polynomial) = Self::new(1 << DEGREE | low | 1) {
                return Ok(polynomial);
            }
        }
        Err(CryptoError::Random("they are not random".to_owned()))
    }

    /// The coefficients.
    pub fn coefficients(self) -> u64 {
        self.0
    }

    /// `value * x`, reduced; `value` must be reduced.
    pub(super) fn times_x(self, value: u64) -> u64 {
        let shifted = value << 1;
        if shifted >> DEGREE & 1 == 1 {
            shifted ^ self.0
        } else {
            shifted
        }
    }

    /// `a * b`, reduced; both must be reduced.
    fn product(self, a: u64, b: u64) -> u64 {
        (0..DEGREE).rev().fold(0, |sum, bit| {
            let sum = self.times_x(sum);
            if b >> bit & 1 == 1 { sum ^ a } else { sum }
        })
    }

    /// Rabin's test. Since the degree n = 53 is a prime, the polynomial f is irreducible exactly if `x^(2^n) = x` modulo f
    /// and it has no factor of degree 1, that is neither `f(0)` nor `f(1)` is 0.
    fn is_irreducible(self) -> bool {
        if self.0 & 1 == 0 || self.0.count_ones().is_multiple_of(2) {
            return false;
        }
        let x = 2;
        (0..DEGREE).fold(x, |power, _| self.product(power, power)) == x
    }
}

impl FromStr for Polynomial {
    type Err = InvalidPolynomial;

    fn from_str(text: &str) -> Result<Self, InvalidPolynomial> {
        if !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(InvalidPolynomial);
        }
        u64::from_str_radix(text, 16)
            .map_err(|_| InvalidPolynomial)
            .and_then(Self::new)
    }
}

impl fmt::Display for Polynomial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

impl fmt::Debug for Polynomial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Polynomial({:x})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Polynomials from repositories that restic made, and the one of its own tests.
    const OF_RESTIC: [&str; 4] = [
        "2617f5ccda21f1",
        "3DA3358B4DC173",
        "3dea92648f6e83",
        "25b468838dcb75",
    ];

    #[test]
    fn polynomials_of_restic_are_accepted() {
        for text in OF_RESTIC {
            let polynomial: Polynomial = text.parse().unwrap();
            assert_eq!(polynomial.to_string(), text.to_lowercase());
        }
    }

    /// A product of two polynomials: no irreducible one.
    fn clmul(a: u64, b: u64) -> u64 {
        (0..64)
            .filter(|bit| b >> bit & 1 == 1)
            .fold(0, |sum, bit| sum ^ a << bit)
    }

    #[test]
    fn products_are_refused() {
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        for degree in 1..=26 {
            for _ in 0..50 {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let a = 1 << degree | (seed >> 8) & ((1 << degree) - 1);
                let b = 1 << (53 - degree) | (seed >> 3) & ((1 << (53 - degree)) - 1) | 1;
                assert_eq!(clmul(a, b) >> 53, 1);
                assert_eq!(
                    Polynomial::new(clmul(a, b)),
                    Err(InvalidPolynomial),
                    "{a:x} * {b:x}"
                );
            }
        }
    }

    #[test]
    fn other_degrees_and_texts_are_refused() {
        // x^2+x+1 and others are irreducible, yet not of degree 53.
        for coefficients in [0, 1, 2, 3, 7, 0xb, 1 << 53, 1 << 54 | 1, u64::MAX] {
            assert!(Polynomial::new(coefficients).is_err(), "{coefficients:x}");
        }
        for text in [
            "",
            "+2617f5ccda21f1",
            "0x2617f5ccda21f1",
            " 2617f5ccda21f1",
            "-1",
            "1ffffffffffffffff",
        ] {
            assert!(text.parse::<Polynomial>().is_err(), "{text}");
        }
    }

    #[test]
    fn about_one_in_27_is_irreducible_and_new_ones_differ() {
        let odd = |i: u64| 1 << 53 | (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) | 1;
        let irreducible = (0..2000)
            .filter(|i| Polynomial::new(odd(*i)).is_ok())
            .count();
        assert!((40..=120).contains(&irreducible), "{irreducible} of 2000");
        assert_ne!(
            Polynomial::generate().unwrap(),
            Polynomial::generate().unwrap()
        );
    }
}
