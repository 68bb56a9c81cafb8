//! What every source promises ([`strongroom_repository::backup::Source`]), and a way to read all of one.

mod walk;

pub use walk::{Found, Walked, read, walk};
