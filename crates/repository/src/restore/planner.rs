//! Making the plan of a restore.

use std::collections::HashSet;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::format::{BlobKind, Id};
use crate::index::Index;
use crate::progress::{Phase, Progress};
use crate::restore::blocking::blocking;
use crate::restore::decide::{Decided, Decider};
use crate::restore::fetch::needed;
use crate::restore::packs::Packs;
use crate::restore::plan::{Deletion, Step};
use crate::restore::problem::OrProblem;
use crate::restore::space::Space;
use crate::restore::survey::{Surplus, Surveyor};
use crate::restore::{
    PlanTotals, Problem, RestoreOptions, RestorePlan, Selection, Target, surplus,
};
use crate::{Error, ErrorKind, Repository, Result};

/// Plans to restore what is below a tree into a target. Writes nothing.
///
/// What is already known to be lost (blobs in no index, missing packs, trees that cannot be read) and what the target
/// cannot take is in [`RestorePlan::problems`].
///
/// # Errors
/// [`ErrorKind::Target`] where the target is no directory, [`ErrorKind::Refused`] for `delete` without a selection
/// at the root of the system, [`ErrorKind::Cancelled`], or the storage's.
pub async fn plan_restore(
    repository: &Repository,
    index: &Index,
    tree: Id,
    target: Arc<dyn Target>,
    options: &RestoreOptions,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<RestorePlan> {
    progress.begin(Phase::PlanRestore);
    refuse_root(&*target, options)?;
    let looked_at = Arc::clone(&target);
    let root_exists = blocking(move || looked_at.exists()).await??;
    let surveyor = Surveyor {
        repository,
        index,
        target: &target,
        options,
        progress,
    };
    let survey = surveyor.survey(tree, root_exists, cancel).await?;
    let decider = Decider {
        index,
        target: &target,
        options,
        progress,
    };
    let mut decided = decider.decide(survey.entries, cancel).await?;
    decided.problems.extend(survey.problems);
    if options.delete {
        plan_deletions(&target, options, survey.surplus, &mut decided).await?;
    }
    let packs = fail_lost_files(repository, index, &mut decided).await?;
    fail_orphaned_links(&mut decided);
    let mut totals = totals(index, &decided);
    let asked = Arc::clone(&target);
    totals.available_bytes = blocking(move || asked.available_bytes()).await??;
    progress.total_known();
    Ok(RestorePlan {
        target,
        options: options.clone(),
        create_root: !root_exists,
        entries: decided.entries,
        deletions: decided.deletions,
        packs,
        problems: decided.problems,
        totals,
    })
}

fn refuse_root(target: &dyn Target, options: &RestoreOptions) -> Result<()> {
    let location = target.location();
    let root = location.contains('/') && location.chars().all(|c| matches!(c, '/' | '.'));
    if options.delete && root && matches!(options.selection, Selection::All) {
        return Err(Error::new(
            ErrorKind::Refused,
            "removing everything that the snapshot does not have from the root of the system needs a selection",
        ));
    }
    Ok(())
}

async fn plan_deletions(
    target: &Arc<dyn Target>,
    options: &RestoreOptions,
    found: Vec<Surplus>,
    decided: &mut Decided,
) -> Result<()> {
    let (target, selection) = (Arc::clone(target), options.selection.clone());
    let planned = blocking(move || -> Vec<OrProblem<Vec<Deletion>>> {
        found
            .into_iter()
            .map(|one| {
                surplus::collect(&*target, &one.dir, one.entries, &selection)
                    .map(|contents| contents.deletions)
            })
            .collect()
    })
    .await?;
    for one in planned {
        match one {
            Ok(deletions) => decided.deletions.extend(deletions),
            Err(problem) => decided.problems.push(problem),
        }
    }
    Ok(())
}

/// Files that need a blob whose packs are all gone or too short are not begun.
async fn fail_lost_files(
    repository: &Repository,
    index: &Index,
    decided: &mut Decided,
) -> Result<Packs> {
    let mut wanted: HashSet<Id> = HashSet::new();
    for (id, _) in decided
        .entries
        .iter()
        .flat_map(|entry| needed(index, entry))
    {
        wanted.extend(
            index
                .locate_all(BlobKind::Data, &id)
                .map(|location| location.pack),
        );
    }
    let packs = Packs::look(repository, &wanted).await?;
    for entry in &mut decided.entries {
        let lost: Vec<Id> = needed(index, entry)
            .map(|(id, _)| id)
            .filter(|id| packs.place(index, id).is_none())
            .collect();
        if let Some(first) = lost.first() {
            let pack = index
                .locate(BlobKind::Data, first)
                .map_or_else(String::new, |location| location.pack.short());
            let message = format!(
                "{} of its blobs are lost: pack {pack} is missing or too short",
                lost.len()
            );
            let path = entry.path.absolute();
            decided
                .problems
                .push(Problem::new(path, "load", ErrorKind::Damaged, message));
            entry.step = Step::Fail;
        }
    }
    Ok(packs)
}

fn fail_orphaned_links(decided: &mut Decided) {
    let failed: HashSet<usize> = (0..)
        .zip(&decided.entries)
        .filter(|(_, entry)| entry.step == Step::Fail)
        .map(|(number, _)| number)
        .collect();
    for entry in &mut decided.entries {
        if matches!(entry.step, Step::Link { original, .. } if failed.contains(&original)) {
            let message = "another name of the same file cannot be restored";
            let path = entry.path.absolute();
            decided
                .problems
                .push(Problem::new(path, "link", ErrorKind::Damaged, message));
            entry.step = Step::Fail;
        }
    }
}

fn totals(index: &Index, decided: &Decided) -> PlanTotals {
    let mut space = Space::default();
    let mut totals = PlanTotals {
        deleted: decided
            .deletions
            .iter()
            .filter(|deletion| !deletion.leftover)
            .count() as u64,
        ..PlanTotals::default()
    };
    for entry in &decided.entries {
        match &entry.step {
            Step::WriteFile(file) => {
                totals.entries += 1;
                totals.bytes = totals.bytes.saturating_add(entry.node.size_bytes);
                let fetched = space.add(index, entry, file);
                totals.fetched_bytes = totals.fetched_bytes.saturating_add(fetched);
            }
            Step::SetAttributes | Step::Keep => {
                totals.skipped += 1;
                totals.skipped_bytes = totals.skipped_bytes.saturating_add(entry.node.size_bytes);
            }
            Step::Fail => {}
            _ => totals.entries += 1,
        }
    }
    totals.needed_bytes = space.needed_bytes();
    totals
}
