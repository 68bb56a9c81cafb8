//! Copying the new snapshot, and what was missed before, into the other repositories, all at the same time.

use futures::future::join_all;
use strongroom_repository::copy::History;
use strongroom_repository::format::{Id, Snapshot};
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::snapshots::SnapshotFile;
use strongroom_repository::{ErrorKind, Repository};

use super::Destination;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::meter::Meter;

/// What came to one repository by copying.
#[derive(Default)]
pub(super) struct Brought {
    /// Its copy of the snapshot of this run.
    pub snapshot: Option<Id>,
    /// Snapshots that it had missed; in a dry run those that it would get.
    pub caught_up: u64,
    pub plain_bytes: u64,
    /// In a dry run what would be read for them.
    pub stored_bytes: u64,
    /// What kept it from having everything.
    pub errors: Vec<Error>,
}

/// What all copies have in common.
pub(super) struct CatchUp {
    places: Vec<(String, Option<Repository>)>,
    primary: usize,
    history: History,
    /// The snapshot of this run, in the primary.
    made: Option<Id>,
    dry_run: bool,
}

/// One repository that others copy into.
struct Into<'a> {
    number: usize,
    location: &'a str,
    repository: &'a Repository,
    lock: &'a Lock,
}

impl CatchUp {
    /// Between those that can be used.
    pub fn new(
        destinations: &[Destination],
        primary: usize,
        snapshot: &Snapshot,
        made: Option<Id>,
    ) -> Self {
        let place = |destination: &Destination| {
            let repository = destination.repository.as_ref().ok().cloned();
            (destination.location(), repository)
        };
        Self {
            places: destinations.iter().map(place).collect(),
            primary,
            history: History::of(snapshot),
            made,
            dry_run: false,
        }
    }

    /// Finds out what would be copied, and copies nothing.
    pub fn dry(self) -> Self {
        Self {
            dry_run: true,
            ..self
        }
    }

    /// Into every repository; the answers are in their order.
    pub async fn all(&self, context: &Context) -> Vec<Brought> {
        let numbers = 0..self.places.len();
        join_all(numbers.map(|number| self.one(number, context))).await
    }

    async fn one(&self, number: usize, context: &Context) -> Brought {
        let mut brought = Brought::default();
        let Some((location, Some(repository))) = self.places.get(number) else {
            return brought;
        };
        let access = match self.dry_run {
            true => Access::Read,
            false => Access::Append,
        };
        let meter = context.meter_about(location.clone());
        let working = async {
            // The one that was backed up into seldom lacks anything, and needs no lock to find that out.
            if number == self.primary && !self.lacks(number, &meter, context).await? {
                return Ok(());
            }
            let copying = async |lock: &Lock| {
                let into = Into {
                    number,
                    location,
                    repository,
                    lock,
                };
                self.bring_from_all(&into, &meter, &mut brought, context)
                    .await
            };
            context.locked(repository, access, copying).await
        };
        if let Err(error) = working.await {
            brought.errors.push(error);
        }
        for error in &brought.errors {
            if error.code != ExitCode::Interrupted {
                let message = format!("{location}: {}", error.message);
                context.output.warning(&message);
            }
        }
        brought
    }

    /// Where copies come from: what only others have first, and the primary last, so that snapshots appear in their order.
    fn sources(&self, number: usize) -> impl Iterator<Item = (usize, &str, &Repository)> {
        let others = (0..self.places.len()).filter(|other| *other != self.primary);
        let all = others.chain([self.primary]);
        all.filter(move |other| *other != number)
            .filter_map(|other| {
                let (location, repository) = self.places.get(other)?;
                Some((other, location.as_str(), repository.as_ref()?))
            })
    }

