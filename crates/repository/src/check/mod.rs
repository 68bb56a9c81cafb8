//! Checking a repository: whether all that the snapshots need is there and whole. Nothing is repaired or changed.
//!
//! A check takes [`Access::Read`](crate::lock::Access::Read) and waits for nobody; restic's takes an exclusive lock.
//! So others may work beside it, and what they do must not look like damage:
//! - A backup stores packs, then index files, then its snapshot. The check looks in the opposite order: snapshots first,
//!   then the index, then the packs. What it knows of is then there, whatever is added meanwhile. Packs that no index
//!   names may be a backup's that is under way; they are a hint, and no prune is suggested while others work.
//! - A prune waits for the check's shared lock. Where the check could not take one (a repository that cannot be written,
//!   or one that is being pruned), index files may vanish while it reads. It then loads the index anew, and if errors
//!   remain and the index has been rewritten meanwhile, it says that the result means nothing instead of reporting damage.

mod affected;
mod entry;
mod finding;
mod packs;
mod places;
mod read_data;
mod report;
mod run;
mod structure;
mod subset;
mod trash;

pub use affected::AffectedSnapshot;
pub(crate) use affected::{Losses, find_affected};
pub use finding::{EntryProblem, Finding, FindingKind, Severity};
pub use report::{CheckFigures, CheckReport, CheckSummary};
pub use run::CheckOptions;
pub(crate) use subset::parse_size;
pub use subset::{InvalidSubset, ReadData};
