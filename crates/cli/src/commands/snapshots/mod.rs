//! `strongroom snapshots`: what is there.

mod trash;

use clap::Args;
use serde_json::{Value, json};
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::snapshots::{GroupBy, SnapshotFile, group_snapshots};

use crate::arguments::SnapshotFilterArguments;
use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output::snapshot;
use crate::select;

/// List snapshots
#[derive(Debug, Args)]
pub struct Arguments {
    /// Snapshots to list, or "latest" [default: all]
    #[arg(value_name = "SNAPSHOT")]
    pub snapshots: Vec<String>,

    #[command(flatten)]
    pub filter: SnapshotFilterArguments,

    /// Only the last N snapshots of each host and paths
    #[arg(long, value_name = "N")]
    pub latest: Option<usize>,

    /// List what `forget --trash` put into the trash, and until when it can be brought back
    #[arg(long, conflicts_with_all = ["latest", "group_by"])]
    pub trash: bool,

    /// One line a snapshot, without its paths
    #[arg(short, long)]
    pub compact: bool,

    /// Group by host, paths, tags
    #[arg(short, long, value_name = "GROUP")]
    pub group_by: Option<String>,
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let group_by: Option<GroupBy> = match &arguments.group_by {
        Some(text) => Some(text.parse()?),
        None => None,
    };
    if arguments.trash {
        return trash::run(&arguments, context).await;
    }
    let repository = context.open().await?;
    let filter = arguments.filter.filter(&context.environment, None);
    let loading =
        async |_: &Lock| select::many(context, &repository, &arguments.snapshots, &filter).await;
    let chosen = context.locked(&repository, Access::Read, loading).await?;
    let exit = chosen.exit();
    let mut snapshots = chosen.files;
    snapshots.sort_by_key(|file| (file.snapshot.time, file.id));
    if let Some(number) = arguments.latest {
        snapshots = last_of_each(snapshots, number);
    }
    match group_by {
        Some(group_by) => show_groups(snapshots, group_by, &arguments, context)?,
        None => show(&snapshots, &arguments, context)?,
    }
    context.output.flush()?;
    exit
}

/// The newest of each host and paths.
fn last_of_each(snapshots: Vec<SnapshotFile>, number: usize) -> Vec<SnapshotFile> {
    let mut kept: Vec<SnapshotFile> = group_snapshots(snapshots, GroupBy::default())
        .into_iter()
        .flat_map(|group| {
            let before = group.snapshots.len().saturating_sub(number);
            group.snapshots.into_iter().skip(before)
        })
        .collect();
    kept.sort_by_key(|file| (file.snapshot.time, file.id));
    kept
}

fn show(snapshots: &[SnapshotFile], arguments: &Arguments, context: &Context) -> Result<()> {
    if context.output.is_json() {
        return context.output.json(&values(snapshots)?);
    }
    let zone = &context.environment.time_zone;
    let table = snapshot::table(snapshots, None, arguments.compact, zone);
    context.output.lines(&table)
}

fn show_groups(
    snapshots: Vec<SnapshotFile>,
    group_by: GroupBy,
    arguments: &Arguments,
    context: &Context,
) -> Result<()> {
    let groups = group_snapshots(snapshots, group_by);
    if context.output.is_json() {
        let values = groups.iter().map(|group| {
            Ok(json!({"group_key": group.key, "snapshots": values(&group.snapshots)?}))
        });
        let values = values.collect::<Result<Vec<Value>>>()?;
        return context.output.json(&values);
    }
    for group in &groups {
        if let Some(key) = snapshot::group(&group.key) {
            context
                .output
                .result(format_args!("snapshots for ({key}):"))?;
        }
        show(&group.snapshots, arguments, context)?;
        context.output.result("")?;
    }
    Ok(())
}

fn values(snapshots: &[SnapshotFile]) -> Result<Vec<Value>> {
    snapshots.iter().map(snapshot::json).collect()
}
