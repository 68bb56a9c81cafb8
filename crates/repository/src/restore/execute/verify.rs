//! Reading back what was written.

use std::sync::Arc;

use futures::stream::{self, StreamExt};

use super::Run;
use super::outcome::Outcome;
use crate::progress::{Amount, Phase};
use crate::restore::Problem;
use crate::restore::blocking::blocking;
use crate::restore::compare::{Piece, matching};
use crate::restore::plan::{Step, pieces};
use crate::restore::problem::OrProblem;
use crate::{Error, ErrorKind, Result};

const AT_ONCE: usize = 8;

impl Run<'_> {
    /// Compares every file that was written, and every further name of one, with its blobs.
    pub(super) async fn verify(&self, outcome: &mut Outcome<'_>) -> Result<()> {
        let numbers: Vec<usize> = (0..)
            .zip(&self.plan.entries)
            .filter(|(number, entry)| {
                matches!(entry.step, Step::WriteFile(_) | Step::Link { .. })
                    && outcome.is_done(*number)
            })
            .map(|(number, _)| number)
            .collect();
        self.progress.begin(Phase::Verify);
        self.progress.add_total(Amount {
            files: numbers.len() as u64,
            ..Amount::default()
        });
        self.progress.total_known();
        let mut checked = stream::iter(numbers)
            .take_while(|_| std::future::ready(!self.cancel.is_cancelled()))
            .map(|number| self.verify_one(number))
            .buffer_unordered(AT_ONCE);
        while let Some(checked) = checked.next().await {
            match checked? {
                Ok(()) => outcome.summary().files_verified += 1,
                Err(problem) => outcome.problem(problem),
            }
            self.progress.advance(Amount {
                files: 1,
                ..Amount::default()
            });
        }
        if self.cancel.is_cancelled() {
            outcome.stop(Error::cancelled());
        }
        Ok(())
    }

    async fn verify_one(&self, number: usize) -> Result<OrProblem<()>> {
        let Some(entry) = self.plan.entries.get(number) else {
            return Ok(Ok(()));
        };
        let (target, path) = (Arc::clone(&self.plan.target), entry.path.clone());
        let pieces: Vec<Piece> = pieces(self.index, &entry.node).collect();
        let (size, cancel) = (entry.node.size_bytes, self.cancel.clone());
        blocking(move || {
            let file = target.read(&path)?;
            let wrong = |message| {
                Err(Problem::new(
                    path.absolute(),
                    "verify",
                    ErrorKind::Target,
                    message,
                ))
            };
            if file.read_at(size, &mut [0])? > 0 {
                return wrong("it is longer than it should be".to_owned());
            }
            let matches = matching(&*file, &pieces, &cancel)?;
            match pieces.iter().zip(matches).find(|(_, same)| !same) {
                Some(((_, offset, _), _)) if !cancel.is_cancelled() => {
                    wrong(format!("its content is wrong from byte {offset} on"))
                }
                _ => Ok(()),
            }
        })
        .await
    }
}
