//! `strongroom parity`: what brings damaged and lost files back.

mod create;
mod remove;
mod status;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;

/// Protect the repository's own files against damage and loss
///
/// Parity is computed over packs, indexes, snapshots, keys and `config`, and stored beside them; `repair files` brings back
/// what was damaged or lost. Once there is parity, commands that write keep it up. It works on any repository, and restic
/// ignores it.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: ParityCommand,
}

#[derive(Debug, Subcommand)]
enum ParityCommand {
    Create(create::Arguments),
    Status(status::Arguments),
    Remove(remove::Arguments),
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    match arguments.command {
        ParityCommand::Create(arguments) => create::run(&arguments, context).await,
        ParityCommand::Status(arguments) => status::run(&arguments, context).await,
        ParityCommand::Remove(arguments) => remove::run(&arguments, context).await,
    }
}
