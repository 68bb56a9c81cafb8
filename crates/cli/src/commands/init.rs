//! `strongroom init`: a new repository.

use clap::Args;
use serde_json::json;
use strongroom_repository::{ErrorKind, Repository};

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
///
/// With several --repo all are made that are not there yet, such that copies between them store nothing twice.
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
    let named = context.named_all()?;
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
    let [one] = named.as_slice() else {
        return several(&named, like, context).await;
    };
    let repository = context.create(one, like.as_ref()).await?;
    announce(context, one, &repository)?;
    Ok(ExitCode::Success)
}

/// Makes those that are not there yet. All cut files in the same way, as the first that is there does, so that what is copied
/// from one to the other is stored once. One that cannot be made keeps none of the others.
async fn several(
    named: &[Named],
    mut like: Option<Repository>,
    context: &Context,
) -> Result<ExitCode> {
    let mut missing = Vec::new();
    let mut failures = Vec::new();
    for one in named {
        match context.open_without_cache(one).await {
            Ok(repository) => {
                let location = one.location();
                let location = escape::text(&location);
                context.output.note(format_args!(
                    "there is a repository at {location}, left as it is"
                ));
                like.get_or_insert(repository);
            }
            Err(error) if error.kind == Some(ErrorKind::NoRepository) => missing.push(one),
            Err(error) if error.code == ExitCode::Interrupted => return Err(error),
            Err(error) => failures.push((one.location(), error)),
        }
    }
    if missing.is_empty() && failures.is_empty() {
        return Err(
            Error::failed("there is a repository in every place that was named").hint(
                "use the repositories as they are, or add another address; nothing was changed",
            ),
        );
    }
    for one in missing {
        match context.create(one, like.as_ref()).await {
            Ok(repository) => {
                announce(context, one, &repository)?;
                like.get_or_insert(repository);
            }
            Err(error) if error.code == ExitCode::Interrupted => return Err(error),
            Err(error) => failures.push((one.location(), error)),
        }
    }
    let mut failures = failures.into_iter();
    let Some((location, first)) = failures.next() else {
        return Ok(ExitCode::Success);
    };
    for (location, error) in failures {
        context.output.warning(&format!("{location}: {error}"));
    }
    Err(first.context(location))
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
