//! Who holds a lock, and whether they still live.

use std::fmt;

use crate::format;

/// Who this process is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// Name of the machine.
    pub hostname: String,
    /// Name of the user.
    pub username: String,
    /// The user.
    pub uid: u32,
    /// The user's group.
    pub gid: u32,
    /// The process.
    pub pid: u32,
    /// What makes the process unique for ever: boot, pid name space, start. Empty where the system does not tell.
    pub process: String,
}

/// The machine that this process runs on.
pub trait Host: fmt::Debug + Send + Sync {
    /// Who this process is.
    fn identity(&self) -> Identity;

    /// Whether the holder of a lock is provably dead. `false` whenever there is doubt: a holder on another machine, in
    /// another container, or one that wrote no `process`.
    fn is_dead(&self, lock: &format::Lock) -> bool;
}
