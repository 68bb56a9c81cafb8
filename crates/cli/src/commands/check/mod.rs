//! `strongroom check`: whether the repository is sound.

mod heal;
mod steps;

use clap::Args;
use serde_json::json;
use strongroom_repository::Repository;
use strongroom_repository::check::{CheckOptions, CheckReport, InvalidSubset, ReadData};
use strongroom_repository::lock::{Access, Lock};

use crate::arguments::FromPasswordArguments;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::meter::Activity;
use crate::output::{affected, escape, figures};
use crate::signing;

/// Check the repository for damage
///
/// Checks that all that snapshots need is there; --read-data also reads and checks every byte.
/// Ends with 21 where damage was found, and says which snapshots and files it touches. Changes nothing, unless
/// --heal-from names a repository to fetch from what is lost here.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Read and check all data
    #[arg(long, conflicts_with = "read_data_subset")]
    pub read_data: bool,

    /// Read a part of the data: N/T for the Nth of T parts, or 5%, or a size such as 10G, at random
    #[arg(long, value_name = "SUBSET")]
    pub read_data_subset: Option<String>,

    /// Use the cache, and read what it does not have alone
    #[arg(long)]
    pub with_cache: bool,

    /// Fetch what is lost here from this repository: a copy of this one, or one that was copied from it
    #[arg(help_heading = "Source repository", long, value_name = "URL")]
    pub heal_from: Option<String>,

    /// With --heal-from: show what would be fetched, and fetch nothing
    #[arg(short = 'n', long, requires = "heal_from")]
    pub dry_run: bool,

    #[command(flatten)]
    pub from: FromPasswordArguments,
}

/// Paths of damaged files that are shown at most.
const PATHS_SHOWN: usize = 1000;

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let read_data = match &arguments.read_data_subset {
        _ if arguments.read_data => ReadData::All,
        Some(text) => text
            .parse()
            .map_err(|e: InvalidSubset| Error::usage(format!("--read-data-subset: {e}")))?,
        None => ReadData::Nothing,
    };
    let named = context.named()?;
    // What is checked is what lies in the storage, not a copy of it.
    let repository = match arguments.with_cache {
        true => context.open_named(&named).await?,
        false => context.open_without_cache(&named).await?,
    };
    let options = CheckOptions {
        read_data,
        paths_max: PATHS_SHOWN,
        locks: context.lock_options(Access::Read),
    };
    if let Some(url) = &arguments.heal_from {
        return heal::run(&arguments, url, &repository, &options, context).await;
    }
    let checking = async |_: &Lock| check(&repository, &options, context).await;
    let checked = context.locked(&repository, Access::Read, checking).await?;
    match checked.report.errors_count {
        0 => checked.signed,
        _ => Err(checked.damaged()),
    }
}

/// What a check came to.
struct Checked {
    report: CheckReport,
    /// What the signatures say of the exit code.
    signed: Result<ExitCode>,
    /// What comes before everything else where there is parity.
    parity_hint: Option<&'static str>,
}

/// Checks and shows what was found.
async fn check(
    repository: &Repository,
    options: &CheckOptions,
    context: &Context,
) -> Result<Checked> {
    let report = {
        let meter = context.meter(Activity::Other);
        repository
            .check(options, meter.progress(), &context.cancel)
            .await?
    };
    let signatures = context.verify_signatures(repository).await?;
    if let Some(signatures) = &signatures {
        signing::tell(signatures, context)?;
    }
    match context.output.is_json() {
        true => json(&report, context)?,
        false => text(&report, context)?,
    }
    context.output.flush()?;
    let signed = signatures.map_or(Ok(ExitCode::Success), |report| {
        signing::result(&report, context)
    });
    context.note_parity(repository).await;
    let parity_hint = match report.errors_count {
        0 => None,
        _ => context.parity_hint(repository).await,
    };
    Ok(Checked {
        report,
        signed,
        parity_hint,
    })
}

impl Checked {
    /// The error of a damaged repository, with what to do.
    fn damaged(&self) -> Error {
        let errors = figures::count(self.report.errors_count, "error");
        let message = format!("the repository is damaged: {errors}");
        let steps = || steps::after(&self.report);
        Error::new(ExitCode::DamageFound, message)
            .hint(self.parity_hint.map_or_else(steps, str::to_owned))
    }
}

fn text(report: &CheckReport, context: &Context) -> Result<()> {
    let output = &context.output;
    for hint in &report.hints {
        output.note(escape::text(&hint.message));
    }
    for error in &report.errors {
        output.result(format_args!("error: {}", escape::text(&error.message)))?;
    }
    let shown = report.errors.len() as u64;
    if report.errors_count > shown {
        output.result(format_args!(
            "… and {} more errors",
            report.errors_count - shown
        ))?;
    }
    affected::text(&report.affected, output)?;
    let figures = &report.figures;
    output.report(format_args!(
        "checked {}, {}, {}",
        figures::count(figures.snapshots, "snapshot"),
        figures::count(figures.trees, "tree"),
        figures::count(figures.packs, "pack"),
    ))?;
    if figures.trash > 0 {
        let trash = figures::count(figures.trash, "snapshot");
        output.report(format_args!("and {trash} in the trash"))?;
    }
    if figures.packs_read > 0 {
        output.report(format_args!(
            "read {} ({})",
            figures::count(figures.packs_read, "pack"),
            figures::size(figures.bytes_read)
        ))?;
    }
    match report.is_sound() {
        true => output.report("no errors were found"),
        false => Ok(()),
    }
}

fn json(report: &CheckReport, context: &Context) -> Result<()> {
    let output = &context.output;
    for error in &report.errors {
        output.aside(json!({"message_type": "error", "message": error.message}));
    }
    for snapshot in &report.affected {
        let mut line = affected::json(snapshot);
        line["message_type"] = "affected_snapshot".into();
        output.json(&line)?;
    }
    let summary = report.summary();
    output.json(&json!({
        "message_type": "summary", "num_errors": summary.num_errors,
        "broken_packs": summary.broken_packs,
        "suggest_repair_index": summary.suggest_repair_index,
        "suggest_prune": summary.suggest_prune,
    }))
}
