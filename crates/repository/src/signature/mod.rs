//! Signatures: who published and removed which snapshot, stated with a key that neither the holder of the storage nor a
//! thief of the password has.
//!
//! The identifier of a snapshot is the SHA-256 of its file, and all that it stands for is named by SHA-256 below it. So a
//! signature over identifiers of snapshots binds every byte that can be restored from them. Each run that changes the set
//! of snapshots adds one *statement* with the identifiers it published and removed, and the hashes of the statements
//! before it: a chain, or rather a graph, since two runs at the same time make two heads, which the next one joins. The
//! form is [`crate::format::SignedStatement`]; `docs/signatures.md` says against whom it helps and against whom it does not.
//!
//! # The order of writing
//! Killed anywhere, a run leaves nothing that looks like tampering:
//! 1. An *announcement*, signed as well and no link of the chain, says what is about to be published or removed.
//! 2. The snapshot appears, or vanishes.
//! 3. The statement says that it did. From here on the opposite is tampering.
//! 4. The announcement is removed.
//!
//! Whoever signs next settles what a run left behind: what was announced and has happened goes into the next statement.
//! An announcement counts only while the chain says nothing later of its snapshot, so that an old one that somebody kept
//! and puts back means nothing.
//!
//! # Reading
//! Statements are read first, then the list of snapshots, then the list of statements again, until nothing changed in
//! between: what others do meanwhile does not look like tampering.

mod chain;
mod finding;
mod key;
mod plan;
mod signer;
mod verify;
mod view;
mod write;

pub use finding::{SignatureFinding, SignatureFindingKind};
pub use key::{HmacKey, SigningKey, VerifyingKey};
pub use plan::{AcceptPlan, CompactPlan, SignPlan};
pub use signer::Signer;
pub use verify::{SignatureOptions, SignatureReport};
pub use view::Vouch;

pub use crate::format::{Link, SignatureAlgorithm};
