//! Keys that sign and keys that verify.

use std::fmt;

use ctutils::CtEq;
use ed25519_dalek::Signer as _;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::crypto::fill_random;
use crate::format::{Id, SignatureAlgorithm, SignatureKeyFile};
use crate::{Error, ErrorKind, Result};

/// What an HMAC key is named by: the HMAC of this text, from which nobody gets the key.
const HMAC_KEY_NAME: &[u8] = b"strongroom signatures: name of the key";

/// A key that signs. Wiped when dropped, never shown.
#[derive(Clone)]
pub enum SigningKey {
    /// A key of its holder alone; what it signs is verified with its public key.
    Ed25519(Box<ed25519_dalek::SigningKey>),
    /// A key that signers and verifiers share: who can verify can also sign.
    Hmac(HmacKey),
}

/// A key that verifies.
#[derive(Clone)]
pub enum VerifyingKey {
    /// A public key.
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
    /// The shared key.
    Hmac(HmacKey),
}

/// A key that signers and verifiers share.
#[derive(Clone)]
pub struct HmacKey(Zeroizing<[u8; 32]>);

impl SigningKey {
    /// A new random key.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if the system has no random bytes.
    pub fn generate(algorithm: SignatureAlgorithm) -> Result<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        fill_random(bytes.as_mut_slice())
            .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
        Ok(match algorithm {
            SignatureAlgorithm::Ed25519 => Self::of_seed(&bytes),
            SignatureAlgorithm::HmacSha256 => Self::Hmac(HmacKey(bytes)),
        })
    }

    /// The key of a file.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a file that holds none, or a public key.
    pub fn decode(text: &str) -> Result<Self> {
        match decode(text)? {
            SignatureKeyFile::Ed25519Private(seed) => Ok(Self::of_seed(&seed)),
            SignatureKeyFile::Hmac(key) => Ok(Self::Hmac(HmacKey(key))),
            SignatureKeyFile::Ed25519Public(_) => Err(Error::new(
                ErrorKind::Invalid,
                "it holds a public key, which verifies and does not sign",
            )),
        }
    }

    /// The text of a key file; a secret.
    pub fn encode(&self) -> Zeroizing<String> {
        match self {
            Self::Ed25519(key) => SignatureKeyFile::Ed25519Private(Zeroizing::new(key.to_bytes())),
            Self::Hmac(key) => SignatureKeyFile::Hmac(key.0.clone()),
        }
        .encode()
    }

    fn of_seed(seed: &[u8; 32]) -> Self {
        Self::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(seed)))
    }

    /// The key that verifies what this one signs.
    pub fn verifying_key(&self) -> VerifyingKey {
        match self {
            Self::Ed25519(key) => VerifyingKey::Ed25519(Box::new(key.verifying_key())),
            Self::Hmac(key) => VerifyingKey::Hmac(key.clone()),
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
            Self::Hmac(key) => key.mac(message).to_vec(),
        }
    }
}

impl VerifyingKey {
    /// The key of a file: a public key, or a shared one. Of a private key its public key.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a file that holds none.
    pub fn decode(text: &str) -> Result<Self> {
        let key = match decode(text)? {
            SignatureKeyFile::Ed25519Public(key) => key,
            SignatureKeyFile::Ed25519Private(seed) => {
                return Ok(SigningKey::of_seed(&seed).verifying_key());
            }
            SignatureKeyFile::Hmac(key) => return Ok(Self::Hmac(HmacKey(key))),
        };
        let point = ed25519_dalek::VerifyingKey::from_bytes(&key);
        // With a weak key a signature may hold for many messages.
        let point = point.ok().filter(|point| !point.is_weak());
        let message = "it holds no public key that Ed25519 allows";
        point
            .map(|point| Self::Ed25519(Box::new(point)))
            .ok_or_else(|| Error::new(ErrorKind::Invalid, message))
    }

    /// How it verifies.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        match self {
            Self::Ed25519(_) => SignatureAlgorithm::Ed25519,
            Self::Hmac(_) => SignatureAlgorithm::HmacSha256,
        }
    }

    /// What statements name it by.
    pub fn id(&self) -> Id {
        match self {
            Self::Ed25519(key) => Id::of(&SignatureKeyFile::public_der(key.as_bytes())),
            Self::Hmac(key) => Id::from_bytes(key.mac(HMAC_KEY_NAME)),
        }
    }

    /// The text of a public key's file; `None` for a shared key, which is no matter of the public.
    pub fn public_text(&self) -> Option<String> {
        match self {
            Self::Ed25519(key) => {
                let text = SignatureKeyFile::Ed25519Public(key.to_bytes()).encode();
                Some(text.to_string())
            }
            Self::Hmac(_) => None,
        }
    }

    /// Whether knowing it is enough to sign.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Hmac(_))
    }

    /// Ed25519 is verified strictly: what this accepts, every implementation accepts, and nobody can alter a signature
    /// into another one that holds as well.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Self::Hmac(key) => key.mac(message).as_slice().ct_eq(signature).to_bool(),
        }
    }
}

impl HmacKey {
    fn mac(&self, message: &[u8]) -> [u8; 32] {
        // Any length of key is allowed, so this is never without one.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.as_slice()) else {
            return [0; 32];
        };
        mac.update(message);
        mac.finalize().into_bytes().into()
    }
}

fn decode(text: &str) -> Result<SignatureKeyFile> {
    SignatureKeyFile::decode(text)
        .map_err(|error| Error::new(ErrorKind::Invalid, error.to_string()))
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.verifying_key().id())
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({:?})", self.id())
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    /// RFC 8032, section 7.1, the second example.
    #[test]
    fn ed25519_signs_as_its_specification_says() {
        let seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let key = SigningKey::of_seed(&seed.try_into().unwrap());
        let signature = hex(concat!(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da",
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ));
        assert_eq!(key.sign(&[0x72]), signature);
        assert!(key.verifying_key().verifies(&[0x72], &signature));
    }

    /// A signature that holds for something else, or under another key, proves nothing.
    #[test]
    fn what_was_not_signed_does_not_verify() {
        for algorithm in [SignatureAlgorithm::Ed25519, SignatureAlgorithm::HmacSha256] {
            let key = SigningKey::generate(algorithm).unwrap();
            let other = SigningKey::generate(algorithm).unwrap();
            let signature = key.sign(b"message");
            assert!(key.verifying_key().verifies(b"message", &signature));
            assert!(!key.verifying_key().verifies(b"massage", &signature));
            assert!(!other.verifying_key().verifies(b"message", &signature));
            assert_ne!(key.verifying_key().id(), other.verifying_key().id());
            for length in 0..signature.len() {
                let cut = &signature[..length];
                assert!(!key.verifying_key().verifies(b"message", cut));
            }
            for bit in 0..signature.len() * 8 {
                let mut altered = signature.clone();
                altered[bit / 8] ^= 1 << (bit % 8);
                assert!(!key.verifying_key().verifies(b"message", &altered));
            }
            let again = SigningKey::decode(&key.encode()).unwrap();
            assert_eq!(again.sign(b"message"), signature);
        }
    }

    /// Under the key of order one every message has a signature that anybody can write down.
    #[test]
    fn a_weak_public_key_is_none() {
        let mut weak = [0; 32];
        weak[0] = 1;
        let text = SignatureKeyFile::Ed25519Public(weak).encode();
        let error = VerifyingKey::decode(&text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(SigningKey::decode(&text).is_err());
    }
}
