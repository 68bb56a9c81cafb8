//! `strongroom repair packs`.

use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use strongroom_repository::Repository;
use strongroom_repository::file_kind::FileKind;
use strongroom_repository::format::Id;
use strongroom_repository::lock::Lock;
use strongroom_repository::repair::{PacksRepairPlan, PacksRepairReport, PacksToRepair};

use super::{remains, tell_left, tell_quarantined};
use crate::confirm::confirm;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::identifier;
use crate::output::meter::Activity;
use crate::output::{affected, figures};

/// Bring what is whole in damaged packs to safety
///
/// Blobs that are whole go to new packs; the damaged packs go into the quarantine, and the index forgets them. What is lost
/// by that is listed with the files that it touches. The next backup stores again what is still on the source.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Packs to look at [default: those whose size is not what the index says]
    #[arg(value_name = "PACK", conflicts_with = "read_data")]
    packs: Vec<String>,

    /// Read all data to find the damaged packs
    #[arg(long)]
    pub(super) read_data: bool,

    /// Show what would be done, and change nothing
    #[arg(short = 'n', long)]
    pub(super) dry_run: bool,
}

/// Paths that are shown at most.
const PATHS_SHOWN: usize = 1000;

/// Plans, shows, asks and repairs, under the lock that is given.
pub async fn repair(
    arguments: &Arguments,
    repository: &Repository,
    lock: &Lock,
    context: &Context,
) -> Result<ExitCode> {
    let packs = match (arguments.read_data, arguments.packs.is_empty()) {
        (true, _) => PacksToRepair::ReadAll,
        (false, true) => PacksToRepair::WrongSize,
        (false, false) => PacksToRepair::Named(named(&arguments.packs, repository).await?),
    };
    let plan = {
        let meter = context.meter(Activity::Other);
        let planning =
            repository.plan_repair_packs(&packs, PATHS_SHOWN, meter.progress(), &context.cancel);
        planning.await.map_err(index_first)?
    };
    show(&plan, context)?;
    let shown = shown(&plan);
    let lost = plan.lost.len() as u64;
    let report = if arguments.dry_run {
        None
    } else if plan.is_nothing() {
        Some(PacksRepairReport::default())
    } else {
        let packs = figures::count(plan.packs.len() as u64, "damaged pack");
        confirm(
            context,
            &format!("replace {packs} by what is whole in them"),
        )
        .await?;
        let meter = context.meter(Activity::Other);
        let now = Timestamp::now();
        let repairing = repository.repair_packs(plan, now, lock, meter.progress(), &context.cancel);
        Some(repairing.await?)
    };
    tell(&shown, report.as_ref(), repository, context)?;
    context.output.flush()?;
    match lost {
        0 => Ok(ExitCode::Success),
        number => remains(
            format_args!("{} lost", figures::count(number, "blob")),
            "run the backups of what is still on the sources: they store again what is lost here; \
             `strongroom check --heal-from REPO` fetches it from a copy of this repository; \
             `strongroom repair snapshots` makes snapshots without it",
        ),
    }
}

/// An index that cannot be read comes first.
pub(super) fn index_first(error: strongroom_repository::Error) -> Error {
    let is_damage = error.kind() == strongroom_repository::ErrorKind::Damaged;
    let error = Error::from(error);
    match is_damage {
        true => error.hint("run `strongroom repair index` first"),
        false => error,
    }
}

/// Packs by the beginnings of their names.
async fn named(names: &[String], repository: &Repository) -> Result<Vec<Id>> {
    let files = repository.list(FileKind::Pack).await?;
    let ids: Vec<Id> = files.iter().map(|file| file.id).collect();
    let packs = names
        .iter()
        .map(|name| identifier::resolve_present("pack", name, &ids));
    packs.collect()
}

fn show(plan: &PacksRepairPlan, context: &Context) -> Result<()> {
    let output = &context.output;
    if output.is_json() {
        return Ok(());
    }
    for pack in &plan.sound {
        output.result(format_args!("pack {pack} is whole: it stays"))?;
    }
    for pack in &plan.packs {
        output.result(format_args!(
            "pack {} is damaged: {} whole, {} not",
            pack.pack,
            figures::count(pack.whole, "blob"),
            pack.damaged
        ))?;
    }
    for (kind, id) in &plan.lost {
        output.result(format_args!("{kind} blob {id} is lost"))?;
    }
    affected::text(&plan.affected, output)?;
    if !plan.is_nothing() && !plan.has_quarantine {
        output.warning(
            "this storage cannot hold a quarantine: the damaged packs stay where they are, and no index names them",
        );
    }
    Ok(())
}

fn shown(plan: &PacksRepairPlan) -> serde_json::Value {
    let pack = |pack: &strongroom_repository::repair::DamagedPack| json!({"pack": pack.pack, "blobs_whole": pack.whole, "blobs_damaged": pack.damaged});
    json!({
        "packs_damaged": plan.packs.iter().map(pack).collect::<Vec<_>>(), "packs_whole": plan.sound,
        "blobs_lost": plan.lost.iter().map(|(_, id)| *id).collect::<Vec<_>>(),
        "affected": plan.affected.iter().map(affected::json).collect::<Vec<_>>(),
    })
}

fn tell(
    plan: &serde_json::Value,
    report: Option<&PacksRepairReport>,
    repository: &Repository,
    context: &Context,
) -> Result<()> {
    let output = &context.output;
    if output.is_json() {
        return output.json(&json!({
            "message_type": "repair_packs_summary", "dry_run": report.is_none(), "plan": plan,
            "blobs_salvaged": report.map(|report| report.blobs_salvaged),
            "packs_written": report.map(|report| report.packs_written),
            "packs_removed": report.map(|report| report.packs_removed),
            "quarantined": report.map(|report| &report.quarantined),
            "left": report.map(|report| &report.left),
        }));
    }
    let Some(report) = report else {
        return output.report("dry run: nothing was changed");
    };
    if *report == PacksRepairReport::default() {
        return output.report("no damaged packs were found: nothing to do");
    }
    tell_left(&report.left, "pack", context, repository);
    output.report(format_args!(
        "wrote {} to {}",
        figures::count(report.blobs_salvaged, "blob"),
        figures::count(report.packs_written, "new pack"),
    ))?;
    tell_quarantined(&report.quarantined, context)
}
