//! `strongroom key`: the passwords of a repository.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;

/// Manage keys: each opens the repository with a password of its own
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// List keys; the one in use has a star
    List,
    /// Add a key with a new password
    Add(NewKeyArguments),
    /// Remove a key; never the one in use
    Remove {
        /// Identifier of the key, or its beginning
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Change the password: adds a key, then removes the one in use
    Passwd(NewKeyArguments),
}

#[derive(Debug, Args)]
struct NewKeyArguments {
    /// File that holds the new password
    #[arg(long, value_name = "FILE", conflicts_with = "new_insecure_no_password")]
    new_password_file: Option<PathBuf>,

    /// Make the new password the empty one, which protects nothing
    #[arg(long)]
    new_insecure_no_password: bool,

    /// Name of the host in the key
    #[arg(long, value_name = "HOST")]
    host: Option<String>,

    /// Name of the user in the key
    #[arg(long, value_name = "USER")]
    user: Option<String>,
}

/// Runs the command.
pub async fn run(_arguments: Arguments, _context: &Context) -> Result<ExitCode> {
    Err(super::not_in_this_build("key"))
}
