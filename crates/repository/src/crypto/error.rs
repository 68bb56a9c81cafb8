use crate::error::{Error, ErrorKind};

/// What went wrong while encrypting, decrypting or deriving a key. None of these name a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// Too short to hold an IV and a MAC.
    #[error("encrypted data of {length} bytes is too short")]
    TooShort {
        /// Its length in bytes.
        length: usize,
    },
    /// The IV is all zero, which no writer produces.
    #[error("the initialisation vector is zero")]
    ZeroIv,
    /// The data, or the key, is not the one it was encrypted with.
    #[error("wrong MAC: damaged, or encrypted with another key")]
    WrongMac,
    /// A key that is all zero or has the wrong length.
    #[error("not a valid key")]
    InvalidKey,
    /// scrypt parameters that make no sense or cost too much.
    #[error("scrypt parameters N={n} r={r} p={p} are refused: {reason}")]
    KdfParams {
        /// Cost.
        n: u64,
        /// Block size.
        r: u64,
        /// Lanes.
        p: u64,
        /// Which limit they break.
        reason: &'static str,
    },
    /// A key file that cannot be used as it is.
    #[error("key file: {0}")]
    KeyFile(&'static str),
    /// The system gave no random bytes.
    #[error("the system has no random bytes: {0}")]
    Random(String),
    /// No thread could be started for the key derivation.
    #[error("start threads for scrypt: {0}")]
    Threads(String),
}

impl From<CryptoError> for Error {
    fn from(error: CryptoError) -> Self {
        let kind = match error {
            CryptoError::Random(_) | CryptoError::Threads(_) => ErrorKind::Internal,
            _ => ErrorKind::Damaged,
        };
        Self::new(kind, error.to_string())
    }
}
