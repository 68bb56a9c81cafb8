use std::fmt;

use ctutils::CtEq;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use strongroom_kernel::{IV_LENGTH, MAC_LENGTH, SealKey};
use zeroize::{Zeroize, Zeroizing};

use crate::crypto::CryptoError;
use crate::crypto::iv;

/// Bytes by which encrypted data is longer than the plain data: 16 of IV before it, 16 of MAC behind it.
pub const OVERHEAD: usize = IV_LENGTH + MAC_LENGTH;

/// Keys that encrypt and authenticate: the repository's, or the one derived from a password that opens a key file.
///
/// It is wiped when dropped and never shown.
#[derive(Clone)]
pub struct MasterKey {
    encrypt: [u8; 32],
    mac_k: [u8; 16],
    mac_r: [u8; 16],
    // Wipes what it was made into when dropped.
    seal: SealKey,
}

impl MasterKey {
    /// A new random key.
    ///
    /// # Errors
    /// [`CryptoError::Random`] if the system has no random bytes.
    pub fn generate() -> Result<Self, CryptoError> {
        let mut bytes = Zeroizing::new([0; 64]);
        fill_random(bytes.as_mut_slice())?;
        // Poly1305 ignores these bits of r; the design document has them cleared.
        for (index, mask) in [
            (3, 15),
            (4, 252),
            (7, 15),
            (8, 252),
            (11, 15),
            (12, 252),
            (15, 15),
        ] {
            if let Some(byte) = bytes.get_mut(48 + index) {
                *byte &= mask;
            }
        }
        Self::from_derived(&bytes)
    }

    /// Whether both are the same key. Takes the same time wherever they differ.
    pub fn same_as(&self, other: &Self) -> bool {
        let same = self.encrypt.ct_eq(&other.encrypt)
            & self.mac_k.ct_eq(&other.mac_k)
            & self.mac_r.ct_eq(&other.mac_r);
        same.to_bool()
    }

    /// A key for another purpose, which tells nothing about this one: two HMAC-SHA-256 of the purpose and a counter.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`] if one of the parts is all zero, which does not happen.
    pub fn derive(&self, purpose: &[u8]) -> Result<Self, CryptoError> {
        let mut own = Zeroizing::new([0; 64]);
        own[..32].copy_from_slice(&self.encrypt);
        own[32..48].copy_from_slice(&self.mac_k);
        own[48..].copy_from_slice(&self.mac_r);
        let mut derived = Zeroizing::new([0; 64]);
        for (half, counter) in derived.chunks_mut(32).zip([1_u8, 2]) {
            let mut mac = Hmac::<Sha256>::new_from_slice(own.as_slice())
                .map_err(|_| CryptoError::InvalidKey)?;
            mac.update(purpose);
            mac.update(&[counter]);
            half.copy_from_slice(&mac.finalize().into_bytes());
        }
        Self::from_derived(&derived)
    }

    /// The key in the layout in which scrypt yields it: 32 bytes for AES-256, 16 of `k`, 16 of `r`.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`] if one of the parts is all zero.
    pub fn from_derived(bytes: &[u8; 64]) -> Result<Self, CryptoError> {
        let (mut encrypt, mut mac_k, mut mac_r) = ([0; 32], [0; 16], [0; 16]);
        encrypt.copy_from_slice(&bytes[..32]);
        mac_k.copy_from_slice(&bytes[32..48]);
        mac_r.copy_from_slice(&bytes[48..]);
        Self::from_parts(encrypt, mac_k, mac_r)
    }

    /// The key of its three parts.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`] if one of the parts is all zero.
    pub fn from_parts(
        encrypt: [u8; 32],
        mac_k: [u8; 16],
        mac_r: [u8; 16],
    ) -> Result<Self, CryptoError> {
        let zero = |part: &[u8]| part.iter().all(|byte| *byte == 0);
        if zero(&encrypt) || zero(&mac_k) || zero(&mac_r) {
            return Err(CryptoError::InvalidKey);
        }
        Ok(Self {
            seal: SealKey::new(&encrypt, &mac_k, &mac_r),
            encrypt,
            mac_k,
            mac_r,
        })
    }

