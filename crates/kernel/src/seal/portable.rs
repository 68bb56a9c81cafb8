//! The crates `aes`, `ctr` and `poly1305`, which choose among the instructions of the processor themselves.

use aes::Aes256;
use aes::cipher::{InnerIvInit, KeyInit, StreamCipher};
use poly1305::universal_hash::UniversalHash;
use poly1305::{Block, Poly1305};
use zeroize::{Zeroize, Zeroizing};

use super::{IV_LENGTH, MAC_LENGTH, TILE};

#[derive(Clone)]
pub(super) struct Portable {
    // Wipes its round keys when dropped.
    cipher: Aes256,
    mac_r: [u8; 16],
}

impl Drop for Portable {
    fn drop(&mut self) {
        self.mac_r.zeroize();
    }
}

impl Portable {
    pub(super) fn new(encrypt: &[u8; 32], mac_r: &[u8; 16]) -> Self {
        Self {
            cipher: Aes256::new(encrypt.into()),
            mac_r: *mac_r,
        }
    }

    pub(super) fn seal(
        &self,
        iv: &[u8; IV_LENGTH],
        nonce: &[u8; 16],
        plain: &[u8],
        out: &mut Vec<u8>,
    ) -> [u8; MAC_LENGTH] {
        let mut stream = self.stream(iv);
        let mut mac = self.authenticator(nonce);
        let (tiles, rest) = plain.as_chunks::<TILE>();
        let mut encrypt = |plain: &[u8], out: &mut Vec<u8>| {
            let begin = out.len();
            out.extend_from_slice(plain);
            let (_, body) = out.split_at_mut(begin);
            stream.apply_keystream(body);
            begin
        };
        for tile in tiles {
            let begin = encrypt(tile, out);
            mac.update(Block::slice_as_chunks(out.split_at(begin).1).0);
        }
        let begin = encrypt(rest, out);
        finish(mac, out.split_at(begin).1)
    }

    pub(super) fn mac(&self, nonce: &[u8; 16], ciphertext: &[u8]) -> [u8; MAC_LENGTH] {
        finish(self.authenticator(nonce), ciphertext)
    }

    pub(super) fn apply_keystream(&self, iv: &[u8; IV_LENGTH], data: &mut [u8]) {
        self.stream(iv).apply_keystream(data);
    }

    fn stream(&self, iv: &[u8; IV_LENGTH]) -> ctr::Ctr128BE<&Aes256> {
        ctr::Ctr128BE::from_core(ctr::CtrCore::inner_iv_init(&self.cipher, iv.into()))
    }

    fn authenticator(&self, nonce: &[u8; 16]) -> Poly1305 {
        let mut one_time = Zeroizing::new([0; 32]);
        one_time[..16].copy_from_slice(&self.mac_r);
        one_time[16..].copy_from_slice(nonce);
        Poly1305::new((&*one_time).into())
    }
}

fn finish(mut mac: Poly1305, data: &[u8]) -> [u8; MAC_LENGTH] {
    // Whole blocks go through the wide code path, the rest through the one for unpadded data.
    let (blocks, rest) = Block::slice_as_chunks(data);
    mac.update(blocks);
    mac.compute_unpadded(rest).into()
}
