//! Encryption and authentication of everything in a repository: AES-256-CTR with a Poly1305-AES MAC, and the
//! derivation of a key from a password with scrypt (sections "Keys, Encryption and MAC" of the design document).

mod error;
mod iv;
mod kdf;
mod key_file;
mod master_key;

pub use error::CryptoError;
pub use kdf::{KdfParams, SALT_LENGTH};
pub use key_file::KeyOwner;
pub(crate) use master_key::fill_random;
pub use master_key::{MasterKey, OVERHEAD};
