//! Numbers modulo 2^130 - 5 in limbs of 44, 44 and 42 bits, one at a time.

use zeroize::Zeroize;

pub(super) const BITS_44: u64 = (1 << 44) - 1;
pub(super) const BITS_42: u64 = (1 << 42) - 1;

/// `[a, b, c]` is `a + b 2^44 + c 2^88`. Limbs may be a few bits longer than 44, 44 and 42.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limbs(pub(super) [u64; 3]);

impl Zeroize for Limbs {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl Limbs {
    pub(super) const ZERO: Self = Self([0; 3]);

    fn new(value: u128, bit_128: u64) -> Self {
        let (low, high) = (value as u64, (value >> 64) as u64);
        Self([
            low & BITS_44,
            (low >> 44 | high << 20) & BITS_44,
            high >> 24 | bit_128 << 40,
        ])
    }

    /// A message block of up to 16 bytes, with a 1 behind it (RFC 8439, section 2.5.1).
    pub(super) fn of_block(block: &[u8]) -> Self {
        let mut bytes = [0; 17];
        let (head, tail) = bytes.split_at_mut(block.len());
        head.copy_from_slice(block);
        if let Some(one) = tail.first_mut() {
            *one = 1;
        }
        let [bytes @ .., last] = bytes;
        Self::new(u128::from_le_bytes(bytes), u64::from(last))
    }

    /// The factor, of whose bits 22 are taken to be zero (section 2.5).
    pub(super) fn of_factor(r: &[u8; 16]) -> Self {
        const CLAMP: u128 = 0x0fff_fffc_0fff_fffc_0fff_fffc_0fff_ffff;
        Self::new(u128::from_le_bytes(*r) & CLAMP, 0)
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] + other.0[at]))
    }

    /// The product; limbs may have 46 bits each.
    pub(super) fn times(&self, other: &Self) -> Self {
        let ([a0, a1, a2], [b0, b1, b2]) = (self.0, other.0);
        let product = |a: u64, b: u64| u128::from(a) * u128::from(b);
        // 2^132 is 4 * 2^130, and that 4 * 5.
        let (b1_20, b2_20) = (20 * b1, 20 * b2);
        let c0 = product(a0, b0) + product(a1, b2_20) + product(a2, b1_20);
        let c1 = product(a0, b1) + product(a1, b0) + product(a2, b2_20);
        let c2 = product(a0, b2) + product(a1, b1) + product(a2, b0);
        Self::carried([c0, c1, c2])
    }

    /// Limbs that are short again, of columns that are not.
    pub(super) fn carried([c0, c1, c2]: [u128; 3]) -> Self {
        let c1 = c1 + (c0 >> 44);
        let c2 = c2 + (c1 >> 44);
        let low = (c0 as u64 & BITS_44) + 5 * (c2 >> 42) as u64;
        Self([
            low & BITS_44,
            (c1 as u64 & BITS_44) + (low >> 44),
            c2 as u64 & BITS_42,
        ])
    }

    /// The number itself below 2^130 - 5, plus the nonce, modulo 2^128.
    pub(super) fn tag(&self, nonce: u128) -> [u8; 16] {
        // Now the number is below 2^130 + 2^56, so that taking 2^130 - 5 away once is enough. With 5 added, bit 130 tells
        // whether it is to be taken away.
        let [a, b, c] = Self::carried(self.0.map(u128::from)).0;
        let a5 = a + 5;
        let b5 = b + (a5 >> 44);
        let c5 = c + (b5 >> 44);
        let is_more = 0_u64.wrapping_sub(c5 >> 42);
        let choose = |more: u64, less: u64| (more & is_more) | (less & !is_more);
        let a = u128::from(choose(a5 & BITS_44, a));
        let b = u128::from(choose(b5 & BITS_44, b));
        let c = u128::from(choose(c5 & BITS_42, c));
        let number = a.wrapping_add(b << 44).wrapping_add(c << 88);
        number.wrapping_add(nonce).to_le_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No random data comes near these.
    #[test]
    fn numbers_around_the_modulus_are_reduced() {
        // 2^130 - 5 + k
        for k in -30..5_i64 {
            let lowest = (BITS_44 - 4).wrapping_add_signed(k);
            let number = Limbs([lowest, BITS_44, BITS_42]);
            let expected = if k < 0 { k - 5 } else { k };
            assert_eq!(number.tag(0), i128::from(expected).to_le_bytes(), "{k}");
            assert_eq!(number.tag(9), i128::from(expected + 9).to_le_bytes(), "{k}");
        }
    }

    #[test]
    fn long_limbs_are_carried_as_often_as_it_takes() {
        for (limbs, expected) in [
            ([BITS_44 + 1, BITS_44, BITS_42], 5_u128),
            ([BITS_44, BITS_44, 2 * BITS_42 + 1], 9),
            ([BITS_44, BITS_44 + 1, BITS_42], 4 + (1 << 44)),
            ([1 << 45, 1 << 45, 1 << 42], 5 + (1 << 45) + (1 << 89)),
            ([0, BITS_44 + 1, 1], 1 << 89),
        ] {
            assert_eq!(Limbs(limbs).tag(0), expected.to_le_bytes(), "{limbs:x?}");
        }
    }
}
