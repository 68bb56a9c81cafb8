//! Restoring: writing what a snapshot holds into a target.
//!
//! Two steps: [`plan_restore`] walks the snapshot, looks at what the target has in the same places and decides about
//! every entry; [`RestorePlan::execute`] does that and nothing else. The plan is what a dry run shows.
//!
//! The plan. Trees and the target's directories are looked at level by level, side by side. An existing file is compared
//! blob by blob with the snapshot's; only what differs will be fetched. All packs that are needed are looked for. So
//! what is lost, what is in the way and what there is no space for is known before anything is written.
//!
//! The execution, in this order: directories are made or opened up, parents first; contents are written; links, special
//! entries and attributes of unchanged files follow; what the snapshot does not have is removed; directories get their
//! attributes, the deepest first. Packs are read in the order in which the files first need them, each needed
//! range once, several at a time within a budget of memory; every blob goes to all of its places at once, and its hash
//! has been checked before a byte of it is written.
//!
//! How a file is written ([`Basis`]). It has its partial name until it is whole, so under a final name there is always
//! the old file or the new one:
//! - A file of which nothing can be reused is written new, and the old one stays until it is replaced.
//! - Up to 64 MiB, what is right in the old file is copied into the new one, and the old one stays as well.
//! - A larger file is moved to the partial name and written in place, since a copy would need its space twice; not where
//!   it has further names or belongs to a third. If that fails, what is there keeps the partial name and is reported.
//! - What an interrupted restore left under a partial name is compared like an existing file and used, or removed where
//!   the file needs no writing any more.
//!
//! What goes wrong. "Strict" (the default) means that a plan with known problems is not carried out at all: nothing is
//! written. Problems that show only later end one entry and not the restore, since what can be had is worth having; the
//! report lists them and the restore counts as failed. Three things end it: cancellation, a full target, and (if partial
//! restores are not allowed) a storage that fails. Whatever happens, directories get their modes, and after any problem
//! nothing that was surplus is removed. Unfinished new files are removed where the target is full; otherwise they keep
//! their partial names, so that the same restore run again fetches only what is missing.
//!
//! At the end the target is asked to put everything on stable storage ([`RestoreOptions::sync`]).
//!
//! Overwriting ([`Overwrite`]) is restic's, with these differences: the policy also decides whether a folder may take
//! the place of a file, and then about everything below it; symbolic links and devices that are right already are
//! left alone; a folder that is not empty gives way to a file if `delete` is set and covers all that it holds;
//! `delete` never removes what a pattern leaves out, not even inside a folder that it removes otherwise.
//!
//! Nothing leads out of the target: names are checked here ([`TargetPath`]), a name that comes twice in a tree counts
//! once, and a [`Target`] promises to follow no links. Where names were refused nothing is removed.

mod basis;
mod blocking;
mod case;
mod compare;
mod conflict;
mod decide;
mod execute;
mod fetch;
mod options;
mod packs;
mod partial;
mod path;
mod plan;
mod planner;
mod problem;
mod report;
mod space;
mod surplus;
mod survey;
mod target;

pub use conflict::{Conflict, ConflictKind, Obstacle, Resolution};
pub use options::{
    AttributeFilter, Attributes, Overwrite, OwnerPolicy, RestoreOptions, Selection, TimePolicy,
};
pub use partial::{is_partial_name, partial_name};
pub use path::{InvalidName, TargetPath, check_name};
pub use plan::{PlanTotals, PlannedAction, RestorePlan};
pub use planner::plan_restore;
pub use problem::Problem;
pub use report::{RestoreReport, RestoreSummary};
pub use target::{
    Basis, Existing, ExistingKind, Listing, NewFile, Place, ReadAt, Target, TargetError,
    TargetErrorKind, TargetFile, TargetResult, Withheld, write_in_steps,
};
