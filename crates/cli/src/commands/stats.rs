//! `strongroom stats`: figures of snapshots.

use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::stats::{Stats, StatsMode, stats};

use crate::arguments::SnapshotFilterArguments;
use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output::figures;
use crate::output::meter::Activity;
use crate::select;

/// Show how much snapshots hold and what they take
#[derive(Debug, Args)]
pub struct Arguments {
    /// Snapshots to count, or "latest" [default: all]
    #[arg(value_name = "SNAPSHOT")]
    pub snapshots: Vec<String>,

    #[command(flatten)]
    pub filter: SnapshotFilterArguments,

    /// What to count
    #[arg(long, value_name = "MODE", default_value = "restore-size")]
    pub mode: Mode,
}

/// What to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Sizes of all files, as a restore would write them
    RestoreSize,
    /// Sizes of files, equal contents once
    FilesByContents,
    /// Sizes of blobs in files, each once
    BlobsPerFile,
    /// Sizes of blobs as they are stored, with the ratios of compression and deduplication
    RawData,
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let mode = match arguments.mode {
        Mode::RestoreSize => StatsMode::RestoreSize,
        Mode::FilesByContents => StatsMode::FilesByContents,
        Mode::BlobsPerFile => StatsMode::BlobsPerFile,
        Mode::RawData => StatsMode::RawData,
    };
    let repository = context.open().await?;
    let filter = arguments.filter.filter(&context.environment, None);
    let counting = async |_: &Lock| {
        let chosen = select::many(context, &repository, &arguments.snapshots, &filter).await?;
        let meter = context.meter(Activity::Other);
        let index = Arc::new(repository.load_index(meter.progress()).await?);
        let figures = stats(
            &repository,
            &index,
            &chosen.files,
            mode,
            meter.progress(),
            &context.cancel,
        )
        .await?;
        let errors = meter.errors();
        drop(meter);
        match context.output.is_json() {
            true => json(&figures, context)?,
            false => text(&figures, arguments.mode, context)?,
        }
        super::damage(errors)?;
        chosen.exit()
    };
    context.locked(&repository, Access::Read, counting).await
}

fn text(stats: &Stats, mode: Mode, context: &Context) -> Result<()> {
    let output = &context.output;
    let name = mode.to_possible_value();
    let name = name.as_ref().map_or("", |value| value.get_name());
    output.result(format_args!("Stats in {name} mode:"))?;
    let row = |what: &str, value: String| output.result(format_args!("{what:>24}:  {value}"));
    row("Snapshots processed", stats.snapshots_count.to_string())?;
    if stats.total_blob_count > 0 {
        row("Total Blob Count", stats.total_blob_count.to_string())?;
    }
    if stats.total_file_count > 0 {
        row("Total File Count", stats.total_file_count.to_string())?;
    }
    if stats.total_uncompressed_size_bytes > 0 {
        let size = figures::size(stats.total_uncompressed_size_bytes);
        row("Total Uncompressed Size", size)?;
    }
    row("Total Size", figures::size(stats.total_size_bytes))?;
    let percent = |value: f64| format!("{value:.2}%");
    if let Some(progress) = stats.compression_progress {
        row("Compression Progress", percent(progress))?;
    }
    if let Some(ratio) = stats.compression_ratio {
        row("Compression Ratio", format!("{ratio:.2}x"))?;
    }
    if let Some(saving) = stats.compression_space_saving {
        row("Compression Space Saving", percent(saving))?;
    }
    if let Some(ratio) = stats.deduplication_ratio {
        row("Deduplication Ratio", format!("{ratio:.2}x"))?;
    }
    Ok(())
}

/// restic's object: what a mode does not count is left out.
fn json(stats: &Stats, context: &Context) -> Result<()> {
    let mut value = Map::new();
    let mut put = |name: &str, member: Value| value.insert(name.to_owned(), member);
    put("total_size", json!(stats.total_size_bytes));
    let numbers = [
        (
            "total_uncompressed_size",
            stats.total_uncompressed_size_bytes,
        ),
        ("total_file_count", stats.total_file_count),
        ("total_blob_count", stats.total_blob_count),
    ];
    for (name, number) in numbers.into_iter().filter(|(_, number)| *number > 0) {
        put(name, json!(number));
    }
    let ratios = [
        ("compression_ratio", stats.compression_ratio),
        ("compression_progress", stats.compression_progress),
        ("compression_space_saving", stats.compression_space_saving),
        ("deduplication_ratio", stats.deduplication_ratio),
    ];
    for (name, ratio) in ratios {
        if let Some(ratio) = ratio {
            put(name, json!(ratio));
        }
    }
    put("snapshots_count", json!(stats.snapshots_count));
    context.output.json(&value)
}
