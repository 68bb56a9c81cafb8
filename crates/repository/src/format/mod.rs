//! Everything that is serialized into a repository, as restic's design document defines it.
//!
//! Invariant: no input or output here, and every decoder takes hostile bytes: it returns an error, never panics,
//! and allocates in proportion to its input at most.

mod id;
mod node;
mod snapshot;
mod time;

pub use id::{BlobKind, Id, InvalidId};
pub use node::{ExtendedAttribute, Mode, Node, NodeKind};
pub use snapshot::{Snapshot, SnapshotSummary};
pub use time::Time;
