//! Copying snapshots between repositories: decrypted with one key, encrypted with the other, never cut anew.
//!
//! Trees and data keep their identifiers, so that what the destination has is not sent again, and a copy of a snapshot
//! names the same tree. A snapshot appears in the destination only after all that it needs is stored and indexed there.
//! An interrupted copy leaves what it stored; the next one goes on from there.
//!
//! Where both repositories cut files at different places (other polynomials) a copy is as good, but what was copied and
//! what is backed up there directly share nothing.

mod catch_up;
mod execute;
mod plan;
mod similar;

pub use catch_up::History;
pub use execute::{CopiedSnapshot, CopyReport};
pub use plan::{CopyFigures, CopyPlan, SkippedSnapshot};
