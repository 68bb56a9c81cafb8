//! One backup into several repositories, with one read of the source.
//!
//! The first repository that opens and can be locked is backed up into; the others get the new snapshot, and what they have
//! missed before, by copying. One that fails stops none of the others, and is caught up by the next run.

mod catch_up;
mod open;
mod reached;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use strongroom_repository::Repository;
use strongroom_repository::lock::Lock;

use super::source::Wanted;
use super::{Done, Plan, report};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::open::Named;
use catch_up::CatchUp;
pub(super) use reached::Reached;
use reached::{Outcome, Place};

/// A repository of `--repo`, and what has come of it so far.
pub(super) struct Destination {
    named: Named,
    /// `Err`: it is of no use in this run, and why.
    repository: Result<Repository>,
}

impl Destination {
    fn location(&self) -> String {
        self.named.location()
    }

    /// Why it is of no use; from now on nothing is tried with it.
    fn give_up(&mut self, error: Error) {
        self.repository = Err(error);
    }
}

/// Backs up into all of them.
pub(super) async fn run(
    plan: &Plan,
    wanted: &Wanted,
    named: Vec<Named>,
    context: &Context,
) -> Result<ExitCode> {
    let mut destinations = open::all(plan, named, context).await?;
    let made = back_up(plan, wanted, &mut destinations, context).await?;
    let Some((primary, done)) = made else {
        let reached = Reached::none(&destinations);
        reached.show(context)?;
        if context.output.is_json() {
            reached.tell_alone(context)?;
        }
        return Err(first_error(destinations));
    };
    let snapshot = &done.report.snapshot;
    let catch_up = CatchUp::new(&destinations, primary, snapshot, done.report.snapshot_id);
    let catch_up = match plan.arguments.dry_run {
        true => catch_up.dry(),
        false => catch_up,
    };
    let brought = catch_up.all(context).await;
    let mut places = Vec::with_capacity(destinations.len());
    for (number, (destination, brought)) in destinations.into_iter().zip(brought).enumerate() {
        let location = destination.location();
        let is_primary = number == primary;
        let outcome = match (destination.repository, is_primary) {
            (Err(error), _) => Outcome::given_up(error),
            (Ok(_), true) => Outcome::backed_up(&done.report, brought),
            (Ok(_), false) => Outcome::copied(brought),
        };
        places.push(Place {
            location,
            is_primary,
            outcome,
        });
    }
    let made = done.report.snapshot_id.is_some();
    let reached = Reached::new(places, made, plan.arguments.dry_run);
    let shown = report::show(&done, Some(&reached), &plan.arguments, context);
    match context.cancel.is_cancelled() {
        true => Err(interrupted(made)),
        false => shown,
    }
}

/// Backs up into the first that takes it; which one, and what came of it. `None`: none did.
///
/// Files are read again where one fails in the middle. What a stream has given is gone then.
async fn back_up(
    plan: &Plan,
    wanted: &Wanted,
    destinations: &mut [Destination],
    context: &Context,
) -> Result<Option<(usize, Done)>> {
    let mut source = None;
    for number in 0..destinations.len() {
        let Some(destination) = destinations.get(number) else {
            break;
        };
        let Ok(repository) = destination.repository.as_ref().cloned() else {
            continue;
        };
        let places: Vec<&Named> = destinations.iter().map(|other| &other.named).collect();
        let reading = match &source {
            Some(unread) => Arc::clone(unread),
            None => Arc::clone(source.insert(plan.source(wanted, &places, context)?)),
        };
        let backing_up =
            async |lock: &Lock| plan.execute(&reading, &repository, lock, context).await;
        let locked = context.locked(&repository, plan.access(), backing_up);
        let error = match locked.await {
            Ok(done) => return Ok(Some((number, done))),
            Err(error) => error,
        };
        let has_begun = plan.began_to_read.load(Ordering::Relaxed);
        if !is_of_the_repository(&error) || context.cancel.is_cancelled() {
            return Err(error);
        }
        let others = destinations.get(number.saturating_add(1)..);
        let can_go_on = others.is_some_and(|others| others.iter().any(|d| d.repository.is_ok()));
        let what = match (can_go_on, has_begun, plan.reads_files()) {
            (false, _, _) => "and no other repository is left",
            (true, false, _) => "backing up into the next repository",
            (true, true, true) => "backing up into the next repository; the source is read again",
            (true, true, false) => "and what was read cannot be had again for the others",
        };
        let is_over = has_begun && !plan.reads_files();
        if let Some(destination) = destinations.get_mut(number) {
            let location = destination.location();
            context
                .output
                .warning(&format!("{location}: {}; {what}", error.message));
            destination.give_up(error);
        }
        if is_over {
            for destination in destinations.iter_mut() {
                if destination.repository.is_ok() {
                    let message =
                        "nothing was stored: another repository failed while the stream was read";
                    destination.give_up(Error::failed(message));
                }
            }
            return Ok(None);
        }
        if has_begun {
            // A walk over files is not begun twice with one source.
            source = None;
        }
    }
    Ok(None)
}

/// Whether another repository may do better.
fn is_of_the_repository(error: &Error) -> bool {
    !matches!(
        error.code,
        ExitCode::SourceUnavailable | ExitCode::Usage | ExitCode::Interrupted
    )
}

fn first_error(destinations: Vec<Destination>) -> Error {
    let mut errors = destinations
        .into_iter()
        .filter_map(|destination| destination.repository.err());
    errors
        .next()
        .unwrap_or_else(|| Error::failed("no repository took the backup"))
}

fn interrupted(made: bool) -> Error {
    Error::interrupted().hint(match made {
        true => "the snapshot is made, and the repositories that lack it are told above: the next run brings it to them",
        false => "no snapshot was made; run the same command to go on",
    })
}
