//! `strongroom check`: whether the repository is sound.

use clap::Args;
use serde_json::json;
use strongroom_repository::check::{CheckOptions, CheckReport, InvalidSubset, ReadData};
use strongroom_repository::lock::{Access, Lock};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::meter::Activity;
use crate::output::{escape, figures};
use crate::signing;

/// Check the repository for damage
///
/// Checks that all that snapshots need is there; --read-data also reads and checks every byte.
/// Ends with 21 where damage was found, and says which snapshots and files it touches. Changes nothing.
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
    let checking = async |_: &Lock| {
        let meter = context.meter(Activity::Other);
        let options = CheckOptions {
            read_data,
            paths_max: PATHS_SHOWN,
            locks: context.lock_options(Access::Read),
        };
        let report = repository
            .check(&options, meter.progress(), &context.cancel)
            .await?;
        drop(meter);
        Ok((report, context.verify_signatures(&repository).await?))
    };
    let (report, signatures) = context.locked(&repository, Access::Read, checking).await?;
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
    context.note_parity(&repository).await;
    match report.errors_count {
        0 => signed,
        number => Err(Error::new(
            ExitCode::DamageFound,
            format!(
                "the repository is damaged: {}",
                figures::count(number, "error")
            ),
        )
        .hint(context.parity_hint(&repository).await.unwrap_or(
            "remove nothing: the files named above cannot be restored from the snapshots named with them. \
             `strongroom repair --help` says what can be mended, and in which order",
        ))),
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
    for affected in &report.affected {
        output.result(format_args!(
            "snapshot {} cannot be restored whole: {} damaged",
            affected.snapshot.short(),
            figures::count(affected.entries, "path"),
        ))?;
        for path in &affected.paths {
            output.result(format_args!("  {}", escape::name(path)))?;
        }
        if affected.entries > affected.paths.len() as u64 {
            output.result("  …")?;
        }
    }
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
    for affected in &report.affected {
        let path = |path: &Vec<u8>| String::from_utf8_lossy(path).into_owned();
        output.json(&json!({
            "message_type": "affected_snapshot", "snapshot": affected.snapshot,
            "entries": affected.entries,
            "paths": affected.paths.iter().map(path).collect::<Vec<_>>(),
        }))?;
    }
    let summary = report.summary();
    output.json(&json!({
        "message_type": "summary", "num_errors": summary.num_errors,
        "broken_packs": summary.broken_packs,
        "suggest_repair_index": summary.suggest_repair_index,
        "suggest_prune": summary.suggest_prune,
    }))
}
