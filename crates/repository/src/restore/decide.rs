//! From what was found to what is done.

use std::collections::HashMap;
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use tokio_util::sync::CancellationToken;

use crate::format::{Node, NodeKind};
use crate::index::Index;
use crate::progress::{Amount, Progress};
use crate::restore::basis::{bytes, choose, usable};
use crate::restore::blocking::blocking;
use crate::restore::compare::{Piece, matching};
use crate::restore::conflict::obstacle;
use crate::restore::plan::{Deletion, FileStep, PlannedEntry, Step, pieces};
use crate::restore::problem::OrProblem;
use crate::restore::survey::{Found, may_replace};
use crate::restore::{
    Existing, ExistingKind, Obstacle, Overwrite, Place, Problem, RestoreOptions, Target,
    TargetPath, surplus,
};
use crate::{Error, ErrorKind, Result};

/// Files that are compared at once.
const AT_ONCE: usize = 8;

pub(super) struct Decider<'a> {
    pub index: &'a Index,
    pub target: &'a Arc<dyn Target>,
    pub options: &'a RestoreOptions,
    pub progress: &'a dyn Progress,
}

/// What was decided.
#[derive(Default)]
pub(super) struct Decided {
    pub entries: Vec<PlannedEntry>,
    pub deletions: Vec<Deletion>,
    pub problems: Vec<Problem>,
}

/// What is decided about one entry.
struct Verdict {
    step: Step,
    deletions: Vec<Deletion>,
    problem: Option<Problem>,
}

impl Verdict {
    fn of(step: Step) -> Self {
        Self {
            step,
            deletions: Vec::new(),
            problem: None,
        }
    }

    fn fail(problem: Problem) -> Self {
        Self {
            problem: Some(problem),
            ..Self::of(Step::Fail)
        }
    }
}

