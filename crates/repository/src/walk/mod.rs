//! Going through the trees of snapshots.
//!
//! Two ways: [`Walk`] goes through one tree in the order of the names, depth first; [`walk_union`] goes through many at once and
//! reads what they have in common once. Both read ahead, hold a bounded number of trees beside the path they are at,
//! and take nothing that a repository says for granted: a tree that cannot be read, an entry whose name is no name, a
//! directory without a tree are [`Damage`], which is reported in its place while the walk goes on.

mod check;
mod path;
mod pending;
mod union;
mod walker;

pub use check::checked_entries;
pub use path::{Located, checked_tree, locate};
pub use union::{Found, Members, walk_union};
pub use walker::{Descend, Step, Walk};

use crate::Error;
use crate::format::{Id, Node};

/// Directories below one another; deeper ones are damage, since no file system could hold them and no restore could
/// make them.
pub const DEPTH_MAX: usize = 4096;

/// An entry of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it lies: begins with `/`, raw bytes.
    pub path: Vec<u8>,
    /// The tree that it is an entry of.
    pub parent_tree: Id,
    /// What is known of it.
    pub node: Node,
}

/// Something in a snapshot that is not as it was written, or never made sense.
#[derive(Debug)]
pub struct Damage {
    /// The directory or entry.
    pub path: Vec<u8>,
    /// What is wrong with it.
    pub error: Error,
}
