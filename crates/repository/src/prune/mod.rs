//! Pruning: removing what no snapshot uses, in two steps. [`Repository::plan_prune`](crate::Repository::plan_prune) says
//! what would happen; [`Repository::prune`](crate::Repository::prune) does exactly that, under an exclusive lock.
//!
//! Invariant: at every moment, whenever the process is killed, every snapshot can be restored. The order keeps it:
//! 1. Blobs that are to stay are moved out of packs that are to go, into new packs, which are stored and indexed.
//! 2. New index files describe what stays of the index files that name packs that are to go.
//! 3. The new index files are read back: each blob that a snapshot uses must be in a pack that stays, and these packs
//!    must be there in their full length. Until here nothing has been removed.
//! 4. What leaves the trash is taken out, so that nothing is listed there whose data is gone.
//! 5. Old index files are removed. As long as one of them is there, the packs that it names are too.
//! 6. Packs are removed.
//!
//! Snapshots in the trash are needed like any others until their time has come; see [`crate::trash`].
//!
//! Before each step that removes, the lock must still stand and the snapshots must be those of the plan. A pack that no
//! snapshot needs and that the kill left behind is in no index, or its blobs are there twice: the next prune removes it.

mod confirm;
mod decide;
mod execute;
mod figures;
mod options;
mod plan;
mod repack;
mod rewrite;
#[cfg(test)]
mod scene;
mod select;
mod trash;

pub use execute::PruneReport;
pub use figures::{Amounts, PruneFigures};
pub use options::{EmptyTrash, InvalidMaxUnused, MaxUnused, PruneOptions};
pub use plan::PrunePlan;
