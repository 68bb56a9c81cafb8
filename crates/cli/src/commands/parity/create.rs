//! `strongroom parity create`: parity for every file.

use clap::Args;
use serde_json::json;
use strongroom_repository::Repository;
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::parity::{ParityOptions, ParityPlan, ParityReport};

use crate::confirm::confirm;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::figures;
use crate::output::meter::Activity;

/// Make parity for every file that has none, or with another percentage for all
///
/// Reads every file that is to be protected. Of files up to 64 KiB, such as keys and snapshots, all may be lost; of others
/// so many in a hundred as the percentage says.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Parts of parity for a hundred files, 1 to 100 [default: what the repository has, or 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
    percent: Option<u8>,

    /// Protected files that are gone were removed on purpose: let them go
    #[arg(long)]
    accept_missing: bool,

    /// Show what would be made, and make nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// What is made where nothing was said.
const PERCENT: u8 = 5;

/// Runs the command.
pub async fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode> {
    // What is protected is what lies in the storage, not a copy of it.
    let repository = context.open_without_cache(&context.named()?).await?;
    let access = match arguments.dry_run {
        true => Access::Read,
        false => Access::Exclusive,
    };
    let making = async |lock: &Lock| make(arguments, &repository, lock, context).await;
    context.locked_alone(&repository, access, making).await
}

async fn make(
    arguments: &Arguments,
    repository: &Repository,
    lock: &Lock,
    context: &Context,
) -> Result<ExitCode> {
    let status = strongroom_repository::parity::status(&**repository.storage()).await?;
    let options = ParityOptions {
        percent: arguments
            .percent
            .or((status.percent.is_none()).then_some(PERCENT)),
        exclusive: true,
        accept_missing: arguments.accept_missing,
    };
    let plan = repository.plan_parity(&options, &context.cancel).await?;
    show(&plan, context)?;
    let missing = plan.missing().len() as u64;
    if missing > 0 {
        context.output.warning(&format!(
            "parity misses {} that it protects, or finds another size: `strongroom repair files` shows what, and brings it \
             back; --accept-missing lets go what was removed on purpose",
            figures::count(missing, "file")
        ));
    }
    if arguments.dry_run {
        context.output.report("dry run: nothing was written")?;
        tell(&plan, None, context)?;
        return Ok(ExitCode::Success);
    }
    if arguments.accept_missing && !status.missing.is_empty() {
        let number = figures::count(status.missing.len() as u64, "file");
        confirm(
            context,
            &format!("give up the protection of {number} that are gone"),
        )
        .await?;
    }
    let report = {
        let meter = context.meter(Activity::Other);
        repository
            .make_parity(&plan, lock, meter.progress(), &context.cancel)
            .await?
    };
    tell(&plan, Some(&report), context)?;
    match report.files_damaged {
        0 => Ok(ExitCode::Success),
        number => Err(Error::new(
            ExitCode::DamageFound,
            format!(
                "{} are damaged and so not protected; all others are",
                figures::count(number, "file")
            ),
        )
        .hint("run `strongroom check --read-data` to see what the damage touches")),
    }
}

fn show(plan: &ParityPlan, context: &Context) -> Result<()> {
    let output = &context.output;
    let figures = plan.figures();
    for (kind, id) in plan.unprotectable() {
        output.warning(&format!(
            "{} {id} is empty or larger than 256 MiB and cannot be protected",
            kind.noun()
        ));
    }
    for group in plan.unreadable() {
        let (id, reason) = (group.id.short(), &group.reason);
        output.warning(&format!("parity group {id} protects nothing: {reason}"));
    }
    output.report(format_args!(
        "protected already:  {:>7} files / {}",
        figures.files_protected,
        figures::size(figures.bytes_protected)
    ))?;
    output.report(format_args!(
        "to protect:         {:>7} files / {}",
        figures.files_to_protect,
        figures::size(figures.bytes_to_read)
    ))?;
    output.report(format_args!(
        "parity to write:    {:>7} groups / {}",
        figures.groups_new,
        figures::size(figures.bytes_to_write)
    ))?;
    if figures.groups_replaced > 0 {
        let replaced = figures.groups_replaced;
        output.report(format_args!("parity to remove:   {replaced:>7} groups"))?;
    }
    Ok(())
}

fn tell(plan: &ParityPlan, report: Option<&ParityReport>, context: &Context) -> Result<()> {
    let output = &context.output;
    if output.is_json() {
        return output.json(&json!({
            "message_type": "parity_summary", "dry_run": report.is_none(), "percent": plan.percent(),
            "plan": plan.figures(), "report": report,
        }));
    }
    match report {
        None => Ok(()),
        Some(report) if plan.is_nothing() => {
            let _ = report;
            output.report("every file is protected; nothing was to be done")
        }
        Some(report) => output.report(format_args!(
            "protected {} with {} of parity",
            figures::count(report.files_protected, "file"),
            figures::size(report.bytes_written)
        )),
    }
}
