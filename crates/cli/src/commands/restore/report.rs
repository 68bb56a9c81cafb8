//! What a restore would do, and what it did.

use std::time::Duration;

use serde_json::{Map, Value, json};
use strongroom_repository::ErrorKind;
use strongroom_repository::format::NodeKind;
use strongroom_repository::progress::Change;
use strongroom_repository::restore::{RestorePlan, RestoreReport, RestoreSummary};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::{escape, figures};

/// What of the target a plan destroys.
pub struct Losses {
    overwritten: u64,
    removed: u64,
}

impl Losses {
    /// Whether the user has to be asked.
    pub fn is_any(&self) -> bool {
        self.overwritten + self.removed > 0
    }
}

impl std::fmt::Display for Losses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let entries = |number: u64| match number {
            1 => "1 entry".to_owned(),
            _ => format!("{number} entries"),
        };
        match (self.overwritten, self.removed) {
            (overwritten, 0) => write!(f, "overwrite {}", entries(overwritten)),
            (0, removed) => write!(f, "remove {}", entries(removed)),
            (overwritten, removed) => write!(
                f,
                "overwrite {} and remove {}",
                entries(overwritten),
                entries(removed)
            ),
        }
    }
}

/// Counts what a plan destroys. A directory that stays a directory loses nothing.
pub fn losses(plan: &RestorePlan) -> Losses {
    let mut losses = Losses {
        overwritten: 0,
        removed: 0,
    };
    for action in plan.actions() {
        match action.change {
            Change::Deleted => losses.removed += 1,
            Change::Changed if action.node.is_some_and(|n| n.kind != NodeKind::Dir) => {
                losses.overwritten += 1;
            }
            _ => {}
        }
    }
    losses
}

/// Shows the first of what is overwritten or removed, so that the question is about something.
pub fn show_losses(plan: &RestorePlan, context: &Context) {
    const SHOWN: usize = 20;
    let lost = plan
        .actions()
        .filter(|action| matches!(action.change, Change::Deleted | Change::Changed));
    let mut lost = lost.filter(|action| action.node.is_none_or(|n| n.kind != NodeKind::Dir));
    for action in lost.by_ref().take(SHOWN) {
        let path = action.path.absolute();
        context.output.note(format_args!(
            "{:<9} {}",
            word(action.change),
            escape::name(&path)
        ));
    }
    if lost.next().is_some() {
        context.output.note("…; --dry-run -v shows all");
    }
}

/// A strict restore writes nothing where it is known that something will be missing.
pub fn refuse_problems(plan: &RestorePlan, context: &Context) -> Result<()> {
    const SHOWN: usize = 50;
    let (output, problems) = (&context.output, &plan.problems);
    if problems.is_empty() {
        return Ok(());
    }
    for problem in problems {
        if output.is_json() {
            output.aside(json!({
                "message_type": "error", "error": {"message": problem.message},
                "during": "restore", "item": String::from_utf8_lossy(&problem.path),
            }));
        }
    }
    if !output.is_json() {
        for problem in problems.iter().take(SHOWN) {
            output.warning(&problem.to_string());
        }
        if problems.len() > SHOWN {
            output.warning("more follow; --json lists all of them");
        }
    }
    // Something that a snapshot names and that is not there is damage of the repository.
    let is_damage = |kind| matches!(kind, ErrorKind::Damaged | ErrorKind::NotFound);
    let code = match problems.iter().find(|problem| !is_damage(problem.kind)) {
        None => ExitCode::DamageFound,
        Some(problem) => problem.kind.into(),
    };
    let number = match problems.len() {
        1 => "1 entry".to_owned(),
        number => format!("{number} entries"),
    };
    Err(Error::new(
        code,
        format!("{number} cannot be restored; nothing was written"),
    )
    .hint("--allow-partial-restore restores the rest; `strongroom check` shows all damage"))
}

/// The plan of a dry run. What is known to go wrong is an incomplete restore here, too.
pub fn show_plan(plan: &RestorePlan, context: &Context) -> Result<ExitCode> {
    let output = &context.output;
    if output.style().verbosity > 0 {
        for action in plan.actions() {
            let path = action.path.absolute();
            let size = action.node.map_or(0, |node| node.size_bytes);
            if output.is_json() {
                output.json(&json!({
                    "message_type": "verbose_status", "action": word(action.change),
                    "item": String::from_utf8_lossy(&path), "size": size,
                }))?;
            } else {
                let line = format!("{:<9} {}", word(action.change), escape::name(&path));
                output.report(line)?;
            }
        }
    }
    for problem in &plan.problems {
        output.warning(&problem.to_string());
    }
    let totals = &plan.totals;
    if output.is_json() {
        output.json(&summary(
            &RestoreSummary {
                total_files: totals.entries,
                files_restored: totals.entries,
                files_skipped: totals.skipped,
                files_deleted: totals.deleted,
                total_bytes: totals.bytes,
                bytes_restored: totals.bytes,
                bytes_skipped: totals.skipped_bytes,
                ..RestoreSummary::default()
            },
            None,
        ))?;
    } else {
        output.report(format_args!(
            "Would restore {} files/dirs ({}), {} of it from the repository",
            totals.entries,
            figures::size(totals.bytes),
            figures::size(totals.fetched_bytes),
        ))?;
        output.report(format_args!(
            "Would leave {} as they are ({}) and remove {}",
            totals.skipped,
            figures::size(totals.skipped_bytes),
            totals.deleted,
        ))?;
        if totals.lacking_bytes() > 0 {
            let lacking = figures::size(totals.lacking_bytes());
            output.warning(&format!("the target has {lacking} too little free space"));
        }
    }
    match plan.problems.len() {
        0 => Ok(ExitCode::Success),
        number => Err(incomplete(number)),
    }
}

