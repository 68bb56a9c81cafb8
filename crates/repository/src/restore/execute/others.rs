//! Entries without content of their own: links, devices, and files whose content is right already.

use std::sync::Arc;

use futures::stream::{self, StreamExt};

use super::Run;
use super::outcome::{Event, Outcome};
use crate::restore::blocking::blocking;
use crate::restore::plan::{PlannedEntry, Step};
use crate::restore::{Problem, RestorePlan, Withheld};
use crate::{Error, ErrorKind, Result};

/// Entries that one task makes before it looks whether it shall go on, and tasks at once.
const CHUNK: usize = 256;
const AT_ONCE: usize = 8;

impl Run<'_> {
    /// Special entries and unchanged ones, then further names of files, which need the first name to be there.
    pub(super) async fn make_others(&self, outcome: &mut Outcome<'_>) -> Result<()> {
        let special =
            |step: &Step| matches!(step, Step::SetAttributes | Step::CreateSpecial { .. });
        self.make(outcome, special).await?;
        let mut orphans = Vec::new();
        for (number, entry) in self.plan.entries.iter().enumerate() {
            if let Step::Link { original, .. } = entry.step
                && outcome.is_open(number)
                && !outcome.is_done(original)
                && !outcome.is_stopped()
            {
                let message = "another name of the same file could not be restored";
                let path = entry.path.absolute();
                let problem = Problem::new(path, "link", ErrorKind::Target, message);
                orphans.push(Event::Failed(number, problem));
            }
        }
        outcome.take(orphans);
        self.make(outcome, |step| matches!(step, Step::Link { .. }))
            .await
    }

    async fn make(&self, outcome: &mut Outcome<'_>, which: impl Fn(&Step) -> bool) -> Result<()> {
        if outcome.is_stopped() {
            return Ok(());
        }
        let numbers: Vec<usize> = (0..)
            .zip(&self.plan.entries)
            .filter(|(number, entry)| which(&entry.step) && outcome.is_open(*number))
            .map(|(number, _)| number)
            .collect();
        let mut chunks = stream::iter(numbers.chunks(CHUNK))
            .take_while(|_| std::future::ready(!self.cancel.is_cancelled()))
            .map(|chunk| {
                let (plan, chunk) = (Arc::clone(&self.plan), chunk.to_vec());
                blocking(move || {
                    chunk
                        .iter()
                        .filter_map(|&number| make_one(&plan, number))
                        .collect::<Vec<_>>()
                })
            })
            .buffer_unordered(AT_ONCE);
        while let Some(events) = chunks.next().await {
            outcome.take(events?);
        }
        if self.cancel.is_cancelled() {
            outcome.stop(Error::cancelled());
        }
        Ok(())
    }
}

fn make_one(plan: &RestorePlan, number: usize) -> Option<Event> {
    let PlannedEntry {
        path, node, step, ..
    } = plan.entries.get(number)?;
    let (target, attributes) = (&plan.target, &plan.options.attributes);
    let made = match step {
        Step::SetAttributes => target.set_attributes(path, node, attributes),
        Step::CreateSpecial { place } => target.create_special(path, node, *place, attributes),
        Step::Link { original, place } => {
            let original = plan.entries.get(*original)?;
            target
                .link(&original.path, path, *place)
                .map(|()| Withheld::default())
        }
        _ => return None,
    };
    Some(match made {
        Ok(withheld) => Event::Done(number, withheld),
        Err(error) => Event::Failed(number, error.into()),
    })
}
