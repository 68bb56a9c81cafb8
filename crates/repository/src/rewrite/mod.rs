//! Snapshots without some of their files or metadata.
//!
//! Two steps: [`plan_rewrite`] goes through the trees and says what each snapshot would lose; [`RewritePlan::execute`] stores
//! the new trees and publishes the new snapshots, each under its own identifier and with the name of the old one in
//! `original`. Old snapshots stay unless they are to go; what they alone need stays until a prune.
//!
//! Directories in which nothing changes keep their trees. Memory: one path of directories, 32 trees that are read ahead,
//! and a bounded memory of directories that several snapshots have in common.

mod drop_metadata;
mod execute;
mod memo;
mod plan;
mod rules;
mod tree;

pub use drop_metadata::DropMetadata;
pub use execute::RewriteReport;
pub use plan::{RewriteChange, RewritePlan, plan_rewrite};
pub use rules::RewriteOptions;
pub use tree::Entries;
