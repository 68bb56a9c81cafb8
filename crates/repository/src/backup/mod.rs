//! Backing up: reading a source and storing what the repository does not have.
//!
//! Every directory, every large file and every batch of small ones is a job on the worker threads. A job reads, cuts,
//! hashes, compresses and encrypts on one core while the data is warm; no job waits for another. Packs go to the storage from the async side, and a
//! job that produces faster than the storage takes waits there: that bounds the memory.
//!
//! A snapshot appears by one write after everything that it needs is stored and indexed, and only if the lock still
//! stands then (stories T-06, T-25).
//!
//! What the repository has lost of earlier snapshots and the source still has is stored again (story T-36), since the index
//! does not name it. A backup that meets such a loss looks at the end which earlier snapshots it made whole.

mod chunk;
mod compare;
mod counters;
mod directory;
mod file;
mod healed;
mod options;
mod parent;
mod publish;
mod run;
mod small;
mod source;

pub use counters::BackupFigures;
pub use healed::Healed;
pub use options::BackupOptions;
pub use publish::BackupReport;
pub use source::{Children, Content, Entry, EntryError, Handle, LeftOut, LeftOutReason, Source};
