//! `strongroom undelete`: snapshots brought back from the trash.

use clap::Args;
use serde_json::json;
use strongroom_repository::Repository;
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::trash::{TrashEntry, UndeletePlan, plan_undelete};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::identifier;
use crate::output::meter::Activity;
use crate::output::{figures, snapshot};

/// Bring back snapshots that `forget --trash` put into the trash
///
/// They come back under the identifiers that they had. `snapshots --trash` lists them. One whose data is gone, since
/// another program has pruned the repository, stays in the trash and is named; the command ends with 21 then.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub struct Arguments {
    /// Snapshots to bring back
    #[arg(value_name = "SNAPSHOT", group = "which")]
    pub snapshots: Vec<String>,

    /// Bring back all of them
    #[arg(long, group = "which")]
    pub all: bool,

    /// Bring back those too whose data is gone in part
    #[arg(long)]
    pub force: bool,

    /// Show what would be brought back, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let repository = context.open().await?;
    let access = match arguments.dry_run {
        true => Access::Read,
        false => Access::Append,
    };
    let bringing_back = async |lock: &Lock| {
        let (entries, unreadable) = choose(&arguments, &repository, context).await?;
        let meter = context.meter(Activity::Other);
        let mut plan =
            plan_undelete(&repository, entries, meter.progress(), &context.cancel).await?;
        drop(meter);
        plan.incomplete_too = arguments.force;
        show(&plan, context)?;
        if !arguments.dry_run {
            plan.execute(&repository, lock, &context.cancel).await?;
        }
        tell(&plan, arguments.dry_run, context)?;
        end(&plan, unreadable)
    };
    context.locked(&repository, access, bringing_back).await
}

/// The entries that are meant, and how many of all cannot be read.
async fn choose(
    arguments: &Arguments,
    repository: &Repository,
    context: &Context,
) -> Result<(Vec<TrashEntry>, u64)> {
    if arguments.all {
        let meter = context.meter(Activity::Other);
        let (entries, unreadable) = repository.load_trash(meter.progress()).await?;
        drop(meter);
        for (_, error) in &unreadable {
            context.output.warning(&error.to_string());
        }
        return Ok((entries, unreadable.len() as u64));
    }
    let there = repository.list_trash().await?;
    let mut entries: Vec<TrashEntry> = Vec::new();
    for name in &arguments.snapshots {
        let id = identifier::resolve_present("snapshot in the trash", name, &there).map_err(
            |error| match error.hint {
                None => error.hint("`strongroom snapshots --trash` lists what can be brought back"),
                Some(_) => error,
            },
        )?;
        if !entries.iter().any(|entry| entry.record.snapshot == id) {
            entries.push(repository.load_trash_entry(&id).await?);
        }
    }
    Ok((entries, 0))
}

fn show(plan: &UndeletePlan, context: &Context) -> Result<()> {
    let output = &context.output;
    for undelete in &plan.entries {
        let file = undelete.entry.file();
        if !output.is_json() {
            output.report(snapshot::line(&file, &context.environment.time_zone))?;
        }
        if undelete.missing.count > 0 {
            output.warning(&format!(
                "snapshot {} lacks {}: {}",
                file.id.short(),
                figures::count(undelete.missing.count, "blob"),
                undelete.missing.examples.join(", ")
            ));
        }
    }
    Ok(())
}

fn tell(plan: &UndeletePlan, dry_run: bool, context: &Context) -> Result<()> {
    let output = &context.output;
    let comes = |missing: u64, is_back: bool| missing == 0 || plan.incomplete_too || is_back;
    let (back, left): (Vec<_>, Vec<_>) = plan
        .entries
        .iter()
        .partition(|undelete| comes(undelete.missing.count, undelete.is_back));
    if output.is_json() {
        let ids = |list: &[&strongroom_repository::trash::Undelete]| {
            let id = list.iter().map(|undelete| undelete.entry.record.snapshot);
            id.collect::<Vec<_>>()
        };
        return output.json(&json!({
            "message_type": "summary", "dry_run": dry_run,
            "restored": ids(&back), "incomplete": ids(&left),
        }));
    }
    let number = figures::count(back.len() as u64, "snapshot");
    match dry_run {
        true => output.report(format_args!("dry run: {number} would be brought back")),
        false => output.report(format_args!("brought back {number}")),
    }
}

fn end(plan: &UndeletePlan, unreadable: u64) -> Result<ExitCode> {
    let incomplete = plan
        .entries
        .iter()
        .filter(|undelete| undelete.missing.count > 0)
        .count() as u64;
    if incomplete == 0 && unreadable == 0 {
        return Ok(ExitCode::Success);
    }
    let snapshots = |number| figures::count(number, "snapshot");
    let message = match (unreadable, plan.incomplete_too) {
        (0, false) => format!(
            "{} cannot be brought back whole and stay in the trash",
            snapshots(incomplete)
        ),
        (0, true) => format!(
            "{} came back without all of their data",
            snapshots(incomplete)
        ),
        (number, _) => format!("{} in the trash cannot be read", snapshots(number)),
    };
    Err(Error::new(ExitCode::DamageFound, message).hint(
        "a program that knows no trash, such as restic, may have pruned their data away; \
         --force brings back what is left, and `strongroom check` says which files are lost",
    ))
}