impl Decider<'_> {
    pub(super) async fn decide(
        &self,
        found: Vec<Found>,
        cancel: &CancellationToken,
    ) -> Result<Decided> {
        let links = self.links(&found);
        let inodes: Vec<Option<(u64, u64)>> = found
            .iter()
            .map(|found| found.existing.as_ref().map(|existing| existing.file_id))
            .collect();
        let mut decided = Decided::default();
        let mut verdicts = stream::iter(found.into_iter().zip(links))
            .map(|(mut found, link)| async move {
                self.correct_size(&mut found);
                let verdict = self.one(&found, link, cancel).await;
                (found, verdict)
            })
            .buffered(AT_ONCE);
        while let Some((found, verdict)) = verdicts.next().await {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            let verdict = verdict?;
            decided.problems.extend(verdict.problem);
            decided.deletions.extend(verdict.deletions);
            let mut step = verdict.step;
            if let Step::Link { original, .. } = step {
                let same_file = found.existing.is_some()
                    && inodes.get(original).copied().flatten()
                        == found.existing.as_ref().map(|existing| existing.file_id);
                let kept = decided
                    .entries
                    .get(original)
                    .map(|entry: &PlannedEntry| &entry.step);
                if same_file && kept == Some(&Step::SetAttributes) {
                    step = Step::SetAttributes;
                }
            }
            // A file that is written takes its leftover over. What nobody decided about stays as it is.
            let stays = matches!(step, Step::Keep | Step::Fail) && !self.options.delete;
            if !stays && !matches!(step, Step::WriteFile(_)) {
                decided.deletions.extend(stale_leftover(&found));
            }
            let obstacle = self.obstacle(&found, &step).await?;
            decided.entries.push(PlannedEntry {
                path: found.path,
                node: found.node,
                step,
                obstacle: obstacle.map(Box::new),
                case_clash: found.case_clash,
            });
        }
        Ok(decided)
    }

    async fn obstacle(&self, found: &Found, step: &Step) -> Result<Option<Obstacle>> {
        let Some(obstacle) = obstacle(found, step) else {
            return Ok(None);
        };
        let (target, path) = (Arc::clone(self.target), found.path.clone());
        // Whoever cannot be asked is taken for changeable; the execution tells.
        let is_immutable = blocking(move || target.is_immutable(&path).unwrap_or(false)).await?;
        Ok(Some(Obstacle {
            is_immutable,
            ..obstacle
        }))
    }

    /// The content decides how long a file is. Old programs stored a size that the file had before it was read.
    fn correct_size(&self, found: &mut Found) {
        let size = pieces(self.index, &found.node)
            .last()
            .map_or(0, |(_, offset, length)| {
                offset.saturating_add(length.unwrap_or(0).into())
            });
        if found.node.kind == NodeKind::File && found.node.size_bytes != size {
            let told = found.node.size_bytes;
            let path = &found.path;
            self.progress.warning(&format!(
                "{path}: the snapshot says {told} bytes and has {size}"
            ));
            found.node.size_bytes = size;
        }
    }

    /// For each entry the first that is another name of the same file.
    fn links(&self, found: &[Found]) -> Vec<Option<usize>> {
        let mut first: HashMap<(u64, u64), usize> = HashMap::new();
        let mut links = Vec::with_capacity(found.len());
        for (number, entry) in found.iter().enumerate() {
            let node = &entry.node;
            let candidate = node.kind != NodeKind::Dir
                && node.links > 1
                && !entry.shadowed
                && may_replace(self.options.overwrite, node, entry.existing.as_deref());
            let original = candidate
                .then(|| *first.entry((node.device_id, node.inode)).or_insert(number))
                .filter(|&original| original != number)
                // Numbers of inodes are only as good as the source's file system; the content decides.
                .filter(|&original| {
                    found.get(original).is_some_and(|original| {
                        let original = &original.node;
                        (&original.kind, &original.content, original.size_bytes)
                            == (&node.kind, &node.content, node.size_bytes)
                            && (&original.link_target, original.device)
                                == (&node.link_target, node.device)
                    })
                });
            links.push(original);
        }
        links
    }

    async fn one(
        &self,
        found: &Found,
        link: Option<usize>,
        cancel: &CancellationToken,
    ) -> Result<Verdict> {
        let existing = found.existing.as_deref();
        if found.shadowed {
            return Ok(Verdict::of(Step::Keep));
        }
        if found.case_clash {
            let message =
                "the target takes this name for that of another entry, which differs in case alone";
            let path = found.path.absolute();
            let problem = Problem::new(path, "create", ErrorKind::Target, message);
            return Ok(Verdict::fail(problem));
        }
        if found.node.kind == NodeKind::Dir {
            return Ok(Verdict::of(self.directory(&found.node, existing)));
        }
        if !may_replace(self.options.overwrite, &found.node, existing) {
            return Ok(Verdict::of(Step::Keep));
        }
        if let NodeKind::Other(kind) = &found.node.kind {
            let message = format!("entries of the kind {kind:?} are not known");
            let path = found.path.absolute();
            let problem = Problem::new(path, "create", ErrorKind::Target, message);
            return Ok(Verdict::fail(problem));
        }
        let (place, deletions) = match self.make_room(&found.path, existing).await? {
            Ok(room) => room,
            Err(problem) => return Ok(Verdict::fail(problem)),
        };
        let mut verdict = match link {
            Some(original) => Verdict::of(Step::Link { original, place }),
            None if found.node.kind == NodeKind::File => self.file(found, place, cancel).await?,
            None if existing.is_some_and(|existing| is_same(&found.node, existing)) => {
                Verdict::of(Step::SetAttributes)
            }
            None => Verdict::of(Step::CreateSpecial { place }),
        };
        verdict.deletions = deletions;
        Ok(verdict)
    }

    fn directory(&self, node: &Node, existing: Option<&Existing>) -> Step {
        match existing {
            None => Step::CreateDir { over_entry: false },
            Some(existing) if existing.kind == ExistingKind::Dir => Step::MergeDir,
            existing if may_replace(self.options.overwrite, node, existing) => {
                Step::CreateDir { over_entry: true }
            }
            Some(_) => Step::Keep,
        }
    }

    /// How something that is no directory gets its place; what has to be removed for it.
    async fn make_room(
        &self,
        path: &TargetPath,
        existing: Option<&Existing>,
    ) -> Result<OrProblem<(Place, Vec<Deletion>)>> {
        match existing.map(|existing| &existing.kind) {
            None => return Ok(Ok((Place::Free, Vec::new()))),
            Some(ExistingKind::Dir) => {}
            Some(_) => return Ok(Ok((Place::Taken, Vec::new()))),
        }
        let (target, dir) = (Arc::clone(self.target), path.clone());
        let selection = self.options.selection.clone();
        let contents = blocking(move || surplus::contents(&*target, &dir, &selection)).await?;
        Ok(contents.and_then(|contents| {
            let mut deletions = contents.deletions;
            if deletions.is_empty() && !contents.keeps_some {
                return Ok((Place::EmptyDir, deletions));
            }
            if !self.options.delete || contents.keeps_some {
                let message = "a folder that is not empty is in the way";
                return Err(Problem::new(
                    path.absolute(),
                    "replace",
                    ErrorKind::Target,
                    message,
                ));
            }
            deletions
                .iter_mut()
                .for_each(|deletion| deletion.first = true);
            Ok((Place::EmptyDir, deletions))
        }))
    }

    async fn file(
        &self,
        found: &Found,
        place: Place,
        cancel: &CancellationToken,
    ) -> Result<Verdict> {
        let node = &found.node;
        let pieces: Arc<[Piece]> = pieces(self.index, node).collect();
        if let Some(problem) = incomplete(found, &pieces) {
            return Ok(Verdict::fail(problem));
        }
        let old = found
            .existing
            .as_deref()
            .filter(|existing| existing.kind == ExistingKind::File);
        if self.options.overwrite == Overwrite::IfChanged
            && old.is_some_and(|old| old.size_bytes == node.size_bytes && old.mtime == node.mtime)
        {
            return Ok(Verdict::of(Step::SetAttributes));
        }
        let in_old = match old {
            Some(_) => self.compare(&found.path, &pieces, cancel).await?,
            None => Vec::new(),
        };
        // A file that could not be read gives no answers at all.
        let all_same = in_old.len() == pieces.len() && in_old.iter().all(|&same| same);
        if all_same && old.is_some_and(|old| old.size_bytes == node.size_bytes) {
            return Ok(Verdict::of(Step::SetAttributes));
        }
        let in_left = match &found.leftover {
            Some(left) if usable(left, node) && left.links == 1 => {
                let path = found
                    .path
                    .split()
                    .and_then(|(dir, _)| dir.join(&left.name).ok());
                match path {
                    Some(path) => self.compare(&path, &pieces, cancel).await?,
                    None => Vec::new(),
                }
            }
            _ => Vec::new(),
        };
        let (basis, reuse) = choose(
            node,
            &pieces,
            old,
            in_old,
            found.leftover.as_deref(),
            in_left,
        );
        let reused_bytes = bytes(&pieces, &reuse);
        Ok(Verdict::of(Step::WriteFile(Box::new(FileStep {
            basis,
            place,
            reuse,
            exists: found.existing.is_some(),
            has_leftover: found.leftover.is_some(),
            reused_bytes,
            frees_bytes: old
                .filter(|old| old.links == 1)
                .map_or(0, |old| old.allocated_bytes),
        }))))
    }

    async fn compare(
        &self,
        path: &TargetPath,
        pieces: &Arc<[Piece]>,
        cancel: &CancellationToken,
    ) -> Result<Vec<bool>> {
        let (target, path) = (Arc::clone(self.target), path.clone());
        let (pieces, cancel) = (Arc::clone(pieces), cancel.clone());
        // What cannot be read cannot be used; it is written anew.
        let matches = blocking(move || {
            let file = target.read(&path)?;
            matching(&*file, &pieces, &cancel)
        })
        .await?
        .unwrap_or_default();
        self.progress.advance(Amount {
            files: 1,
            ..Amount::default()
        });
        Ok(matches)
    }
}

