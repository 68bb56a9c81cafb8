//! What a restore would do.

use std::sync::Arc;

use crate::format::{BlobKind, Id, Node};
use crate::index::Index;
use crate::progress::Change;
use crate::restore::conflict;
use crate::restore::packs::Packs;
use crate::restore::{
    Basis, Conflict, ConflictKind, Obstacle, Place, Problem, Resolution, RestoreOptions, Target,
    TargetPath,
};

/// What a restore would do, entry by entry, with its figures. Nothing has been written yet.
pub struct RestorePlan {
    pub(super) target: Arc<dyn Target>,
    pub(super) options: RestoreOptions,
    /// Whether the root of the target has to be made.
    pub(super) create_root: bool,
    /// Sorted so that a directory comes before what it holds.
    pub(super) entries: Vec<PlannedEntry>,
    /// What is removed, contents before their directories.
    pub(super) deletions: Vec<Deletion>,
    /// The needed packs that are there.
    pub(super) packs: Packs,
    /// What is already known to go wrong.
    pub problems: Vec<Problem>,
    /// The figures.
    pub totals: PlanTotals,
}

/// Figures of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlanTotals {
    /// Entries that are written: files, directories and everything else.
    pub entries: u64,
    /// Bytes of the files that are written, as the snapshot has them.
    pub bytes: u64,
    /// Of these the bytes that come from the repository; the rest is there already.
    pub fetched_bytes: u64,
    /// Bytes that the target's file system needs in addition, as far as that can be told before.
    pub needed_bytes: u64,
    /// Bytes that the target still takes; `None` where that is not known.
    pub available_bytes: Option<u64>,
    /// Files and other entries that stay as they are: unchanged, or kept by the overwrite policy.
    pub skipped: u64,
    /// Their bytes.
    pub skipped_bytes: u64,
    /// Entries that are removed from the target.
    pub deleted: u64,
}

impl PlanTotals {
    /// How many bytes there are too few.
    pub fn lacking_bytes(&self) -> u64 {
        self.available_bytes
            .map_or(0, |available| self.needed_bytes.saturating_sub(available))
    }
}

/// One entry of a plan.
pub(super) struct PlannedEntry {
    pub path: TargetPath,
    pub node: Node,
    pub step: Step,
    /// What is in the way.
    pub obstacle: Option<Box<Obstacle>>,
    /// The target takes its name for that of another entry.
    pub case_clash: bool,
}

/// What happens to an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A directory that is not there, or something else that gives way to it.
    CreateDir { over_entry: bool },
    /// A directory that is there; its attributes are set.
    MergeDir,
    /// A file that is written, wholly or where it differs.
    WriteFile(Box<FileStep>),
    /// A file or other entry whose content is right; its attributes are set.
    SetAttributes,
    /// Something that is neither file nor directory.
    CreateSpecial { place: Place },
    /// A further name of the entry with this number.
    Link { original: usize, place: Place },
    /// The overwrite policy keeps what is there.
    Keep,
    /// It cannot be restored; a [`Problem`] says why.
    Fail,
}

/// How a file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileStep {
    pub basis: Basis,
    pub place: Place,
    /// For each blob whether the basis has it already; empty if it has none.
    pub reuse: Vec<bool>,
    /// Whether something of that name exists.
    pub exists: bool,
    /// Whether an interrupted restore left something under the partial name, which creating the file clears away.
    pub has_leftover: bool,
    /// Bytes that the basis has already.
    pub reused_bytes: u64,
    /// Bytes that the old file gives back when the new one has taken its place.
    pub frees_bytes: u64,
}

impl FileStep {
    pub(super) fn reuses(&self, blob: usize) -> bool {
        self.reuse.get(blob).copied().unwrap_or(false)
    }
}

/// An entry that is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Deletion {
    pub path: TargetPath,
    pub dir: bool,
    /// Whether it makes room for an entry of the plan, so that it goes before that is written and not at the end.
    pub first: bool,
    /// Whether an interrupted restore left it, so that nobody loses anything by it.
    pub leftover: bool,
}

/// An entry of a plan as it is shown.
#[derive(Debug, Clone, Copy)]
pub struct PlannedAction<'a> {
    /// Where it lies below the target.
    pub path: &'a TargetPath,
    /// What it is; `None` for an entry that is removed.
    pub node: Option<&'a Node>,
    /// What happens to it.
    pub change: Change,
}

impl RestorePlan {
    /// Every entry of the plan and what would happen to it: first those of the snapshot, then what is removed. Entries that
    /// cannot be restored are in [`RestorePlan::problems`].
    pub fn actions(&self) -> impl Iterator<Item = PlannedAction<'_>> {
        let entries = self.entries.iter().filter_map(|entry| {
            Some(PlannedAction {
                path: &entry.path,
                node: Some(&entry.node),
                change: entry.step.change()?,
            })
        });
        let deletions = self.losses().map(|deletion| PlannedAction {
            path: &deletion.path,
            node: None,
            change: Change::Deleted,
        });
        entries.chain(deletions)
    }

    /// Where the target is not what the snapshot has, and what would be done about it: first in the order of the entries,
    /// then what is removed.
    pub fn conflicts(&self) -> impl Iterator<Item = Conflict<'_>> {
        let entries = self.entries.iter().filter_map(conflict::of_entry);
        let deletions = self.losses().map(|deletion| Conflict {
            path: &deletion.path,
            node: None,
            obstacle: None,
            kind: ConflictKind::Surplus,
            resolution: Resolution::Remove,
        });
        entries.chain(deletions)
    }

    fn losses(&self) -> impl Iterator<Item = &Deletion> {
        self.deletions.iter().filter(|deletion| !deletion.leftover)
    }

    /// The target.
    pub fn target(&self) -> &Arc<dyn Target> {
        &self.target
    }
}

impl Step {
    pub(super) fn change(&self) -> Option<Change> {
        Some(match self {
            Self::WriteFile(file) if file.exists => Change::Changed,
            Self::CreateSpecial {
                place: Place::Taken,
            }
            | Self::Link {
                place: Place::Taken,
                ..
            } => Change::Changed,
            // As restic has it, a directory counts as restored whether it was there or not.
            Self::CreateDir { .. }
            | Self::MergeDir
            | Self::WriteFile(_)
            | Self::CreateSpecial { .. }
            | Self::Link { .. } => Change::New,
            Self::SetAttributes => Change::Unchanged,
            Self::Keep => Change::Skipped,
            Self::Fail => return None,
        })
    }
}

/// The blobs of a file with the offset of each in the file; `None` for the length of a blob that no index names.
pub(super) fn pieces<'a>(
    index: &'a Index,
    node: &'a Node,
) -> impl Iterator<Item = (Id, u64, Option<u32>)> + 'a {
    let mut offset = 0_u64;
    node.content.iter().flatten().map(move |id| {
        let length = index
            .locate(BlobKind::Data, id)
            .map(|location| location.plain_length());
        let start = offset;
        offset = offset.saturating_add(length.unwrap_or(0).into());
        (*id, start, length)
    })
}
