//! `strongroom sign`: who published and removed which snapshot.

mod accept;
mod compact;
mod generate_key;
mod snapshots;
mod verify;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use strongroom_repository::Repository;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;

/// Sign snapshots, and verify who published and removed them
///
/// With --sign-key every command that publishes or removes snapshots signs what it does. With --verify-key, check, restore
/// and whatever else reads a snapshot verify it; with --require-signatures nothing unsigned is taken.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: SignCommand,
}

#[derive(Debug, Subcommand)]
enum SignCommand {
    /// Make a key, and print its public key; the same as `openssl genpkey -algorithm ed25519`
    GenerateKey {
        /// File for the key; never overwritten, and readable by its owner alone
        #[arg(long, value_name = "FILE")]
        out: PathBuf,

        /// Make a shared key for HMAC-SHA256 in place of one for Ed25519: whoever can verify can also sign
        #[arg(long)]
        hmac: bool,
    },
    /// Verify all signatures; ends with 22 where somebody without a key has changed something
    Verify,
    /// Sign snapshots that nobody has signed, such as those of the time before there was a key
    Snapshots {
        /// Snapshots to sign [default: all]
        #[arg(value_name = "SNAPSHOT")]
        snapshots: Vec<String>,

        /// Show what would be signed, and sign nothing
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
    /// State that the present snapshots are as they should be, whoever removed others
    ///
    /// Unsigned ones stay unsigned.
    Accept {
        /// Show what would be accepted, and accept nothing
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
    /// Put one statement in place of all
    Compact {
        /// Show what would be replaced, and replace nothing
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    match arguments.command {
        SignCommand::GenerateKey { out, hmac } => generate_key::run(&out, hmac, context),
        SignCommand::Verify => verify::run(context).await,
        SignCommand::Snapshots { snapshots, dry_run } => {
            snapshots::run(&snapshots, dry_run, context).await
        }
        SignCommand::Accept { dry_run } => accept::run(dry_run, context).await,
        SignCommand::Compact { dry_run } => compact::run(dry_run, context).await,
    }
}

/// Opens the repository to sign in it.
async fn open(context: &Context) -> Result<Repository> {
    let repository = context.open_without_cache(&context.named()?).await?;
    match repository.signer() {
        Some(_) => Ok(repository),
        None => Err(Error::usage("there is no key to sign with")
            .hint("give --sign-key FILE, or set STRONGROOM_SIGN_KEY_FILE")),
    }
}
