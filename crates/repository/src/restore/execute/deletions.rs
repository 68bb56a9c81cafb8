//! Removing what the plan wants removed.

use std::sync::Arc;

use super::Run;
use super::outcome::Outcome;
use crate::restore::blocking::blocking;
use crate::restore::plan::Deletion;
use crate::restore::problem::OrProblem;
use crate::restore::{Target, TargetErrorKind};
use crate::{Error, Result};

const CHUNK: usize = 1024;

impl Run<'_> {
    /// What is in the way of an entry of the plan.
    pub(super) async fn remove_first(&self, outcome: &mut Outcome<'_>) -> Result<()> {
        self.remove(outcome, true).await
    }

    /// What the snapshot does not have: last, and only if everything was restored.
    pub(super) async fn remove_surplus(&self, outcome: &mut Outcome<'_>) -> Result<()> {
        if outcome.is_clean() {
            return self.remove(outcome, false).await;
        }
        let kept = self
            .plan
            .deletions
            .iter()
            .filter(|deletion| !deletion.first && !deletion.leftover);
        outcome.withhold_deletions(kept.count() as u64);
        Ok(())
    }

    async fn remove(&self, outcome: &mut Outcome<'_>, first: bool) -> Result<()> {
        let chosen: Arc<[Deletion]> = self
            .plan
            .deletions
            .iter()
            .filter(|deletion| deletion.first == first)
            .cloned()
            .collect();
        self.open_up(&chosen).await?;
        for start in (0..chosen.len()).step_by(CHUNK) {
            if self.cancel.is_cancelled() {
                outcome.stop(Error::cancelled());
            }
            if outcome.is_stopped() {
                break;
            }
            let (target, chosen) = (Arc::clone(&self.plan.target), Arc::clone(&chosen));
            let results = blocking(move || {
                let chunk = chosen.iter().skip(start).take(CHUNK);
                chunk
                    .map(|deletion| remove_one(&*target, deletion))
                    .collect::<Vec<_>>()
            })
            .await?;
            for result in results {
                match result {
                    Ok(deletion) if deletion.leftover => {}
                    Ok(deletion) => outcome.deleted(&deletion),
                    Err(problem) => outcome.problem(problem),
                }
            }
        }
        Ok(())
    }

    /// Directories that will be removed may be read-only. They are listed after what they hold, so from the end.
    async fn open_up(&self, chosen: &Arc<[Deletion]>) -> Result<()> {
        let (target, chosen) = (Arc::clone(&self.plan.target), Arc::clone(chosen));
        blocking(move || {
            for deletion in chosen.iter().rev().filter(|deletion| deletion.dir) {
                // What this does not open up, the removal reports.
                let _ = target.unlock_dir(&deletion.path);
            }
        })
        .await
    }
}

fn remove_one(target: &dyn Target, deletion: &Deletion) -> OrProblem<Deletion> {
    let removed = if deletion.dir {
        target.remove_dir(&deletion.path)
    } else {
        target.remove_entry(&deletion.path)
    };
    match removed {
        Err(error) if error.kind != TargetErrorKind::NotFound => Err(error.into()),
        _ => Ok(deletion.clone()),
    }
}
