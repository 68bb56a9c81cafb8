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
use strongroom_repository::check::AffectedSnapshot;
use strongroom_repository::lock::Access;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::{escape, figures};

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
    if let RepairCommand::Files(arguments) = &arguments.command {
        // It opens the repository only if that can be done.
        return files::run(arguments, context).await;
    }
    // What is repaired is what lies in the storage, not a copy of it.
    let repository = context.open_without_cache(&context.named()?).await?;
    if let Some((read_data, dry_run)) = arguments.command.gives_up() {
        files::before_repair(&repository, read_data, dry_run, context).await?;
    }
    match arguments.command {
        RepairCommand::Files(_) => Ok(ExitCode::Success),
        RepairCommand::Index(arguments) => index::run(&arguments, &repository, context).await,
        RepairCommand::Packs(arguments) => packs::run(&arguments, &repository, context).await,
        RepairCommand::Snapshots(arguments) => {
            snapshots::run(&arguments, &repository, context).await
        }
        RepairCommand::Quarantine(arguments) => {
            quarantine::run(&arguments, &repository, context).await
        }
    }
}

impl RepairCommand {
    /// For repairs that give up what is damaged or missing: whether they read all data, and whether they are dry runs.
    fn gives_up(&self) -> Option<(bool, bool)> {
        match self {
            Self::Files(_) | Self::Quarantine(_) => None,
            Self::Index(arguments) => Some((false, arguments.dry_run)),
            Self::Packs(arguments) => Some((arguments.read_data, arguments.dry_run)),
            Self::Snapshots(arguments) => Some((false, arguments.dry_run)),
        }
    }
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

/// Snapshots that losses touch, with paths in them.
fn show_affected(affected: &[AffectedSnapshot], context: &Context) -> Result<()> {
    let output = &context.output;
    for snapshot in affected {
        output.result(format_args!(
            "snapshot {} cannot be restored whole: {} damaged",
            snapshot.snapshot.short(),
            figures::count(snapshot.entries, "path"),
        ))?;
        for path in &snapshot.paths {
            output.result(format_args!("  {}", escape::name(path)))?;
        }
        if snapshot.entries > snapshot.paths.len() as u64 {
            output.result("  …")?;
        }
    }
    Ok(())
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
