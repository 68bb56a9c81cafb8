//! Where snapshots are shown: paths with places for what a snapshot says of itself.

mod path;
mod time;

pub use path::PathTemplate;
pub(crate) use path::safe_name;
pub use time::TimeTemplate;
