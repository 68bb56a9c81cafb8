//! `strongroom repair`: what is damaged, mended as far as it can be.
//!
//! Each part shows its plan first, asks, and then does what the plan says.

mod files;
mod index;
mod packs;
mod quarantine;
mod snapshots;

use clap::{Args, Subcommand};
use strongroom_repository::Repository;
use strongroom_repository::lock::{Access, Lock};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::figures;

/// Repair a damaged repository
///
/// Run `check --read-data` first, then `repair files --read-data` where there is parity, then `repair packs --read-data` where it found damaged packs, then `repair index`, then a
/// backup: it stores again what was lost and is still on the source. `repair snapshots` comes last, for what stays lost.
/// Each shows what it would do and asks. Damaged files are put into a quarantine and not deleted.
/// Ends with 21 where something remains lost.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: RepairCommand,
}

#[derive(Debug, Subcommand)]
enum RepairCommand {
    Files(files::Arguments),
    Index(index::Arguments),
    Packs(packs::Arguments),
    Snapshots(snapshots::Arguments),
    Quarantine(quarantine::Arguments),
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    match &arguments.command {
        // It opens the repository only if that can be done.
        RepairCommand::Files(arguments) => files::run(arguments, context).await,
        RepairCommand::Index(arguments) => {
            let repairing = async |repository: &Repository, lock: &Lock| {
                index::repair(arguments, repository, lock, context).await
            };
            give_up(false, arguments.dry_run, context, repairing).await
        }
        RepairCommand::Packs(arguments) => {
            let repairing = async |repository: &Repository, lock: &Lock| {
                packs::repair(arguments, repository, lock, context).await
            };
            give_up(arguments.read_data, arguments.dry_run, context, repairing).await
        }
        RepairCommand::Snapshots(arguments) => {
            let repairing = async |repository: &Repository, lock: &Lock| {
                snapshots::repair(arguments, repository, lock, context).await
            };
            give_up(false, arguments.dry_run, context, repairing).await
        }
        RepairCommand::Quarantine(arguments) => {
            quarantine::run(arguments, &open(context).await?, context).await
        }
    }
}

/// Past the cache: what is repaired is what lies in the storage, not a copy of it.
async fn open(context: &Context) -> Result<Repository> {
    context.open_without_cache(&context.named()?).await
}

/// A repair that gives up what is damaged or missing: after all that parity can bring back.
async fn give_up(
    read_data: bool,
    dry_run: bool,
    context: &Context,
    repairing: impl AsyncFnOnce(&Repository, &Lock) -> Result<ExitCode>,
) -> Result<ExitCode> {
    let repository = open(context).await?;
    files::before_repair(&repository, read_data, dry_run, context).await?;
    let repairing = async |lock: &Lock| repairing(&repository, lock).await;
    context
        .locked(&repository, access(dry_run), repairing)
        .await
}

/// The lock for a repair, or for its plan alone.
fn access(dry_run: bool) -> Access {
    match dry_run {
        true => Access::Read,
        false => Access::Exclusive,
    }
}

/// How a repair ends after which something is still lost.
fn remains(what: impl std::fmt::Display, hint: impl Into<String>) -> Result<ExitCode> {
    Err(Error::new(ExitCode::DamageFound, what.to_string()).hint(hint))
}

/// Says that damaged files could not be put aside.
fn tell_left(
    left: &[strongroom_repository::format::Id],
    what: &str,
    context: &Context,
    repository: &Repository,
) {
    for id in left {
        context.output.warning(&format!(
            "{what} {} is left where it is: {} cannot hold a quarantine, or the file cannot be read",
            id.short(),
            repository.location(),
        ));
    }
}

/// Names of files in the quarantine.
fn tell_quarantined(names: &[String], context: &Context) -> Result<()> {
    match names.len() {
        0 => Ok(()),
        number => context.output.report(format_args!(
            "put {} into the quarantine (`strongroom repair quarantine` lists them)",
            figures::count(number as u64, "file"),
        )),
    }
}
