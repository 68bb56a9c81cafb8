//! Encryption and authentication as in restic's format: AES-256-CTR, and Poly1305-AES over the ciphertext.
//!
//! Data is encrypted and authenticated in tiles that stay in the first-level cache. On the portable path this is the crates
//! `aes`, `ctr` and `poly1305`; the wide one has both on 512 bits. Neither branches on, nor looks up by, what is secret.

#[cfg(target_arch = "x86_64")]
mod ctr512;
#[cfg(target_arch = "x86_64")]
mod limbs;
#[cfg(target_arch = "x86_64")]
mod poly512;
mod portable;
#[cfg(target_arch = "x86_64")]
mod wide;

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use zeroize::Zeroizing;

use crate::CodePath;
use portable::Portable;

/// Bytes of a MAC.
pub const MAC_LENGTH: usize = 16;

/// Bytes of an IV.
pub const IV_LENGTH: usize = 16;

/// Bytes that are worked on at once: with their copy they fit into 32 KiB. A multiple of 512.
const TILE: usize = 8 << 10;

/// A key for AES-256-CTR and Poly1305-AES. What was made from it is wiped when it is dropped.
#[derive(Clone)]
pub struct SealKey {
    mac_cipher: Aes128,
    way: Way,
}

#[derive(Clone)]
enum Way {
    Portable(Box<Portable>),
    #[cfg(target_arch = "x86_64")]
    Wide(Box<wide::Wide>),
}

impl SealKey {
    /// The key of its three parts, on the widest path that is allowed.
    pub fn new(encrypt: &[u8; 32], mac_k: &[u8; 16], mac_r: &[u8; 16]) -> Self {
        Self::on_path(CodePath::current(), encrypt, mac_k, mac_r)
    }

    /// [`SealKey::new`] on a path of one's own choice, or the widest one below that exists here.
    pub fn on_path(path: CodePath, encrypt: &[u8; 32], mac_k: &[u8; 16], mac_r: &[u8; 16]) -> Self {
        Self {
            mac_cipher: Aes128::new(mac_k.into()),
            way: Self::way(path, encrypt, mac_r),
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn way(path: CodePath, encrypt: &[u8; 32], mac_r: &[u8; 16]) -> Way {
        let wide = (path >= CodePath::Avx512)
            .then(|| wide::Wide::new(encrypt, mac_r))
            .flatten();
        match wide {
            Some(wide) => Way::Wide(Box::new(wide)),
            None => Way::Portable(Box::new(Portable::new(encrypt, mac_r))),
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn way(_: CodePath, encrypt: &[u8; 32], mac_r: &[u8; 16]) -> Way {
        Way::Portable(Box::new(Portable::new(encrypt, mac_r)))
    }

    /// Encrypts, and appends the ciphertext and its MAC to `out`, which becomes [`MAC_LENGTH`] bytes longer than by `plain`. The
    /// IV is the first value of a 128-bit big-endian counter.
    pub fn seal(&self, iv: &[u8; IV_LENGTH], plain: &[u8], out: &mut Vec<u8>) {
        out.reserve(plain.len() + MAC_LENGTH);
        let nonce = self.nonce(iv);
        let mac = match &self.way {
            Way::Portable(key) => key.seal(iv, &nonce, plain, out),
            #[cfg(target_arch = "x86_64")]
            Way::Wide(key) => key.seal(iv, &nonce, plain, out),
        };
        out.extend_from_slice(&mac);
    }

    /// The MAC of a ciphertext. Compare it in constant time.
    pub fn mac(&self, iv: &[u8; IV_LENGTH], ciphertext: &[u8]) -> [u8; MAC_LENGTH] {
        let nonce = self.nonce(iv);
        match &self.way {
            Way::Portable(key) => key.mac(&nonce, ciphertext),
            #[cfg(target_arch = "x86_64")]
            Way::Wide(key) => key.mac(&nonce, ciphertext),
        }
    }

    /// Decrypts in place, or encrypts: the two are the same. Look at the MAC first.
    pub fn apply_keystream(&self, iv: &[u8; IV_LENGTH], data: &mut [u8]) {
        match &self.way {
            Way::Portable(key) => key.apply_keystream(iv, data),
            #[cfg(target_arch = "x86_64")]
            Way::Wide(key) => key.apply_keystream(u128::from_be_bytes(*iv), data),
        }
    }

    /// Decrypts, and appends the plain data to `out`. Look at the MAC first.
    pub fn decrypt(&self, iv: &[u8; IV_LENGTH], ciphertext: &[u8], out: &mut Vec<u8>) {
        out.reserve(ciphertext.len());
        let mut counter = u128::from_be_bytes(*iv);
        for tile in ciphertext.chunks(TILE) {
            let begin = out.len();
            out.extend_from_slice(tile);
            let (_, tile) = out.split_at_mut(begin);
            self.apply_keystream(&counter.to_be_bytes(), tile);
            counter = counter.wrapping_add((TILE / 16) as u128);
        }
    }

    /// What is added to the polynomial of Poly1305: the IV, encrypted with `k`.
    fn nonce(&self, iv: &[u8; IV_LENGTH]) -> Zeroizing<[u8; 16]> {
        let mut block = (*iv).into();
        self.mac_cipher.encrypt_block(&mut block);
        Zeroizing::new(block.into())
    }
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(…)")
    }
}

#[cfg(test)]
mod tests;
