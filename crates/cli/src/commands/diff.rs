//! `strongroom diff`: what differs between two snapshots.

use std::ffi::OsString;
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use strongroom_repository::Repository;
use strongroom_repository::diff::{Change, DiffFigures, DiffOptions, DiffReport, diff};
use strongroom_repository::format::Id;
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::snapshots::SnapshotFilter;
use strongroom_repository::walk::locate;

use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output::meter::Activity;
use crate::output::{escape, figures};
use crate::select::{self, Selected};

/// Show what differs between two snapshots
///
/// Each line begins with + (added), - (removed), M (content changed), U (metadata changed), T (another type) or
/// ? (content changed under equal metadata).
#[derive(Debug, Args)]
pub struct Arguments {
    /// First snapshot, SNAPSHOT:PATH, or "latest"
    #[arg(value_name = "SNAPSHOT")]
    pub first: OsString,

    /// Second snapshot
    #[arg(value_name = "SNAPSHOT")]
    pub second: OsString,

    /// Show changes of metadata
    #[arg(long)]
    pub metadata: bool,
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let repository = context.open().await?;
    let comparing = async |_: &Lock| compare(&arguments, &repository, context).await;
    context.locked(&repository, Access::Read, comparing).await?;
    Ok(ExitCode::Success)
}

async fn compare(arguments: &Arguments, repository: &Repository, context: &Context) -> Result<()> {
    let all = SnapshotFilter::default();
    let first = select::one(context, repository, &arguments.first, &all).await?;
    let second = select::one(context, repository, &arguments.second, &all).await?;
    context.output.note(format_args!(
        "comparing snapshot {} to {}:\n",
        first.file.id.short(),
        second.file.id.short()
    ));
    let meter = context.meter(Activity::Other);
    let index = Arc::new(repository.open_index(meter.progress()).await?);
    let tree = async |selected: &Selected| -> Result<Id> {
        let root = selected.file.snapshot.tree;
        Ok(locate(repository, &index, root, &selected.path)
            .await?
            .directory()?)
    };
    let (before, after) = (tree(&first).await?, tree(&second).await?);
    let options = DiffOptions {
        metadata: arguments.metadata,
    };
    let mut written = Ok(());
    let report = diff(
        repository,
        &index,
        before,
        after,
        options,
        &mut |change| {
            if written.is_ok() {
                written = show(&change, context);
            }
        },
        meter.progress(),
        &context.cancel,
    )
    .await?;
    let errors = meter.errors();
    drop(meter);
    written?;
    match context.output.is_json() {
        true => json(&report, &first, &second, context)?,
        false => text(&report, context)?,
    }
    super::damage(errors)
}

fn show(change: &Change, context: &Context) -> Result<()> {
    if context.output.is_json() {
        return context.output.json(&json!({
            "message_type": "change", "path": String::from_utf8_lossy(&change.path),
            "modifier": change.modifier.to_string(),
        }));
    }
    let path = escape::name(&change.path);
    context
        .output
        .result(format_args!("{:<4} {path}", change.modifier.to_string()))
}

fn text(report: &DiffReport, context: &Context) -> Result<()> {
    let output = &context.output;
    let (added, removed) = (&report.added, &report.removed);
    output.report("")?;
    let row =
        |what: &str, new: u64, gone: u64| format!("{what:<12} {new:>5} new, {gone:>5} removed");
    output.report(format_args!(
        "{}, {:>5} changed",
        row("Files:", added.files, removed.files),
        report.changed_files
    ))?;
    output.report(row("Dirs:", added.dirs, removed.dirs))?;
    output.report(row("Others:", added.others, removed.others))?;
    output.report(row("Data Blobs:", added.data_blobs, removed.data_blobs))?;
    output.report(row("Tree Blobs:", added.tree_blobs, removed.tree_blobs))?;
    output.report(format_args!("  Added:   {}", figures::size(added.bytes)))?;
    output.report(format_args!("  Removed: {}", figures::size(removed.bytes)))
}

fn json(report: &DiffReport, first: &Selected, second: &Selected, context: &Context) -> Result<()> {
    let side = |figures: &DiffFigures| {
        json!({
            "files": figures.files, "dirs": figures.dirs, "others": figures.others,
            "data_blobs": figures.data_blobs, "tree_blobs": figures.tree_blobs,
            "bytes": figures.bytes,
        })
    };
    context.output.json(&json!({
        "message_type": "statistics",
        "source_snapshot": first.file.id, "target_snapshot": second.file.id,
        "changed_files": report.changed_files,
        "added": side(&report.added), "removed": side(&report.removed),
    }))
}
