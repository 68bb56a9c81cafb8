//! What a restore did.

use std::time::Duration;

use serde_json::{Map, Value, json};
use strongroom_repository::ErrorKind;
use strongroom_repository::restore::{RestoreReport, RestoreSummary};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::figures;

/// The report of a restore; one that is not complete ends with an error of its own code.
pub fn show(done: RestoreReport, elapsed: Duration, context: &Context) -> Result<ExitCode> {
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

pub(super) fn incomplete(problems: usize) -> Error {
    let problems = figures::count(problems as u64, "problem");
    Error::new(
        ExitCode::PartialRestore,
        format!("the restore is incomplete: {problems}"),
    )
    .hint("what was restored is whole; the messages above name what is missing")
}

fn text(figures: &RestoreSummary, elapsed: Duration, context: &Context) -> Result<()> {
    let mut line = format!(
        "Summary: Restored {} files/dirs ({}) in {}",
        figures.files_restored,
        figures::size(figures.bytes_restored),
        figures::seconds(elapsed.as_secs()),
    );
    if figures.bytes_reused > 0 {
        let bytes = figures::size(figures.bytes_reused);
        line += &format!(", {bytes} of it was there already");
    }
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
pub(super) fn summary(figures: &RestoreSummary, elapsed: Option<Duration>) -> Value {
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
        ("bytes_reused", figures.bytes_reused),
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
            done.files_unfinished,
            "unfinished files are kept under names that end in .part; the same command goes on with them",
        ),
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