    async fn lacks(&self, number: usize, meter: &Meter, context: &Context) -> Result<bool> {
        let Some((_, Some(repository))) = self.places.get(number) else {
            return Ok(false);
        };
        for (_, _, source) in self.sources(number) {
            // One that cannot be read says so where it is copied into.
            let missed = self.missed(source, repository, meter, context).await;
            if missed.is_ok_and(|missed| !missed.is_empty()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn bring_from_all(
        &self,
        into: &Into<'_>,
        meter: &Meter,
        brought: &mut Brought,
        context: &Context,
    ) -> Result<()> {
        if into.lock.met_dead() && !self.dry_run {
            // Takes over the packs of a run that died.
            into.repository
                .load_index_to_write(into.lock, meter.progress())
                .await?;
        }
        for (from, location, source) in self.sources(into.number) {
            let copying = async |_: &Lock| {
                self.bring_from_one(source, into, meter, brought, context)
                    .await
            };
            let done = context.locked_alone(source, Access::Read, copying).await;
            match done {
                Ok(()) => {}
                Err(error) if error.code == ExitCode::Interrupted => return Err(error),
                // From the primary comes what this run is about; the others can only help.
                Err(error) if from == self.primary => return Err(error),
                Err(error) => brought
                    .errors
                    .push(error.context(format_args!("catch up from {location}"))),
            }
        }
        Ok(())
    }

    /// What can be copied from there: nothing that nobody has vouched for, where this run would vouch for it.
    async fn missed(
        &self,
        source: &Repository,
        destination: &Repository,
        meter: &Meter,
        context: &Context,
    ) -> Result<Vec<SnapshotFile>> {
        let (there, _) = destination
            .load_snapshots_tolerant(meter.progress())
            .await?;
        let (here, unreadable) = source.load_snapshots_tolerant(meter.progress()).await?;
        for (_, error) in &unreadable {
            context.output.warning(&error.to_string());
        }
        let mut missed = self.history.missed(&here, &there, self.made);
        let ids: Vec<Id> = missed.iter().map(|file| file.id).collect();
        let trusted = source.trusted_snapshots(&ids).await?;
        missed.retain(|file| trusted.contains(&file.id));
        Ok(missed)
    }

    async fn bring_from_one(
        &self,
        source: &Repository,
        into: &Into<'_>,
        meter: &Meter,
        brought: &mut Brought,
        context: &Context,
    ) -> Result<()> {
        let missed = self.missed(source, into.repository, meter, context).await?;
        if missed.is_empty() {
            return Ok(());
        }
        let made: Vec<SnapshotFile> = missed
            .iter()
            .filter(|file| Some(file.id) == self.made)
            .cloned()
            .collect();
        let has_older = missed.len() > made.len();
        match self
            .copy(source, missed, into, meter, brought, context)
            .await
        {
            // Damage in an old snapshot keeps the new one from nobody.
            Err(error)
                if error.kind == Some(ErrorKind::Damaged) && has_older && !made.is_empty() =>
            {
                brought.errors.push(error);
                self.copy(source, made, into, meter, brought, context).await
            }
            done => done,
        }
    }

    async fn copy(
        &self,
        source: &Repository,
        snapshots: Vec<SnapshotFile>,
        into: &Into<'_>,
        meter: &Meter,
        brought: &mut Brought,
        context: &Context,
    ) -> Result<()> {
        let (progress, cancel) = (meter.progress(), &context.cancel);
        let planning = into
            .repository
            .plan_copy(source, snapshots, progress, cancel);
        let plan = planning.await?;
        if !plan.has_same_chunker() {
            context.output.warning(&format!(
                "{} cuts files at other places than {}: what is copied there and what is backed up there directly share \
                 nothing",
                into.location,
                source.location(),
            ));
        }
        if self.dry_run {
            let figures = plan.figures();
            brought.caught_up = brought.caught_up.saturating_add(figures.snapshots);
            brought.plain_bytes = brought.plain_bytes.saturating_add(figures.plain_bytes);
            brought.stored_bytes = brought.stored_bytes.saturating_add(figures.stored_bytes);
            return Ok(());
        }
        let copying = into
            .repository
            .copy(source, plan, into.lock, progress, cancel);
        let report = copying.await?;
        for copied in &report.snapshots {
            match Some(copied.source) == self.made {
                true => brought.snapshot = Some(copied.destination),
                false => brought.caught_up = brought.caught_up.saturating_add(1),
            }
        }
        let written = &report.written;
        brought.plain_bytes = brought.plain_bytes.saturating_add(written.plain_bytes);
        brought.stored_bytes = brought.stored_bytes.saturating_add(written.stored_bytes);
        Ok(())
    }
}
