//! `strongroom repair snapshots`.

use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use strongroom_repository::Repository;
use strongroom_repository::format::Id;
use strongroom_repository::lock::Lock;
use strongroom_repository::repair::{
    Loss, SnapshotRepair, SnapshotsRepairOptions, SnapshotsRepairPlan, SnapshotsRepairReport,
};

use super::packs::index_first;
use super::{remains, tell_left, tell_quarantined};
use crate::arguments::SnapshotFilterArguments;
use crate::confirm::confirm;
use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output::meter::Activity;
use crate::output::{escape, figures, snapshot};
use crate::select;

/// Make new snapshots without what is lost
///
/// For what no backup and no copy brings back. A file keeps what is left of its content, a directory whose list is lost is
/// empty. The old snapshot stays unless --forget is given; the new one has the tag "repaired" then.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Snapshots to repair, or "latest" [default: all that the filters let through]
    #[arg(value_name = "SNAPSHOT")]
    snapshots: Vec<String>,

    #[command(flatten)]
    filter: SnapshotFilterArguments,

    /// Remove the old snapshots; copies of them go into the quarantine
    #[arg(long)]
    forget: bool,

    /// Show what would be done, and change nothing
    #[arg(short = 'n', long)]
    pub(super) dry_run: bool,
}

/// Losses that are shown at most for each snapshot.
const PATHS_SHOWN: usize = 1000;

/// Plans, shows, asks and repairs, under the lock that is given.
pub async fn repair(
    arguments: &Arguments,
    repository: &Repository,
    lock: &Lock,
    context: &Context,
) -> Result<ExitCode> {
    let options = SnapshotsRepairOptions {
        snapshots: chosen(arguments, repository, context).await?,
        forget: arguments.forget,
        paths_max: PATHS_SHOWN,
    };
    let plan = {
        let meter = context.meter(Activity::Other);
        let planning =
            repository.plan_repair_snapshots(&options, meter.progress(), &context.cancel);
        planning.await.map_err(index_first)?
    };
    show(&plan, context)?;
    let shown = shown(&plan);
    let (damaged, unreadable) = (plan.snapshots.len(), plan.unreadable.len());
    let report = if arguments.dry_run {
        None
    } else if plan.is_nothing() {
        Some(SnapshotsRepairReport::default())
    } else {
        confirm(context, &question(&plan)).await?;
        let meter = context.meter(Activity::Other);
        let now = Timestamp::now();
        let repairing =
            repository.repair_snapshots(plan, now, lock, meter.progress(), &context.cancel);
        Some(repairing.await?)
    };
    tell(&shown, report.as_ref(), repository, context)?;
    context.output.flush()?;
    match damaged.saturating_add(unreadable) as u64 {
        0 => Ok(ExitCode::Success),
        _ if arguments.forget && report.is_some_and(|report| report.left.is_empty()) => {
            Ok(ExitCode::Success)
        }
        number => remains(
            format_args!("{} not whole", figures::count_is(number, "snapshot")),
            "the damaged ones stay until you forget them: a backup or `check --heal-from REPO` may still make them whole",
        ),
    }
}

fn question(plan: &SnapshotsRepairPlan) -> String {
    let number = plan.snapshots.len() as u64;
    match (number, plan.forgets()) {
        (0, _) => "put what cannot be read into the quarantine".to_owned(),
        (_, false) => format!(
            "make {} without what is lost",
            figures::count(number, "snapshot")
        ),
        (_, true) => format!(
            "replace {} by new ones without what is lost",
            figures::count(number, "snapshot")
        ),
    }
}

/// The snapshots that are meant; `None` for all, with files that cannot be read.
async fn chosen(
    arguments: &Arguments,
    repository: &Repository,
    context: &Context,
) -> Result<Option<Vec<Id>>> {
    let filter = arguments.filter.filter(&context.environment, None);
    let is_all = arguments.snapshots.is_empty()
        && filter.hosts.is_empty()
        && filter.tags.is_empty()
        && filter.paths.is_empty();
    if is_all {
        return Ok(None);
    }
    let chosen = select::many(context, repository, &arguments.snapshots, &filter).await?;
    Ok(Some(chosen.files.iter().map(|file| file.id).collect()))
}