    /// The AES-256 key, `k` and `r`, for the JSON of a key file alone.
    pub(crate) fn parts(&self) -> (&[u8; 32], &[u8; 16], &[u8; 16]) {
        (&self.encrypt, &self.mac_k, &self.mac_r)
    }

    /// Encrypts and appends IV, ciphertext and MAC to `out`: [`OVERHEAD`] bytes more than `plain`.
    ///
    /// # Errors
    /// [`CryptoError::Random`] if the system has no random bytes; `out` is unchanged then.
    pub fn seal_into(&self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), CryptoError> {
        self.seal_with_iv(&iv::fresh()?, plain, out);
        Ok(())
    }

    fn seal_with_iv(&self, iv: &[u8; IV_LENGTH], plain: &[u8], out: &mut Vec<u8>) {
        out.reserve(plain.len() + OVERHEAD);
        out.extend_from_slice(iv);
        self.seal.seal(iv, plain, out);
    }

    /// Encrypts into a new vector.
    ///
    /// # Errors
    /// As [`MasterKey::seal_into`].
    pub fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut out = Vec::new();
        self.seal_into(plain, &mut out)?;
        Ok(out)
    }

    /// Checks the MAC, then decrypts into a new vector.
    ///
    /// # Errors
    /// [`CryptoError::TooShort`], [`CryptoError::ZeroIv`] or [`CryptoError::WrongMac`]: it is not what was written.
    pub fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let (iv, body) = self.verify(sealed)?;
        let mut plain = Vec::new();
        self.seal.decrypt(&iv, body, &mut plain);
        Ok(plain)
    }

    /// Checks the MAC, then decrypts into memory that is used again; what it held is lost.
    ///
    /// # Errors
    /// As [`MasterKey::open`]; `plain` is as before then.
    pub fn open_into(&self, sealed: &[u8], plain: &mut Vec<u8>) -> Result<(), CryptoError> {
        let (iv, body) = self.verify(sealed)?;
        plain.clear();
        // Not more than is needed: whoever keeps the memory counts what it can hold.
        plain.reserve_exact(body.len());
        self.seal.decrypt(&iv, body, plain);
        Ok(())
    }

    /// Checks the MAC, then decrypts in place; the plain data is the part of `sealed` that is returned.
    ///
    /// # Errors
    /// As [`MasterKey::open`]; `sealed` is unchanged then.
    pub fn open_in_place<'a>(&self, sealed: &'a mut [u8]) -> Result<&'a mut [u8], CryptoError> {
        let (iv, body) = self.verify(sealed)?;
        let end = IV_LENGTH + body.len();
        let plain = sealed
            .get_mut(IV_LENGTH..end)
            .ok_or(CryptoError::TooShort { length: end })?;
        self.seal.apply_keystream(&iv, plain);
        Ok(plain)
    }

    /// IV and ciphertext of sealed data whose MAC is right.
    fn verify<'a>(&self, sealed: &'a [u8]) -> Result<([u8; IV_LENGTH], &'a [u8]), CryptoError> {
        let too_short = || CryptoError::TooShort {
            length: sealed.len(),
        };
        let (iv, rest) = sealed
            .split_first_chunk::<IV_LENGTH>()
            .ok_or_else(too_short)?;
        let (body, mac) = rest
            .split_last_chunk::<MAC_LENGTH>()
            .ok_or_else(too_short)?;
        if *iv == [0; IV_LENGTH] {
            return Err(CryptoError::ZeroIv);
        }
        if self.seal.mac(iv, body).ct_eq(mac).to_bool() {
            Ok((*iv, body))
        } else {
            Err(CryptoError::WrongMac)
        }
    }
}

impl Drop for MasterKey {
    fn drop(&mut self) {
        self.encrypt.zeroize();
        self.mac_k.zeroize();
        self.mac_r.zeroize();
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), CryptoError> {
    getrandom::fill(bytes).map_err(|error| CryptoError::Random(error.to_string()))
}

#[cfg(test)]
mod tests {
    use aes::Aes256;
    use aes::cipher::BlockCipherEncrypt;

