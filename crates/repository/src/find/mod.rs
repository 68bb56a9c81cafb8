//! Finding entries by name, and the files and directories that blobs, trees and packs belong to, in many snapshots.

mod entries;
mod objects;

pub use entries::{FindOptions, SnapshotMatches, find_entries};
pub use objects::{ObjectMatch, ObjectQuery, find_objects};
