//! What a probe found.

use std::time::Duration;

use crate::{StorageError, StoragePath};

/// What is tried, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProbeStep {
    /// The first answer at all.
    FirstContact,
    /// A small new file.
    Write,
    /// The size of it, right after.
    Stat,
    /// Its bytes.
    Read,
    /// A part of it, and a part that it does not have.
    Range,
    /// A listing right after a write.
    List,
    /// Removing a file.
    Delete,
    /// Looking for what was removed.
    ReadAfterDelete,
    /// A new file where one of that name is.
    NewOverExisting,
    /// Other bytes in place of a file's, with somebody reading it.
    Replace,
    /// Two writers of one new file at once.
    TwoWriters,
    /// Several files written, listed and read at once.
    AtOnce,
    /// A large file written.
    Upload,
    /// The large file read.
    Download,
    /// Whether the first file is still there as it was left.
    StillThere,
    /// A file beside restic's layout.
    OwnFolders,
    /// The server's clock.
    Clock,
}

impl ProbeStep {
    /// The name in reports; never changes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FirstContact => "first_contact",
            Self::Write => "write",
            Self::Stat => "stat",
            Self::Read => "read",
            Self::Range => "range",
            Self::List => "list",
            Self::Delete => "delete",
            Self::ReadAfterDelete => "read_after_delete",
            Self::NewOverExisting => "new_over_existing",
            Self::Replace => "replace",
            Self::TwoWriters => "two_writers",
            Self::AtOnce => "at_once",
            Self::Upload => "upload",
            Self::Download => "download",
            Self::StillThere => "still_there",
            Self::OwnFolders => "own_folders",
            Self::Clock => "clock",
        }
    }
}

/// How a step ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// As promised.
    Good,
    /// The storage does not do this and says so, as one that is append-only does.
    Refused(String),
    /// A promise was not kept: what the storage did. A sentence whose subject is the storage.
    Broken(String),
    /// An error; nothing was tried after it.
    Failed(StorageError),
    /// Not tried, and why.
    LeftOut(String),
}

impl Verdict {
    /// The name in reports; never changes.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Refused(_) => "refused",
            Self::Broken(_) => "broken",
            Self::Failed(_) => "failed",
            Self::LeftOut(_) => "left_out",
        }
    }
}

/// A step that was tried.
#[derive(Debug)]
pub struct Tried {
    /// Which.
    pub step: ProbeStep,
    /// How it ended.
    pub verdict: Verdict,
    /// Time that the calls took, without the pauses between them.
    pub elapsed: Duration,
    /// Bytes that were sent or received, where that is what counts.
    pub bytes: u64,
    /// What else was seen.
    pub note: Option<String>,
}

/// A capability that can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ability {
    /// [`crate::Capabilities::atomic_new`]
    AtomicNew,
    /// [`crate::Capabilities::atomic_replace`]
    AtomicReplace,
    /// [`crate::Capabilities::whole_files`]
    WholeFiles,
    /// [`crate::Capabilities::confirms_writes`]
    ConfirmsWrites,
    /// [`crate::Capabilities::own_folders`]
    OwnFolders,
    /// Files can be removed; one that is append-only does not allow it. No kind can declare that.
    Deletes,
}

impl Ability {
    /// The name in reports; never changes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AtomicNew => "atomic_new",
            Self::AtomicReplace => "atomic_replace",
            Self::WholeFiles => "whole_files",
            Self::ConfirmsWrites => "confirms_writes",
            Self::OwnFolders => "own_folders",
            Self::Deletes => "deletes",
        }
    }
}

/// A capability as it was declared and as it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub ability: Ability,
    /// What the kind says; `None` where it has no way to say.
    pub declared: Option<bool>,
    /// What was seen; `None` where it could not be tried.
    pub observed: Option<bool>,
}

/// What a probe found.
#[derive(Debug)]
pub struct ProbeReport {
    /// The steps in their order.
    pub tried: Vec<Tried>,
    /// The capabilities that can be seen.
    pub found: Vec<Found>,
    /// [`crate::Capabilities::connections`].
    pub connections: usize,
    /// [`crate::Capabilities::local`].
    pub local: bool,
    /// [`crate::Capabilities::must_be_created`].
    pub must_be_created: bool,
    /// [`crate::Storage::clock_ahead_s`].
    pub clock_ahead_s: Option<i64>,
}

impl ProbeReport {
    /// What the storage did wrong, each a sentence whose subject is the storage.
    pub fn broken(&self) -> impl Iterator<Item = (ProbeStep, &str)> {
        self.tried.iter().filter_map(|tried| match &tried.verdict {
            Verdict::Broken(what) => Some((tried.step, what.as_str())),
            _ => None,
        })
    }

    /// Takes the error that ended it, if one did.
    pub fn into_failure(self) -> Option<StorageError> {
        let mut tried = self.tried.into_iter();
        tried.find_map(|tried| match tried.verdict {
            Verdict::Failed(error) => Some(error),
            _ => None,
        })
    }
}

/// Files of a probe that could not be removed.
#[derive(Debug, Default)]
pub struct Leftovers {
    /// Which.
    pub paths: Vec<StoragePath>,
    /// Why: the first error.
    pub why: Option<StorageError>,
}
