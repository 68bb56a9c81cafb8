//! What can be backed up and put back; one folder a kind.
//!
//! Invariant: nothing here knows repositories, packs or encryption. A source hands out entries as
//! [`strongroom_repository::backup`] defines them; what was asked for and cannot be read is an error in its place,
//! never a gap.

pub mod command;
pub mod files;
pub mod files_from;
pub mod stdin;
mod stream;
