//! `strongroom key`: the passwords of a repository.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use secrecy::SecretString;
use serde_json::json;
use strongroom_repository::Repository;
use strongroom_repository::crypto::KdfParams;
use strongroom_repository::format::Id;
use strongroom_repository::keys::KeyInfo;
use strongroom_repository::lock::{Access, Lock};

use crate::confirm::confirm;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::table::Table;
use crate::output::{escape, figures};
use crate::password::{PasswordSource, Purpose};

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
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let repository = context.open_without_cache(&context.named()?).await?;
    let repository = &repository;
    match arguments.command {
        KeyCommand::List => {
            let listing = async |_: &Lock| list(repository, context).await;
            context.locked(repository, Access::Read, listing).await?;
        }
        KeyCommand::Add(new) => {
            let password = new.password(context, repository).await?;
            let owner = context.key_owner(new.user.as_deref(), new.host.as_deref());
            let adding = async |_: &Lock| {
                Ok(repository
                    .add_key(&password, KdfParams::DEFAULT, &owner)
                    .await?)
            };
            let id = context.locked(repository, Access::Append, adding).await?;
            tell(context, "added", id, &format!("saved new key with ID {id}"))?;
        }
        KeyCommand::Remove { id } => {
            exists(repository, &id).await?;
            confirm(context, &format!("remove key {id} with its password")).await?;
            let removing = async |_: &Lock| Ok(repository.remove_key(&id).await?);
            let id = context
                .locked(repository, Access::Exclusive, removing)
                .await?;
            tell(context, "removed", id, &format!("removed key {id}"))?;
        }
        KeyCommand::Passwd(new) => {
            let password = new.password(context, repository).await?;
            let owner = context.key_owner(new.user.as_deref(), new.host.as_deref());
            let changing = async |_: &Lock| {
                Ok(repository
                    .change_password(&password, KdfParams::DEFAULT, &owner)
                    .await?)
            };
            let id = context
                .locked(repository, Access::Exclusive, changing)
                .await?;
            tell(context, "changed", id, &format!("saved new key as {id}"))?;
        }
    }
    Ok(ExitCode::Success)
}

/// Nobody is asked about a key that is not there.
async fn exists(repository: &Repository, prefix: &str) -> Result<()> {
    let keys = repository.list_keys().await?;
    match keys.iter().any(|key| key.id.to_hex().starts_with(prefix)) {
        true => Ok(()),
        false => Err(Error::failed(format!("no key {prefix:?}"))
            .hint("`strongroom key list` lists the keys")),
    }
}

fn tell(context: &Context, what: &str, id: Id, text: &str) -> Result<()> {
    match context.output.is_json() {
        true => context
            .output
            .json(&json!({"message_type": "key", "action": what, "id": id})),
        false => context.output.report(text),
    }
}

impl NewKeyArguments {
    async fn password(&self, context: &Context, repository: &Repository) -> Result<SecretString> {
        let source = match (&self.new_password_file, self.new_insecure_no_password) {
            (_, true) => PasswordSource::Empty,
            (Some(path), false) => PasswordSource::File(path.clone()),
            (None, false) => PasswordSource::Terminal,
        };
        source
            .obtain(context, Purpose::New, &repository.location())
            .await
            .map_err(|error| match source {
                PasswordSource::Terminal if error.code == ExitCode::Usage => error.hint(
                    "give --new-password-file FILE; the variables name the password of the repository as it is",
                ),
                _ => error,
            })
    }
}

async fn list(repository: &Repository, context: &Context) -> Result<()> {
    let keys = repository.list_keys().await?;
    let zone = &context.environment.time_zone;
    if context.output.is_json() {
        let key = |key: &KeyInfo| match &key.file {
            Ok(file) => json!({
                "current": key.current, "id": key.id, "userName": file.username,
                "hostName": file.hostname, "created": figures::time(file.created, zone),
            }),
            Err(error) => json!({"current": key.current, "id": key.id, "error": error}),
        };
        return context
            .output
            .json(&keys.iter().map(key).collect::<Vec<_>>());
    }
    let mut table = Table::new([" ID", "User", "Host", "Created"]);
    for key in &keys {
        let star = if key.current { '*' } else { ' ' };
        let id = format!("{star}{}", key.id.short());
        table.row(match &key.file {
            Ok(file) => [
                id,
                escape::name(file.username.as_bytes()).into_owned(),
                escape::name(file.hostname.as_bytes()).into_owned(),
                figures::time(file.created, zone),
            ],
            Err(error) => [
                id,
                String::new(),
                String::new(),
                escape::text(error).into_owned(),
            ],
        });
    }
    context.output.lines(&table.lines())
}