fn show(plan: &SnapshotsRepairPlan, context: &Context) -> Result<()> {
    let output = &context.output;
    if output.is_json() {
        return Ok(());
    }
    for (id, why) in &plan.unreadable {
        output.result(format_args!("snapshot {id} cannot be read: {why}"))?;
    }
    for repair in &plan.snapshots {
        let line = snapshot::line(&repair.old, &context.environment.time_zone);
        output.result(format_args!("{line}"))?;
        for (path, loss) in &repair.losses {
            output.result(format_args!("  {}: {}", escape::name(path), words(loss)))?;
        }
        if repair.losses_count > repair.losses.len() as u64 {
            let more = repair.losses_count - repair.losses.len() as u64;
            output.result(format_args!("  … and {more} more"))?;
        }
        if let Some(made) = repair.made_before {
            output.result(format_args!("  snapshot {} has what is left", made.short()))?;
        }
    }
    Ok(())
}

fn words(loss: &Loss) -> String {
    match loss {
        Loss::Content {
            size_bytes,
            left_bytes,
            ..
        } => format!(
            "{} of {} are left",
            figures::size(*left_bytes),
            figures::size(*size_bytes)
        ),
        Loss::Size {
            size_bytes,
            left_bytes,
        } => format!("its size is {left_bytes} and not {size_bytes} bytes"),
        Loss::Directory => "all in it is lost".to_owned(),
        Loss::Kind => "an entry of no kind is left out".to_owned(),
        Loss::Name(new) => format!("gets the name {}", escape::name(new)),
    }
}

fn shown(plan: &SnapshotsRepairPlan) -> serde_json::Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let loss = |(path, loss): &(Vec<u8>, Loss)| json!({"path": text(path), "loss": words(loss)});
    let repair = |repair: &SnapshotRepair| {
        json!({
            "snapshot": repair.old.id, "can_be_repaired": repair.tree.is_some(),
            "repaired_before": repair.made_before, "entries": repair.losses_count,
            "losses": repair.losses.iter().map(loss).collect::<Vec<_>>(),
        })
    };
    json!({
        "snapshots": plan.snapshots.iter().map(repair).collect::<Vec<_>>(),
        "snapshots_unreadable": plan.unreadable.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
        "snapshots_whole": plan.sound, "forget": plan.forgets(),
    })
}

fn tell(
    plan: &serde_json::Value,
    report: Option<&SnapshotsRepairReport>,
    repository: &Repository,
    context: &Context,
) -> Result<()> {
    let output = &context.output;
    if output.is_json() {
        let made = |(old, new): &(Id, Id)| json!({"old_snapshot_id": old, "new_snapshot_id": new});
        return output.json(&json!({
            "message_type": "repair_snapshots_summary", "dry_run": report.is_none(), "plan": plan,
            "made": report.map(|report| report.made.iter().map(made).collect::<Vec<_>>()),
            "removed": report.map(|report| &report.removed),
            "quarantined": report.map(|report| &report.quarantined),
            "left": report.map(|report| &report.left),
        }));
    }
    let Some(report) = report else {
        return output.report("dry run: nothing was changed");
    };
    for (old, new) in &report.made {
        let (old, new) = (old.short(), new.short());
        output.report(format_args!("snapshot {new} saved: what is left of {old}"))?;
    }
    for id in &report.removed {
        output.report(format_args!("snapshot {} removed", id.short()))?;
    }
    if *report == SnapshotsRepairReport::default() {
        return output.report("no snapshot was changed");
    }
    tell_left(&report.left, "snapshot", context, repository);
    tell_quarantined(&report.quarantined, context)
}