/// The report of a restore; one that is not complete ends with an error of its own code.
pub fn show(
    done: RestoreReport,
    elapsed: Duration,
    allow_partial: bool,
    context: &Context,
) -> Result<ExitCode> {
    let output = &context.output;
    let figures = &done.summary;
    match output.is_json() {
        true => output.json(&summary(figures, Some(elapsed)))?,
        false => text(figures, elapsed, context)?,
    }
    tell_withheld(&done, context);
    output.flush()?;
    if let Some(stopped) = done.stopped {
        return Err(at_target(stopped).context("the restore ended before its end"));
    }
    match done.problems.len() {
        0 => Ok(ExitCode::Success),
        number if allow_partial => {
            let number = figures::count(number as u64, "problem");
            output.warning(&format!("the restore is incomplete: {number}"));
            Ok(ExitCode::Success)
        }
        number => Err(incomplete(number)),
    }
}

/// What ends a restore is at the target where a backup would look for it in the repository.
pub fn at_target(error: strongroom_repository::Error) -> Error {
    match error.kind() {
        ErrorKind::NoSpace => Error::from(error).hint(
            "free some space there, or restore to another place; the repository is unchanged, and files that are finished are whole",
        ),
        _ => error.into(),
    }
}

fn incomplete(problems: usize) -> Error {
    let problems = figures::count(problems as u64, "problem");
    Error::new(
        ExitCode::PartialRestore,
        format!("the restore is incomplete: {problems}"),
    )
    .hint("what was restored is whole; the messages above name what is missing; --allow-partial-restore takes that for success")
}

fn text(figures: &RestoreSummary, elapsed: Duration, context: &Context) -> Result<()> {
    let mut line = format!(
        "Summary: Restored {} files/dirs ({}) in {}",
        figures.files_restored,
        figures::size(figures.bytes_restored),
        figures::seconds(elapsed.as_secs()),
    );
    if figures.files_skipped > 0 {
        let bytes = figures::size(figures.bytes_skipped);
        line += &format!(", skipped {} files/dirs {bytes}", figures.files_skipped);
    }
    if figures.files_deleted > 0 {
        line += &format!(", deleted {} files/dirs", figures.files_deleted);
    }
    if figures.files_verified > 0 {
        line += &format!(", verified {} files", figures.files_verified);
    }
    context.output.report(line)
}

/// restic's `summary`: what is zero is left out.
fn summary(figures: &RestoreSummary, elapsed: Option<Duration>) -> Value {
    let members = [
        (
            "seconds_elapsed",
            elapsed.map_or(0, |elapsed| elapsed.as_secs()),
        ),
        ("total_files", figures.total_files),
        ("files_restored", figures.files_restored),
        ("files_skipped", figures.files_skipped),
        ("files_deleted", figures.files_deleted),
        ("total_bytes", figures.total_bytes),
        ("bytes_restored", figures.bytes_restored),
        ("bytes_skipped", figures.bytes_skipped),
        ("files_verified", figures.files_verified),
    ];
    let mut summary = Map::new();
    summary.insert("message_type".to_owned(), json!("summary"));
    for (name, value) in members.into_iter().filter(|(_, value)| *value > 0) {
        summary.insert(name.to_owned(), json!(value));
    }
    Value::Object(summary)
}

fn tell_withheld(done: &RestoreReport, context: &Context) {
    let told = [
        (
            done.owners_withheld,
            "could not get their owner, since only root may set it",
        ),
        (
            done.extended_attributes_withheld,
            "extended attributes could not be set: this user may not, or the file system has none",
        ),
        (
            done.deletions_withheld,
            "entries were not removed, since something went wrong before",
        ),
    ];
    for (number, what) in told.into_iter().filter(|(number, _)| *number > 0) {
        context.output.warning(&format!("{number} {what}"));
    }
}

fn word(change: Change) -> &'static str {
    match change {
        Change::New => "restored",
        Change::Changed => "updated",
        Change::Unchanged => "unchanged",
        Change::Deleted => "deleted",
        Change::Skipped => "skipped",
    }
}
