//! Repairing a repository: the index, packs, snapshots; and fetching from another repository what is lost here.
//!
//! Each repair is two steps. `plan_repair_…` reads and says what would happen; `repair_…` does exactly that, under an
//! exclusive lock. [`Repository::plan_heal`](crate::Repository::plan_heal) and [`Repository::heal`](crate::Repository::heal)
//! only add, under a shared one.
//!
//! Invariants (story T-35):
//! - What is written anew is stored, read back and compared with what it replaces before anything is removed. Whenever a
//!   repair is interrupted, what could be read before can be read after, and the same repair can be run again.
//! - A blob that was found in a pack which holds it stays findable. A description of a pack is replaced only by what was
//!   proven by reading the pack.
//! - A damaged file is removed only after a copy of it lies in the [quarantine](crate::own_files::OwnFolder::Quarantine),
//!   read back and compared. Where the storage cannot hold a quarantine, the file stays where it is and the report says so.
//!   Index files that can be read are not damaged: they are removed when all that they say is said elsewhere.
//! - What is lost stays in the snapshots that named it: they are changed by nobody, new ones are made beside them.
//!
//! A file that a listing does not show is missing only if the storage, asked for that file, says so too.

mod change;
mod entries;
mod examine;
mod heal;
mod index;
mod packs;
mod present;
mod quarantine;
mod salvage;
mod snapshots;
mod trees;

pub use entries::Loss;
pub use heal::{HealPlan, HealReport};
pub use index::{IndexRepairOptions, IndexRepairPlan, IndexRepairReport, Redescribed};
pub use packs::{DamagedPack, PacksRepairPlan, PacksRepairReport, PacksToRepair};
pub use present::PresentIndex;
pub use quarantine::QuarantinedFile;
pub(crate) use quarantine::quarantine_name;
pub use snapshots::{
    SnapshotRepair, SnapshotsRepairOptions, SnapshotsRepairPlan, SnapshotsRepairReport, TAG,
};
