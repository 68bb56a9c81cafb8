//! The trash: snapshots that were forgotten and can still be brought back.
//!
//! A record in the trash holds the snapshot's file ([`TrashRecord`](crate::format::TrashRecord)). Invariants:
//! - A snapshot goes into the trash before it is removed, and out of it after it is back: killed at any moment, it is in
//!   one of the two places, or in both, which is no harm.
//! - A prune takes what is in the trash for needed until its time has come. A record is removed before the data that it
//!   needs, so that nothing is listed whose data we have removed. restic's prune knows no trash: what it has removed,
//!   [`plan_undelete`], a check and a prune of ours say.
//! - What cannot be read may need anything: a prune refuses then, as it does for snapshots.

mod due;
mod entries;
mod keep;
mod missing;
mod undelete;

pub(crate) use due::{Witnesses, is_due};
pub use entries::TrashEntry;
pub use keep::TrashTimes;
pub use missing::Missing;
pub(crate) use missing::find_missing;
pub use undelete::{Undelete, UndeletePlan, UndeleteReport, plan_undelete};
