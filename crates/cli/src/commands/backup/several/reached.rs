//! What came of each repository, for people and as JSON.

use serde_json::{Value, json};
use strongroom_repository::backup::BackupReport;
use strongroom_repository::format::Id;

use super::Destination;
use super::catch_up::Brought;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::table::Table;
use crate::output::{escape, figures};

/// All repositories of a run.
pub(in crate::commands::backup) struct Reached {
    places: Vec<Place>,
    /// There is a snapshot that each should have.
    made: bool,
    dry_run: bool,
}

/// One of them.
pub(super) struct Place {
    pub location: String,
    pub is_primary: bool,
    pub outcome: Outcome,
}

/// What it got.
#[derive(Default)]
pub(super) struct Outcome {
    snapshot: Option<Id>,
    caught_up: u64,
    plain_bytes: u64,
    stored_bytes: u64,
    errors: Vec<(ExitCode, String)>,
}

impl Outcome {
    /// Nothing, since it could not be used.
    pub fn given_up(error: Error) -> Self {
        Self::failed(&error)
    }

    fn failed(error: &Error) -> Self {
        Self {
            errors: vec![(error.code, error.message.clone())],
            ..Self::default()
        }
    }

    /// By copying.
    pub fn copied(brought: Brought) -> Self {
        let error = |error: Error| (error.code, error.message);
        Self {
            snapshot: brought.snapshot,
            caught_up: brought.caught_up,
            plain_bytes: brought.plain_bytes,
            stored_bytes: brought.stored_bytes,
            errors: brought.errors.into_iter().map(error).collect(),
        }
    }

    /// By the backup, and by copying what it had missed.
    pub fn backed_up(report: &BackupReport, brought: Brought) -> Self {
        let copied = Self::copied(brought);
        let written = &report.written;
        Self {
            snapshot: report.snapshot_id,
            plain_bytes: copied.plain_bytes.saturating_add(written.plain_bytes),
            stored_bytes: copied.stored_bytes.saturating_add(written.stored_bytes),
            ..copied
        }
    }

    /// Its word in reports; never changes.
    fn name(&self) -> &'static str {
        let is_interrupted = |(code, _): &(ExitCode, String)| *code == ExitCode::Interrupted;
        match (self.errors.is_empty(), self.snapshot) {
            (true, _) => "success",
            (false, Some(_)) => "partial",
            (false, None) if self.errors.iter().any(is_interrupted) => "cancelled",
            (false, None) => "failed",
        }
    }
}

impl Reached {
    pub(super) fn new(places: Vec<Place>, made: bool, dry_run: bool) -> Self {
        Self {
            places,
            made,
            dry_run,
        }
    }

    /// None took the backup.
    pub(super) fn none(destinations: &[Destination]) -> Self {
        let place = |destination: &Destination| Place {
            location: destination.location(),
            is_primary: false,
            outcome: match &destination.repository {
                Err(error) => Outcome::failed(error),
                Ok(_) => Outcome::default(),
            },
        };
        Self::new(destinations.iter().map(place).collect(), false, false)
    }

    /// A table for people.
    pub fn show(&self, context: &Context) -> Result<()> {
        let mut table = Table::new(["Repository", "Outcome", "Snapshot", "Caught up", "Stored"]);
        for place in &self.places {
            let outcome = &place.outcome;
            let location = escape::text(&place.location).to_string();
            let snapshot = match (outcome.snapshot, self.dry_run, place.is_primary) {
                (Some(id), _, _) => id.short(),
                (None, true, _) if outcome.errors.is_empty() => "would get it".to_owned(),
                _ => "-".to_owned(),
            };
            let name = match place.is_primary {
                true => format!("{} (backed up)", outcome.name()),
                false => outcome.name().to_owned(),
            };
            table.row([
                location,
                name,
                snapshot,
                figures::count(outcome.caught_up, "snapshot"),
                figures::size(outcome.stored_bytes),
            ]);
        }
        context.output.report("")?;
        let lines = table.lines();
        lines
            .iter()
            .try_for_each(|line| context.output.report(line))
    }

    /// The list in the report.
    pub fn json(&self) -> Value {
        let place = |place: &Place| {
            let outcome = &place.outcome;
            let error = |(code, message): &(ExitCode, String)| json!({ "code": code.number(), "name": code.name(), "message": message });
            json!({
                "repository": place.location,
                "outcome": outcome.name(),
                "primary": place.is_primary,
                "snapshot_id": outcome.snapshot,
                "caught_up": outcome.caught_up,
                "data_added": outcome.plain_bytes,
                "data_added_packed": outcome.stored_bytes,
                "errors": outcome.errors.iter().map(error).collect::<Vec<_>>(),
            })
        };
        self.places.iter().map(place).collect()
    }

    /// The list where there is no backup to report of.
    pub(super) fn tell_alone(&self, context: &Context) -> Result<()> {
        let message = json!({ "message_type": "destinations", "destinations": self.json() });
        context.output.json(&message)
    }

    /// How the run ends: everything everywhere, or not.
    pub fn end(&self) -> Result<ExitCode> {
        let places = self.places.len();
        let is_lacking = |place: &&Place| !place.outcome.errors.is_empty();
        let lacking = self.places.iter().filter(is_lacking).count();
        if lacking == 0 {
            return Ok(ExitCode::Success);
        }
        let what = match (self.dry_run, self.made) {
            (true, _) => "would not have everything",
            (false, true) => {
                "do not have everything: the snapshot is stored, but not in all places"
            }
            (false, false) => "could not be caught up",
        };
        Err(Error::new(
            ExitCode::SourceIncomplete,
            format!("{lacking} of {places} repositories {what}"),
        )
        .hint(
            "the warnings above say why; the next run brings them what they lack, and so does \
             `strongroom -r THERE copy --from-repo HERE`",
        ))
    }
}
