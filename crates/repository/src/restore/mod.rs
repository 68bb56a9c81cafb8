//! Restoring: writing what a snapshot holds into a target.

mod options;
mod partial;
mod path;
mod target;

pub use options::{AttributeFilter, Attributes, OwnerPolicy, TimePolicy};
pub use partial::{is_partial_name, partial_name};
pub use path::{InvalidName, TargetPath, check_name};
pub use target::{
    Basis, Existing, ExistingKind, Listing, NewFile, Place, ReadAt, Target, TargetError,
    TargetErrorKind, TargetFile, TargetResult, Withheld,
};
