//! Carrying out a plan.

mod contents;
mod deletions;
mod directories;
mod file_run;
mod others;
mod outcome;
mod verify;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::index::Index;
use crate::progress::{Amount, Phase, Progress};
use crate::restore::blocking::blocking;
use crate::restore::{RestorePlan, RestoreReport};
use crate::{Error, ErrorKind, Repository, Result};

use outcome::Outcome;

/// What the steps of an execution share.
struct Run<'a> {
    repository: &'a Repository,
    index: &'a Index,
    plan: Arc<RestorePlan>,
    progress: &'a dyn Progress,
    cancel: &'a CancellationToken,
}

impl RestorePlan {
    /// Does what the plan says. An entry that fails does not keep the others from being restored; nothing is
    /// removed then.
    ///
    /// # Errors
    /// Only before anything is written: [`ErrorKind::Damaged`] where the plan has problems and partial restores are not
    /// allowed, [`ErrorKind::NoSpace`] where the free space does not suffice, [`ErrorKind::Target`] where the root
    /// cannot be made. What goes wrong later is in the report.
    pub async fn execute(
        self,
        repository: &Repository,
        index: &Index,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<RestoreReport> {
        self.refuse_incomplete()?;
        self.refuse_lack_of_space()?;
        let target = Arc::clone(&self.target);
        if self.create_root {
            blocking(move || target.create()).await??;
        }
        progress.begin(Phase::Restore);
        progress.add_total(Amount {
            files: self.totals.entries,
            bytes: self.totals.bytes,
            items: 0,
        });
        progress.total_known();
        let run = Run {
            repository,
            index,
            plan: Arc::new(self),
            progress,
            cancel,
        };
        run.all().await
    }

    fn refuse_incomplete(&self) -> Result<()> {
        let count = self.problems.len();
        match self.problems.first() {
            Some(first) if !self.options.allow_partial => Err(Error::new(
                first.kind,
                format!(
                    "entries cannot be restored: {count}; nothing was written. The first: {first}"
                ),
            )),
            _ => Ok(()),
        }
    }

    fn refuse_lack_of_space(&self) -> Result<()> {
        let lacking = self.totals.lacking_bytes();
        if lacking == 0 || self.options.ignore_free_space {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::NoSpace,
            format!(
                "the restore needs {} bytes and {} has {}: {lacking} too few; nothing was written",
                self.totals.needed_bytes,
                self.target.location(),
                self.totals.available_bytes.unwrap_or(0),
            ),
        ))
    }
}

impl Run<'_> {
    async fn all(&self) -> Result<RestoreReport> {
        let mut outcome = Outcome::new(&self.plan, self.progress);
        self.make_directories(&mut outcome).await?;
        self.remove_first(&mut outcome).await?;
        self.write_contents(&mut outcome).await?;
        self.make_others(&mut outcome).await?;
        self.remove_surplus(&mut outcome).await?;
        // Also after a failure or a cancellation: no directory keeps a mode that was meant for the time of the restore.
        self.finish_directories(&mut outcome).await?;
        if self.plan.options.sync && !self.cancel.is_cancelled() {
            self.sync(&mut outcome).await?;
        }
        if self.plan.options.verify {
            self.verify(&mut outcome).await?;
        }
        Ok(outcome.report())
    }

    /// Also after problems: what is reported as restored has to stay.
    async fn sync(&self, outcome: &mut Outcome<'_>) -> Result<()> {
        let target = Arc::clone(&self.plan.target);
        if let Err(error) = blocking(move || target.sync()).await? {
            outcome.problem(error.into());
        }
        Ok(())
    }
}