/// A file of which not every blob is known.
fn incomplete(found: &Found, pieces: &[Piece]) -> Option<Problem> {
    let missing = pieces
        .iter()
        .filter(|(_, _, length)| length.is_none())
        .count();
    let message = format!("{missing} of its {} blobs are in no index", pieces.len());
    (missing > 0).then(|| Problem::new(found.path.absolute(), "load", ErrorKind::Damaged, message))
}

/// A leftover of a file that is not written again.
fn stale_leftover(found: &Found) -> Option<Deletion> {
    let (dir, _) = found.path.split()?;
    Some(Deletion {
        path: dir.join(&found.leftover.as_ref()?.name).ok()?,
        dir: false,
        first: false,
        leftover: true,
    })
}

/// Whether an existing special entry is what the node says.
fn is_same(node: &Node, existing: &Existing) -> bool {
    match (&node.kind, &existing.kind) {
        (NodeKind::Symlink, ExistingKind::Symlink(to)) => *to == node.link_target,
        (NodeKind::BlockDevice, ExistingKind::BlockDevice(device))
        | (NodeKind::CharDevice, ExistingKind::CharDevice(device)) => *device == node.device,
        (NodeKind::Fifo, ExistingKind::Fifo) | (NodeKind::Socket, ExistingKind::Socket) => true,
        _ => false,
    }
}
