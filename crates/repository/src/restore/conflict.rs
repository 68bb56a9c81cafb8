//! Where the target is not what the snapshot has, and what a plan does about it.

use crate::format::{Node, NodeKind, Time};
use crate::restore::plan::{PlannedEntry, Step};
use crate::restore::survey::Found;
use crate::restore::{Basis, Existing, ExistingKind, TargetPath};

/// What stands in the place of an entry of the snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// What it is.
    pub kind: ExistingKind,
    /// Bytes of a file's content.
    pub size_bytes: u64,
    /// Last change of the content.
    pub mtime: Time,
    /// Whether it is marked immutable or append-only, so that it cannot be replaced.
    pub is_immutable: bool,
}

/// What sets the target and the snapshot against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConflictKind {
    /// Both have a file, and the target's was changed later.
    TargetNewer,
    /// Both have a file, and the snapshot's was changed later.
    TargetOlder,
    /// Both have a file, changed at the same time, and they differ all the same.
    SameTime,
    /// The target has a folder where the snapshot has something else.
    FolderInTheWay,
    /// The snapshot has a folder where the target has something else.
    NoFolder,
    /// The target has a symbolic link where the snapshot has something else, or a link that leads elsewhere.
    LinkInTheWay,
    /// The two are of different kinds.
    OtherKind,
    /// The target takes the name for that of another entry, which differs in case alone.
    CaseClash,
    /// The snapshot does not have it.
    Surplus,
}

/// What a plan does about a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// What differs is written; what is right already is used.
    Update,
    /// The snapshot's takes the place of the target's.
    Replace,
    /// It is removed.
    Remove,
    /// The target's stays, since the overwrite policy says so.
    Keep,
    /// The target's stays, since it cannot be replaced.
    Fail,
}

/// One conflict of a plan.
#[derive(Debug, Clone, Copy)]
pub struct Conflict<'a> {
    /// Where.
    pub path: &'a TargetPath,
    /// The snapshot's; `None` for what it does not have.
    pub node: Option<&'a Node>,
    /// The target's; `None` where only its name is known.
    pub obstacle: Option<&'a Obstacle>,
    /// What the conflict is.
    pub kind: ConflictKind,
    /// What is done.
    pub resolution: Resolution,
}

/// What of the target is in the way of an entry, where something is; whether it is immutable has still to be asked.
pub(super) fn obstacle(found: &Found, step: &Step) -> Option<Obstacle> {
    let existing = found.existing.as_deref().filter(|_| !found.shadowed)?;
    let is_met = match step {
        Step::MergeDir | Step::SetAttributes => false,
        // Nobody has looked at the content.
        Step::Keep => looks_different(&found.node, existing),
        Step::Fail => !is_kind(&found.node, &existing.kind),
        Step::CreateDir { .. }
        | Step::WriteFile(_)
        | Step::CreateSpecial { .. }
        | Step::Link { .. } => true,
    };
    is_met.then(|| Obstacle {
        kind: existing.kind.clone(),
        size_bytes: existing.size_bytes,
        mtime: existing.mtime,
        is_immutable: false,
    })
}

fn looks_different(node: &Node, existing: &Existing) -> bool {
    match &existing.kind {
        ExistingKind::File => {
            node.kind != NodeKind::File
                || (node.size_bytes, node.mtime) != (existing.size_bytes, existing.mtime)
        }
        ExistingKind::Symlink(target) => *target != node.link_target,
        kind => !is_kind(node, kind),
    }
}

fn is_kind(node: &Node, kind: &ExistingKind) -> bool {
    matches!(
        (&node.kind, kind),
        (NodeKind::File, ExistingKind::File)
            | (NodeKind::Dir, ExistingKind::Dir)
            | (NodeKind::Symlink, ExistingKind::Symlink(_))
            | (NodeKind::Fifo, ExistingKind::Fifo)
            | (NodeKind::Socket, ExistingKind::Socket)
            | (NodeKind::BlockDevice, ExistingKind::BlockDevice(_))
            | (NodeKind::CharDevice, ExistingKind::CharDevice(_))
    )
}

/// The conflict of an entry, if it has one.
pub(super) fn of_entry(entry: &PlannedEntry) -> Option<Conflict<'_>> {
    let (kind, resolution) = match &entry.obstacle {
        Some(obstacle) => (
            kind(&entry.node, obstacle),
            resolution(&entry.step, obstacle),
        ),
        None if entry.case_clash => (ConflictKind::CaseClash, Resolution::Fail),
        None => return None,
    };
    Some(Conflict {
        path: &entry.path,
        node: Some(&entry.node),
        obstacle: entry.obstacle.as_deref(),
        kind,
        resolution,
    })
}

fn kind(node: &Node, obstacle: &Obstacle) -> ConflictKind {
    match (&node.kind, &obstacle.kind) {
        (NodeKind::File, ExistingKind::File) => match obstacle.mtime.cmp(&node.mtime) {
            std::cmp::Ordering::Greater => ConflictKind::TargetNewer,
            std::cmp::Ordering::Less => ConflictKind::TargetOlder,
            std::cmp::Ordering::Equal => ConflictKind::SameTime,
        },
        (_, ExistingKind::Dir) => ConflictKind::FolderInTheWay,
        (NodeKind::Dir, _) => ConflictKind::NoFolder,
        (_, ExistingKind::Symlink(_)) => ConflictKind::LinkInTheWay,
        _ => ConflictKind::OtherKind,
    }
}

fn resolution(step: &Step, obstacle: &Obstacle) -> Resolution {
    match step {
        Step::Keep => Resolution::Keep,
        Step::Fail => Resolution::Fail,
        _ if obstacle.is_immutable => Resolution::Fail,
        Step::WriteFile(file) if matches!(file.basis, Basis::Copy(..) | Basis::InPlace(_)) => {
            Resolution::Update
        }
        _ => Resolution::Replace,
    }
}
