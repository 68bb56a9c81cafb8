//! Directories: made before what they hold, finished after it.

use std::collections::HashSet;
use std::sync::Arc;

use super::Run;
use super::outcome::{Event, Outcome};
use crate::restore::blocking::blocking;
use crate::restore::plan::{PlannedEntry, Step};
use crate::restore::{Problem, RestorePlan, Target, TargetPath, TargetResult};
use crate::{Error, ErrorKind, Result};

/// Directories that one task makes or finishes before it looks whether it shall go on.
const CHUNK: usize = 1024;

impl Run<'_> {
    /// Makes directories and opens existing ones up, parents first. What lies below one that fails fails with it.
    pub(super) async fn make_directories(&self, outcome: &mut Outcome<'_>) -> Result<()> {
        let target = Arc::clone(&self.plan.target);
        let root = blocking(move || target.unlock_dir(&TargetPath::root())).await?;
        if let Err(error) = root {
            outcome.problem(error.into());
        }
        let mut failed: HashSet<TargetPath> = HashSet::new();
        let mut start = 0;
        while start < self.plan.entries.len() && !outcome.is_stopped() {
            if self.cancel.is_cancelled() {
                outcome.stop(Error::cancelled());
                break;
            }
            let end = start.saturating_add(CHUNK).min(self.plan.entries.len());
            let plan = Arc::clone(&self.plan);
            let open: Vec<usize> = (start..end)
                .filter(|&number| outcome.is_open(number))
                .collect();
            let (events, still_failed) = blocking(move || {
                let events = make(&plan, &open, &mut failed);
                (events, failed)
            })
            .await?;
            failed = still_failed;
            outcome.take(events);
            start = end;
        }
        Ok(())
    }

    /// Sets the attributes of directories, the deepest first, and of those alone that could be made.
    pub(super) async fn finish_directories(&self, outcome: &mut Outcome<'_>) -> Result<()> {
        let numbers: Vec<usize> = (0..)
            .zip(&self.plan.entries)
            .filter(|(number, entry)| is_directory(entry) && outcome.is_open(*number))
            .map(|(number, _)| number)
            .collect();
        // All of them, also when stopped: they are few beside what was written, and no mode stays loosened.
        for chunk in numbers.rchunks(CHUNK) {
            let (plan, chunk) = (Arc::clone(&self.plan), chunk.to_vec());
            let events = blocking(move || {
                chunk
                    .iter()
                    .rev()
                    .filter_map(|&number| finish(&plan, number))
                    .collect::<Vec<_>>()
            })
            .await?;
            outcome.take(events);
        }
        let target = Arc::clone(&self.plan.target);
        if let Err(error) = blocking(move || target.relock_dir(&TargetPath::root())).await? {
            outcome.problem(error.into());
        }
        Ok(())
    }
}

fn is_directory(entry: &PlannedEntry) -> bool {
    matches!(entry.step, Step::CreateDir { .. } | Step::MergeDir)
}

fn make(plan: &RestorePlan, numbers: &[usize], failed: &mut HashSet<TargetPath>) -> Vec<Event> {
    let mut events = Vec::new();
    for &number in numbers {
        let Some(entry) = plan.entries.get(number) else {
            continue;
        };
        let parent = entry.path.split().map(|(parent, _)| parent);
        let orphaned = !failed.is_empty() && parent.is_some_and(|parent| failed.contains(&parent));
        let made = if orphaned {
            let message = "its folder could not be made";
            Err(Problem::new(
                entry.path.absolute(),
                "restore",
                ErrorKind::Target,
                message,
            ))
        } else {
            make_one(&*plan.target, entry).map_err(Problem::from)
        };
        if let Err(problem) = made {
            if is_directory(entry) {
                failed.insert(entry.path.clone());
            }
            events.push(Event::Failed(number, problem));
        }
    }
    events
}

fn make_one(target: &dyn Target, entry: &PlannedEntry) -> TargetResult<()> {
    match entry.step {
        Step::MergeDir => target.unlock_dir(&entry.path),
        Step::CreateDir { over_entry } => {
            if over_entry {
                target.remove_entry(&entry.path)?;
            }
            target.create_dir(&entry.path)
        }
        _ => Ok(()),
    }
}

fn finish(plan: &RestorePlan, number: usize) -> Option<Event> {
    let entry = plan.entries.get(number)?;
    let attributes = &plan.options.attributes;
    match plan
        .target
        .set_attributes(&entry.path, &entry.node, attributes)
    {
        Ok(withheld) => Some(Event::Done(number, withheld)),
        // A restore that was stopped has not made all of them.
        Err(error) if error.kind == crate::restore::TargetErrorKind::NotFound => None,
        Err(error) => Some(Event::Failed(number, error.into())),
    }
}
