//! Locks: how processes that share a repository keep out of each other's way.
//!
//! The files are restic's and restic's rules hold in both directions: any number of shared locks, or one exclusive
//! lock. A lock is written anew every five minutes; one that is thirty minutes old belongs to a process that died or
//! slept.
//!
//! What we add:
//! - Fencing. [`Lock::verify`] is called before anything is published or deleted. A process that slept past its lock's
//!   life finds there whether its lock still stands, and gives up if it does not.
//! - Proof of death. Our locks carry the identity of their process in a field that restic ignores. A lock whose process
//!   is provably gone (the machine has booted since, or the process does not exist) is removed by whoever meets it. A
//!   lock of another machine is never removed automatically.
//! - Readers never wait: see [`Access::Read`].

mod acquire;
mod host;
mod keep;
mod stale;

pub use acquire::{Access, LockOptions};
pub use host::{Host, Identity};
pub use keep::{Fence, Lock};
pub use stale::{FoundLock, Unlocked};

use std::time::Duration;

/// Age at which a lock is written anew.
pub const REFRESH_AFTER: Duration = Duration::from_secs(5 * 60);

/// Age at which a lock is taken for dead by restic's `unlock`, and so by its holder.
pub const STALE_AFTER: Duration = Duration::from_secs(30 * 60);

/// Age of its own lock at which a process takes itself to have slept: it would have been written anew twice by then. What
/// is left until [`STALE_AFTER`] is for the one call that follows a look at the lock.
const SLEPT_AFTER: Duration = Duration::from_secs(15 * 60);
