//! Restoring: writing what a snapshot holds into a target.

mod blocking;
mod compare;
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
    TargetErrorKind, TargetFile, TargetResult, Withheld,
};
