//! `strongroom copy`: snapshots into another repository.

use clap::Args;
use serde_json::json;
use strongroom_repository::Repository;
use strongroom_repository::copy::{CopyFigures, CopyReport};
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::snapshots::SnapshotFile;

use crate::arguments::{FromArguments, SnapshotFilterArguments};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::meter::Activity;
use crate::output::{figures, snapshot};
use crate::select;

/// Copy snapshots from another repository into this one
///
/// What is in this repository already is not sent again, nor is a snapshot that was copied before.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Snapshots to copy, or "latest" [default: all]
    #[arg(value_name = "SNAPSHOT")]
    pub snapshots: Vec<String>,

    #[command(flatten)]
    pub filter: SnapshotFilterArguments,

    /// Show what would be copied, and copy nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    #[command(flatten)]
    pub from: FromArguments,
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let Some(from) = context.named_source(&arguments.from)? else {
        return Err(Error::usage("no repository to copy from was named")
            .hint("give --from-repo URL, or set STRONGROOM_FROM_REPOSITORY"));
    };
    let source = context
        .open_named(&from)
        .await
        .map_err(|error| of_source(error, "--from-repo"))?;
    let destination = context.open().await?;
    if source.config().id == destination.config().id {
        return Err(Error::usage("both addresses lead to the same repository"));
    }
    let filter = arguments.filter.filter(&context.environment, None);
    let access = match arguments.dry_run {
        true => Access::Read,
        false => Access::Append,
    };
    let copying = async |_: &Lock| {
        let chosen = select::many(context, &source, &arguments.snapshots, &filter).await?;
        let exit = chosen.exit();
        let storing = async |lock: &Lock| {
            copy(
                chosen.files,
                &source,
                &destination,
                lock,
                arguments.dry_run,
                context,
            )
            .await
        };
        context.locked(&destination, access, storing).await?;
        exit
    };
    context.locked(&source, Access::Read, copying).await
}

/// The error of opening the second repository: its hint names the options of that one. `option` gives its address.
pub(super) fn of_source(error: Error, option: &str) -> Error {
    let hint = error.hint.as_ref().map(|hint| {
        hint.replace("--password-", "--from-password-")
            .replace("STRONGROOM_PASSWORD", "STRONGROOM_FROM_PASSWORD")
            .replace("-r/--repo", option)
    });
    Error { hint, ..error }
}

async fn copy(
    snapshots: Vec<SnapshotFile>,
    source: &Repository,
    destination: &Repository,
    lock: &Lock,
    dry_run: bool,
    context: &Context,
) -> Result<()> {
    let plan = {
        let meter = context.meter(Activity::Other);
        if lock.met_dead() && !dry_run {
            // Takes over the packs of a copy or backup that died.
            destination
                .load_index_to_write(lock, meter.progress())
                .await?;
        }
        destination
            .plan_copy(source, snapshots, meter.progress(), &context.cancel)
            .await?
    };
    let output = &context.output;
    let zone = &context.environment.time_zone;
    for skipped in plan.skipped() {
        let (source, copy) = (skipped.source.short(), skipped.destination.short());
        output.note(format_args!(
            "skipping snapshot {source}: {copy} is its copy"
        ));
    }
    if !plan.has_same_chunker() {
        output.note(
            "the repositories cut files at different places: what is copied and what is backed up into this one \
             directly share nothing (`init --copy-chunker-params` makes one that shares)",
        );
    }
    for file in plan.snapshots() {
        output.note(format_args!("copying {}", snapshot::line(file, zone)));
    }
    let figures = *plan.figures();
    let copied = match dry_run {
        true => None,
        false => {
            let meter = context.meter(Activity::Other);
            let copying = destination.copy(source, plan, lock, meter.progress(), &context.cancel);
            Some(copying.await?)
        }
    };
    tell(&figures, copied.as_ref(), context)
}

fn tell(figures: &CopyFigures, copied: Option<&CopyReport>, context: &Context) -> Result<()> {
    let output = &context.output;
    let none = Vec::new();
    let snapshots = copied.map_or(&none, |report| &report.snapshots);
    if output.is_json() {
        for copy in snapshots {
            output.json(&json!({
                "message_type": "copied", "source_snapshot": copy.source,
                "snapshot_id": copy.destination,
            }))?;
        }
        return output.json(&json!({
            "message_type": "summary", "dry_run": copied.is_none(), "plan": figures,
            "data_added": copied.map(|report| report.written.plain_bytes),
            "data_added_packed": copied.map(|report| report.written.stored_bytes),
        }));
    }
    for copy in snapshots {
        let (source, new) = (copy.source.short(), copy.destination.short());
        output.report(format_args!("snapshot {new} saved, a copy of {source}"))?;
    }
    match copied {
        Some(report) => output.report(format_args!(
            "copied {}: added {} ({} stored)",
            figures::count(snapshots.len() as u64, "snapshot"),
            figures::size(report.written.plain_bytes),
            figures::size(report.written.stored_bytes),
        )),
        None => output.report(format_args!(
            "dry run: would copy {} with {} new blobs ({})",
            figures::count(figures.snapshots, "snapshot"),
            figures.data_blobs.saturating_add(figures.tree_blobs),
            figures::size(figures.stored_bytes),
        )),
    }
}
