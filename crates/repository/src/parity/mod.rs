//! Parity: Reed–Solomon groups over the files of a repository, by which damaged and lost files are brought back.
//!
//! It is optional and lies in a folder of ours; docs/format-parity.md defines it. A group protects up to a hundred files
//! with so many parts as the percentage says: so many of its files may be lost, or in each row of windows so many windows
//! may be damaged. Small files, keys and `config` among them, get as many parts as there are files.
//!
//! Invariants:
//! - A group appears by one write, that of its descriptor, after its parity is stored; it goes in the opposite order. An
//!   old group goes only when each of its living members is in another one.
//! - A group is made of files that are what their names say. What is brought back is what its name says, or is not
//!   written: a descriptor that somebody forged can waste time and nothing else.
//! - Nothing of the repository itself is ever changed but by [`recover`], which puts damaged bytes aside first.
//! - What was removed on purpose is not brought back. The engine knows what it removed, and marks it; what other programs
//!   removed is told from what was lost only by a prune, which proves what is needed, and by the user.

mod arrange;
mod code;
mod encode;
mod execute;
mod existing;
mod figures;
mod files;
mod plan;
mod planner;
pub mod recover;
mod remove;
mod status;

pub use crate::format::parity::ParityMemberKind;
pub use existing::UnreadableGroup;
pub use figures::{ParityFigures, ParityReport};
pub use plan::{ParityOptions, ParityPlan};
pub use remove::ParityRemoval;
pub use status::{ParityStatus, status};