    use super::*;

    fn key() -> MasterKey {
        MasterKey::from_derived(&std::array::from_fn(|i| i as u8 + 1)).unwrap()
    }

    /// AES-CTR by its definition, one block at a time, with the carry through all 128 bits.
    fn keystream_by_definition(key: &MasterKey, iv: [u8; 16], data: &[u8]) -> Vec<u8> {
        let cipher = Aes256::new(&key.encrypt.into());
        let mut counter = u128::from_be_bytes(iv);
        let mut out = Vec::new();
        for chunk in data.chunks(16) {
            let mut block = counter.to_be_bytes().into();
            cipher.encrypt_block(&mut block);
            out.extend(chunk.iter().zip(block.iter()).map(|(a, b)| a ^ b));
            counter = counter.wrapping_add(1);
        }
        out
    }

    #[test]
    fn what_was_sealed_opens_to_the_same_bytes() {
        let key = MasterKey::generate().unwrap();
        let mut again = vec![1; 70];
        for length in (0..130).chain([1000, 4095, 4096, 4097, 1 << 20]) {
            let plain: Vec<u8> = (0..length).map(|i| (i * 7 % 251) as u8).collect();
            let mut sealed = b"before".to_vec();
            key.seal_into(&plain, &mut sealed).unwrap();
            assert_eq!(sealed.len(), 6 + plain.len() + OVERHEAD);
            assert_eq!(key.open(&sealed[6..]).unwrap(), plain);
            key.open_into(&sealed[6..], &mut again).unwrap();
            assert_eq!(again, plain);
            assert_eq!(key.open_in_place(&mut sealed[6..]).unwrap(), plain);
        }
    }

    #[test]
    fn the_counter_carries_through_all_128_bits() {
        let key = key();
        let plain = vec![0x5a; 16 * 40 + 3];
        for iv in [
            [0xff; 16],
            (u128::MAX - 20).to_be_bytes(),
            (u64::MAX as u128 - 3).to_be_bytes(),
        ] {
            let mut sealed = Vec::new();
            key.seal_with_iv(&iv, &plain, &mut sealed);
            let body = &sealed[16..sealed.len() - 16];
            assert_eq!(body, keystream_by_definition(&key, iv, &plain));
            assert_eq!(key.open(&sealed).unwrap(), plain);
        }
    }

    #[test]
    fn two_seals_of_the_same_data_differ() {
        let key = key();
        assert_ne!(key.seal(b"same").unwrap(), key.seal(b"same").unwrap());
    }

    #[test]
    fn every_truncation_and_every_flipped_bit_is_refused() {
        let key = key();
        let sealed = key.seal(b"the only copy of somebody's data").unwrap();
        for length in 0..sealed.len() {
            assert!(
                key.open(&sealed[..length]).is_err(),
                "truncated to {length}"
            );
        }
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.open(&damaged), Err(CryptoError::WrongMac), "bit {bit}");
            let before = damaged.clone();
            assert!(key.open_in_place(&mut damaged).is_err());
            assert_eq!(damaged, before, "failed opening must not touch the data");
        }
        let other = MasterKey::generate().unwrap();
        assert_eq!(other.open(&sealed), Err(CryptoError::WrongMac));
    }

    #[test]
    fn a_zero_iv_is_refused_even_with_the_right_mac() {
        let key = key();
        let mut sealed = Vec::new();
        key.seal_with_iv(&[0; 16], b"data", &mut sealed);
        assert_eq!(key.open(&sealed), Err(CryptoError::ZeroIv));
    }

    #[test]
    fn a_zero_key_is_refused() {
        assert!(MasterKey::from_derived(&[0; 64]).is_err());
        for zeroed in [0..32, 32..48, 48..64] {
            let mut bytes = [1; 64];
            bytes[zeroed].fill(0);
            assert!(MasterKey::from_derived(&bytes).is_err());
        }
    }

    #[test]
    fn a_key_does_not_print_itself() {
        assert_eq!(format!("{:?}", key()), "MasterKey(…)");
    }
}
