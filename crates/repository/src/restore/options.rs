//! What a user can ask of a restore.

use std::fmt;
use std::sync::Arc;

use crate::pattern::{PatternSet, Verdict};

/// Whose an entry shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OwnerPolicy {
    /// The user and group of the snapshot by their numbers.
    #[default]
    Id,
    /// The user and group of the snapshot by their names; by their numbers where this machine does not know the name.
    Name,
    /// Whoever runs the restore.
    None,
    /// These numbers for every entry.
    Fixed {
        /// The user; `None` for the one of the snapshot.
        uid: Option<u32>,
        /// The group; `None` for the one of the snapshot.
        gid: Option<u32>,
    },
}

/// Which times an entry shall have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimePolicy {
    /// Those of the snapshot.
    #[default]
    Snapshot,
    /// Those of the restore.
    Now,
}

/// Chooses extended attributes by their name.
#[derive(Clone, Default)]
pub struct AttributeFilter(Option<Arc<AttributeTest>>);

type AttributeTest = dyn Fn(&str) -> bool + Send + Sync;

impl AttributeFilter {
    /// Every attribute.
    pub fn all() -> Self {
        Self(None)
    }

    /// Those that the function says yes to.
    pub fn new(selected: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(selected)))
    }

    /// Whether an attribute is restored (or, where the snapshot does not have it, removed).
    pub fn selects(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|test| test(name))
    }
}

impl fmt::Debug for AttributeFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "some" } else { "all" })
    }
}

/// Which attributes of an entry are restored.
#[derive(Debug, Clone, Default)]
pub struct Attributes {
    /// Owner and group.
    pub owner: OwnerPolicy,
    /// Access and modification time.
    pub times: TimePolicy,
    /// Extended attributes and ACLs.
    pub extended: AttributeFilter,
}

/// What happens to an entry that exists in the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overwrite {
    /// It becomes what the snapshot has. Of a file's content only what differs is written.
    #[default]
    Always,
    /// As `Always`, but a file of the same size and modification time is taken for unchanged without reading it.
    IfChanged,
    /// As `Always` where the snapshot's modification time is later; otherwise it stays.
    IfNewer,
    /// It stays.
    Never,
}

/// Which entries of the snapshot are restored.
#[derive(Debug, Clone, Default)]
pub enum Selection {
    /// All.
    #[default]
    All,
    /// Those that match, with the directories that lead to them.
    Include(PatternSet),
    /// Those that do not match; nothing below a directory that matches.
    Exclude(PatternSet),
}

impl Selection {
    /// Whether an entry is restored, and whether something below it may be, if it is a directory.
    pub(super) fn judge(&self, absolute_path: &[u8]) -> Verdict {
        match self {
            Self::All => Verdict {
                matched: true,
                child_may_match: true,
            },
            Self::Include(patterns) => patterns.matches(absolute_path),
            Self::Exclude(patterns) => {
                let selected = !patterns.is_match(absolute_path);
                Verdict {
                    matched: selected,
                    child_may_match: selected,
                }
            }
        }
    }
}

/// How a snapshot is restored.
#[derive(Debug, Clone)]
pub struct RestoreOptions {
    /// What happens to what exists.
    pub overwrite: Overwrite,
    /// Which entries are restored.
    pub selection: Selection,
    /// Whether entries of the target that the snapshot does not have are removed: only in directories that are
    /// restored, and only what the selection covers.
    pub delete: bool,
    /// Whether blocks of zeros inside files become holes. Blobs of zeros become holes in any case.
    pub sparse: bool,
    /// Which attributes are restored.
    pub attributes: Attributes,
    /// Whether the plan may be carried out although parts of the snapshot are known to be missing, and whether the
    /// restore goes on when the storage fails.
    pub allow_partial: bool,
    /// Whether the plan may be carried out although the free space does not seem to suffice.
    pub ignore_free_space: bool,
    /// Whether every file that was written is read back and compared.
    pub verify: bool,
    /// Whether the target puts everything on stable storage before the restore counts as done.
    pub sync: bool,
    /// Bytes of packs and blobs that are held in memory at once, 16 MiB at least.
    pub memory_bytes: u64,
}

impl Default for RestoreOptions {
    fn default() -> Self {
        Self {
            overwrite: Overwrite::default(),
            selection: Selection::default(),
            delete: false,
            sparse: false,
            attributes: Attributes::default(),
            allow_partial: false,
            ignore_free_space: false,
            verify: false,
            sync: true,
            memory_bytes: 64 * 1024 * 1024,
        }
    }
}
