//! `strongroom init`: a new repository.

use clap::Args;
use serde_json::json;
use strongroom_repository::Repository;

use crate::arguments::FromArguments;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::open::Named;
use crate::output::escape;

/// Create a new repository
///
/// Makes the storage where it does not exist, and writes a configuration and a first key.
/// Whoever loses the password loses the data: nobody can recover either.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Version of the repository format
    #[arg(long, value_name = "VERSION", default_value = "stable", value_parser = ["2", "latest", "stable"])]
    pub repository_version: String,

    /// Cut files like the repository of --from-repo, so that `copy` between the two stores nothing twice
    #[arg(long)]
    pub copy_chunker_params: bool,

    #[command(flatten)]
    pub from: FromArguments,
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let named = context.named()?;
    let like = match (
        arguments.copy_chunker_params,
        context.named_source(&arguments.from)?,
    ) {
        (true, Some(source)) => Some(context.open_without_cache(&source).await?),
        (true, None) => {
            return Err(
                Error::usage("--copy-chunker-params needs a repository to take them from")
                    .hint("add --from-repo URL"),
            );
        }
        (false, _) => None,
    };
    let repository = context.create(&named, like.as_ref()).await?;
    announce(context, &named, &repository)?;
    Ok(ExitCode::Success)
}

/// The result of `init`.
fn announce(context: &Context, named: &Named, repository: &Repository) -> Result<()> {
    if context.output.is_json() {
        return context.output.json(&json!({
            "message_type": "initialized", "id": repository.config().id, "repository": named.location(),
        }));
    }
    context.output.report(made(named, repository))?;
    context.output.note(WARNING);
    Ok(())
}

/// Tells of a repository that was made, beside the results.
pub fn note(context: &Context, named: &Named, repository: &Repository) {
    context.output.note(made(named, repository));
    context.output.note(WARNING);
}

fn made(named: &Named, repository: &Repository) -> String {
    let (id, location) = (repository.config().id.short(), named.location());
    format!("created repository {id} at {}", escape::text(&location))
}

const WARNING: &str = "The password is needed for every access to it. \
    Whoever loses it loses the data: nobody can recover either.";
