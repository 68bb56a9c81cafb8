//! Everything that is serialized into a repository, as restic's design document defines it.
//!
//! Invariant: no input or output here, and every decoder takes hostile bytes: it returns an error, never panics,
//! and allocates in proportion to its input at most, or to a limit that it names.
//!
//! Encoders yield the bytes that restic 0.18 yields for the same values, so that both programs name equal trees equally.

mod config;
mod error;
mod go_json;
mod go_quote;
mod id;
pub mod index;
pub(crate) mod key_file;
mod lock;
mod mode;
mod node;
pub mod pack_header;
pub mod parity;
mod read;
mod receipt;
mod signature;
mod signature_key;
mod snapshot;
mod time;
mod trash_record;
mod tree;
pub mod unpacked;

pub use config::{Config, RepositoryVersion};
pub use error::FormatError;
pub use id::{BlobKind, Id, InvalidId};
pub use key_file::KeyFile;
pub use lock::Lock;
pub use mode::Mode;
pub use node::{ExtendedAttribute, Node, NodeKind};
pub use receipt::Receipt;
pub use signature::{
    Link, STATEMENT_MAX_BYTES, SignatureAlgorithm, SignedStatement, Statement, StatementKind,
    StatementName,
};
pub use signature_key::{KEY_FILE_MAX_BYTES, SignatureKeyFile};
pub use snapshot::{Snapshot, SnapshotSummary};
pub use time::{InvalidTime, Time};
pub use trash_record::TrashRecord;
pub use tree::{Tree, TreeBuilder};
