//! Both parts on 512 bits, tile by tile.

use zeroize::Zeroize;

use super::ctr512::Ctr512;
use super::limbs::Limbs;
use super::poly512::Poly512;
use super::{IV_LENGTH, MAC_LENGTH, TILE};

/// Bytes that the polynomial takes in at once.
const GROUP: usize = 128;

#[derive(Clone)]
pub(super) struct Wide {
    ctr: Ctr512,
    poly: Poly512,
}

impl Wide {
    /// `None` if the processor lacks instructions for it.
    pub(super) fn new(encrypt: &[u8; 32], mac_r: &[u8; 16]) -> Option<Self> {
        Some(Self {
            ctr: Ctr512::new(encrypt)?,
            poly: Poly512::new(mac_r)?,
        })
    }

    pub(super) fn seal(
        &self,
        iv: &[u8; IV_LENGTH],
        nonce: &[u8; 16],
        plain: &[u8],
        out: &mut Vec<u8>,
    ) -> [u8; MAC_LENGTH] {
        let mut counter = u128::from_be_bytes(*iv);
        let mut sums = [[0; 8]; 3];
        let begin = out.len();
        for tile in plain.chunks(TILE) {
            let begin = out.len();
            out.extend_from_slice(tile);
            let (_, tile) = out.split_at_mut(begin);
            self.ctr.apply_keystream(counter, tile);
            self.poly.update(&mut sums, tile.as_chunks().0);
            // Only the last tile may be shorter.
            counter = counter.wrapping_add((TILE / 16) as u128);
        }
        let (_, ciphertext) = out.split_at(begin);
        self.finish(sums, ciphertext, nonce)
    }

    pub(super) fn mac(&self, nonce: &[u8; 16], ciphertext: &[u8]) -> [u8; MAC_LENGTH] {
        let mut sums = [[0; 8]; 3];
        self.poly.update(&mut sums, ciphertext.as_chunks().0);
        self.finish(sums, ciphertext, nonce)
    }

    pub(super) fn apply_keystream(&self, counter: u128, data: &mut [u8]) {
        self.ctr.apply_keystream(counter, data);
    }

    /// Takes in what fills no group. `sums` is what all groups of the ciphertext came to.
    fn finish(
        &self,
        mut sums: [[u64; 8]; 3],
        ciphertext: &[u8],
        nonce: &[u8; 16],
    ) -> [u8; MAC_LENGTH] {
        let (_, rest) = ciphertext.as_chunks::<GROUP>();
        let sum = if rest.len() == ciphertext.len() {
            Limbs::ZERO
        } else {
            self.poly.sum(&sums)
        };
        sums.zeroize();
        let mut sum = sum;
        for block in rest.chunks(16) {
            sum = sum.plus(&Limbs::of_block(block)).times(self.poly.r());
        }
        sum.tag(u128::from_le_bytes(*nonce))
    }
}
