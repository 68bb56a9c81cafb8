//! Opening several repositories, and making those that are not there.

use futures::future::join_all;
use strongroom_repository::{ErrorKind, Repository};

use super::Destination;
use crate::commands::backup::Plan;
use crate::commands::init;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::open::Named;

/// Opens all at the same time, or one after the other where a person types passwords. What cannot be opened is told and
/// left out.
///
/// # Errors
/// Two of them are the same repository, or the person wants to stop.
pub(super) async fn all(
    plan: &Plan,
    named: Vec<Named>,
    context: &Context,
) -> Result<Vec<Destination>> {
    let mut opened = Vec::with_capacity(named.len());
    match named.iter().any(Named::asks) {
        true => {
            for one in &named {
                opened.push(context.open_named(one).await);
            }
        }
        false => opened = join_all(named.iter().map(|one| context.open_named(one))).await,
    }
    let makes = plan.arguments.init && !plan.arguments.dry_run;
    if makes {
        make_missing(&named, &mut opened, context).await?;
    }
    context.check_cancelled()?;
    let mut destinations: Vec<Destination> = Vec::with_capacity(named.len());
    for (named, repository) in named.into_iter().zip(opened) {
        match &repository {
            Err(error) if error.code == ExitCode::Interrupted => return Err(Error::interrupted()),
            Err(error) => context.output.warning(&format!(
                "{}: {}; it gets nothing in this run",
                named.location(),
                error.message
            )),
            Ok(repository) => refuse_same(&named, repository, &destinations)?,
        }
        destinations.push(Destination { named, repository });
    }
    Ok(destinations)
}

/// The new ones cut files as those do that are there, so that copies between them store nothing twice.
async fn make_missing(
    named: &[Named],
    opened: &mut [Result<Repository>],
    context: &Context,
) -> Result<()> {
    let mut like = opened.iter().find_map(|one| one.as_ref().ok()).cloned();
    for (named, opened) in named.iter().zip(opened) {
        let is_missing = |error: &Error| error.kind == Some(ErrorKind::NoRepository);
        if !opened.as_ref().is_err_and(is_missing) {
            continue;
        }
        context.check_cancelled()?;
        *opened = match context.create(named, like.as_ref()).await {
            Ok(repository) => {
                init::note(context, named, &repository);
                like.get_or_insert_with(|| repository.clone());
                context.with_cache(named, repository).await
            }
            Err(error) => Err(error),
        };
    }
    Ok(())
}

fn refuse_same(named: &Named, repository: &Repository, others: &[Destination]) -> Result<()> {
    let id = repository.config().id;
    let is_same = |other: &&Destination| {
        let repository = other.repository.as_ref();
        repository.is_ok_and(|repository| repository.config().id == id)
    };
    match others.iter().find(is_same) {
        None => Ok(()),
        Some(other) => Err(Error::usage(format!(
            "{} and {} are the same repository, or one is a mirror of the other",
            other.location(),
            named.location()
        ))
        .hint("name one of the two; `strongroom mirror` keeps a mirror the same")),
    }
}
