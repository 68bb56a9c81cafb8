//! `strongroom repair index`.

use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use strongroom_repository::Repository;
use strongroom_repository::lock::Lock;
use strongroom_repository::repair::{
    IndexRepairOptions, IndexRepairPlan, IndexRepairReport, Redescribed,
};

use super::{remains, tell_left, tell_quarantined};
use crate::confirm::confirm;
use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output::figures;
use crate::output::meter::Activity;

/// Make the index agree with the packs that are there
///
/// Packs that no index file names are indexed, packs that are missing are forgotten, index files that cannot be read are
/// replaced. The next backup stores again what is lost by that and is still on the source.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Compare every pack with the index, not only those that are missing, new or of another size
    #[arg(long)]
    read_all_packs: bool,

    /// Show what would be done, and change nothing
    #[arg(short = 'n', long)]
    pub(super) dry_run: bool,
}

/// Plans, shows, asks and repairs, under the lock that is given.
pub async fn repair(
    arguments: &Arguments,
    repository: &Repository,
    lock: &Lock,
    context: &Context,
) -> Result<ExitCode> {
    let options = IndexRepairOptions {
        read_all_packs: arguments.read_all_packs,
    };
    let plan = {
        let meter = context.meter(Activity::Other);
        repository
            .plan_repair_index(options, meter.progress(), &context.cancel)
            .await?
    };
    show(&plan, context)?;
    let end = Ending::of(&plan);
    let shown = shown(&plan);
    let report = if arguments.dry_run {
        None
    } else if plan.is_nothing() {
        Some(IndexRepairReport::default())
    } else {
        confirm(context, "replace the index files that are wrong").await?;
        let meter = context.meter(Activity::Other);
        let now = Timestamp::now();
        let repairing = repository.repair_index(plan, now, lock, meter.progress(), &context.cancel);
        Some(repairing.await?)
    };
    tell(&shown, report.as_ref(), repository, context)?;
    context.output.flush()?;
    end.exit(report.as_ref())
}

/// What decides about the exit code.
struct Ending {
    blobs_lost: u64,
    damaged_packs: u64,
    unreadable_packs: u64,
}

impl Ending {
    fn of(plan: &IndexRepairPlan) -> Self {
        let damaged = plan.redescribed.iter().filter(|pack| pack.is_damaged);
        Self {
            blobs_lost: plan.blobs_lost,
            damaged_packs: damaged.count() as u64,
            unreadable_packs: plan.unreadable_packs.len() as u64,
        }
    }

    fn exit(&self, report: Option<&IndexRepairReport>) -> Result<ExitCode> {
        if self.damaged_packs > 0 {
            return remains(
                format_args!("{} damaged", figures::count_is(self.damaged_packs, "pack")),
                "run `strongroom repair packs` to bring what is whole in them to safety",
            );
        }
        if self.blobs_lost > 0 {
            return remains(
                format_args!("{} lost", figures::count_is(self.blobs_lost, "blob")),
                "run the backups of what is still on the sources: they store again what is lost here; \
                 then `strongroom check` says what remains lost",
            );
        }
        if self.unreadable_packs > 0 {
            return remains(
                format_args!(
                    "the index does not know what is in {}",
                    figures::count(self.unreadable_packs, "pack")
                ),
                "run `strongroom check` to see whether anything that a snapshot needs is lost",
            );
        }
        match report.map_or(0, |report| report.left.len()) {
            0 => Ok(ExitCode::Success),
            number => remains(
                format_args!(
                    "{} cannot be read and could not be put aside",
                    figures::count(number as u64, "index file")
                ),
                "all that can be found without it is in new index files. On a disk that cannot read it, save what you can \
                 of the file and remove it by hand; where the storage holds nothing but restic's files, reach the \
                 repository by another kind",
            ),
        }
    }
}

fn show(plan: &IndexRepairPlan, context: &Context) -> Result<()> {
    let output = &context.output;
    if output.is_json() {
        return Ok(());
    }
    for (id, why) in &plan.unreadable_indexes {
        let short = id.short();
        output.result(format_args!("index file {short} cannot be read: {why}"))?;
    }
    for pack in &plan.missing {
        output.result(format_args!(
            "pack {pack} is missing: the index will forget it"
        ))?;
    }
    for pack in &plan.found {
        output.result(format_args!("pack {pack} is in no index: it will be"))?;
    }
    for pack in &plan.redescribed {
        output.result(line(pack))?;
    }
    for (pack, why) in &plan.unreadable_packs {
        output.result(format_args!(
            "pack {pack} is in no index and cannot be: {why}"
        ))?;
    }
    if plan.blobs_lost > 0 {
        let lost = figures::count(plan.blobs_lost, "blob");
        output.result(format_args!("{lost} will be in no index: no pack has them"))?;
    }
    Ok(())
}

fn line(pack: &Redescribed) -> String {
    let sizes = match pack.expected_bytes == pack.actual_bytes {
        true => "is not what the index says".to_owned(),
        false => format!(
            "has {} bytes in place of {}",
            pack.actual_bytes, pack.expected_bytes
        ),
    };
    format!(
        "pack {} {sizes}: {} whole, {} not",
        pack.pack,
        figures::count(pack.whole, "blob"),
        pack.lost
    )
}

fn shown(plan: &IndexRepairPlan) -> serde_json::Value {
    let redescribed = |pack: &Redescribed| {
        json!({
            "pack": pack.pack, "expected_bytes": pack.expected_bytes, "actual_bytes": pack.actual_bytes,
            "blobs_whole": pack.whole, "blobs_lost": pack.lost, "damaged": pack.is_damaged,
        })
    };
    let ids = |list: &[(strongroom_repository::format::Id, String)]| -> Vec<String> {
        list.iter().map(|(id, _)| id.to_hex()).collect()
    };
    json!({
        "packs_missing": plan.missing, "packs_found": plan.found,
        "packs_differing": plan.redescribed.iter().map(redescribed).collect::<Vec<_>>(),
        "packs_unreadable": ids(&plan.unreadable_packs),
        "indexes_unreadable": ids(&plan.unreadable_indexes),
        "blobs_lost": plan.blobs_lost,
    })
}

fn tell(
    plan: &serde_json::Value,
    report: Option<&IndexRepairReport>,
    repository: &Repository,
    context: &Context,
) -> Result<()> {
    let output = &context.output;
    if output.is_json() {
        return output.json(&json!({
            "message_type": "repair_index_summary", "dry_run": report.is_none(), "plan": plan,
            "indexes_written": report.map(|report| report.indexes_written),
            "indexes_removed": report.map(|report| report.indexes_removed),
            "quarantined": report.map(|report| &report.quarantined),
            "left": report.map(|report| &report.left),
        }));
    }
    let Some(report) = report else {
        return output.report("dry run: nothing was changed");
    };
    tell_left(&report.left, "index file", context, repository);
    if *report == IndexRepairReport::default() {
        return output.report("the index agrees with the packs: nothing to do");
    }
    output.report(format_args!(
        "wrote {} and removed {}",
        figures::count(report.indexes_written, "index file"),
        figures::count(report.indexes_removed, "index file"),
    ))?;
    tell_quarantined(&report.quarantined, context)
}
