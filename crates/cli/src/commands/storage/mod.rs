//! `strongroom storage`: the places where repositories lie, whatever is in them.

mod test;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;

/// Find out about storages, the places where repositories lie
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: StorageCommand,
}

#[derive(Debug, Subcommand)]
enum StorageCommand {
    Test(test::Arguments),
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    match arguments.command {
        StorageCommand::Test(arguments) => test::run(&arguments, context).await,
    }
}
