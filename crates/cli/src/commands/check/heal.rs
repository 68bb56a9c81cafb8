//! `strongroom check --heal-from`: what is lost here, fetched from another repository.

use serde_json::json;
use strongroom_repository::Repository;
use strongroom_repository::check::{CheckOptions, CheckReport};
use strongroom_repository::format::{BlobKind, Id};
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::repair::{HealPlan, HealReport};

use super::{Arguments, Checked, check, steps};
use crate::arguments::FromArguments;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::figures;
use crate::output::meter::Activity;

/// Checks, and fetches what the check found to be lost. Adds and removes nothing, so a shared lock is enough.
pub async fn run(
    arguments: &Arguments,
    url: &str,
    repository: &Repository,
    options: &CheckOptions,
    context: &Context,
) -> Result<ExitCode> {
    let source = open_source(arguments, url, context).await?;
    if source.location() == repository.location() {
        return Err(Error::usage("both addresses lead to the same repository"));
    }
    let access = match arguments.dry_run {
        true => Access::Read,
        false => Access::Append,
    };
    let healing = async |lock: &Lock| {
        let checked = check(repository, options, context).await?;
        if checked.report.is_sound() {
            return checked.signed;
        }
        let reading =
            async |_: &Lock| heal(arguments, repository, &source, &checked, lock, context).await;
        context.locked(&source, Access::Read, reading).await?;
        checked.signed
    };
    context.locked(repository, access, healing).await
}

async fn open_source(arguments: &Arguments, url: &str, context: &Context) -> Result<Repository> {
    let from = FromArguments {
        from_repo: Some(url.to_owned()),
        password: arguments.from.clone(),
        ..FromArguments::default()
    };
    let named = context.named_source(&from)?;
    let named = named.ok_or_else(|| Error::usage("no repository to heal from was named"))?;
    context
        .open_named(&named)
        .await
        .map_err(|error| super::super::copy::of_source(error, "--heal-from"))
}

async fn heal(
    arguments: &Arguments,
    repository: &Repository,
    source: &Repository,
    checked: &Checked,
    lock: &Lock,
    context: &Context,
) -> Result<ExitCode> {
    let report = &checked.report;
    let plan = {
        let meter = context.meter(Activity::Other);
        repository
            .plan_heal(source, report, meter.progress(), &context.cancel)
            .await?
    };
    let output = &context.output;
    let (available, mut lost) = (plan.available.len() as u64, plan.lost.clone());
    let all = available.saturating_add(lost.len() as u64);
    if !output.is_json() {
        output.result(format_args!(
            "{} lost here; {} has {available} of them",
            figures::count_is(all, "blob"),
            source.location()
        ))?;
    }
    let done = match arguments.dry_run {
        true => None,
        false => Some(fetch(repository, source, plan, lock, context).await?),
    };
    lost.extend(done.iter().flat_map(|done| done.damaged.iter().copied()));
    tell(all, available, &lost, done.as_ref(), context)?;
    output.flush()?;
    let Some(_) = done else {
        return Err(checked.damaged());
    };
    end(&lost, report, context)
}

async fn fetch(
    repository: &Repository,
    source: &Repository,
    plan: HealPlan,
    lock: &Lock,
    context: &Context,
) -> Result<HealReport> {
    let meter = context.meter(Activity::Other);
    let healing = repository.heal(source, plan, lock, meter.progress(), &context.cancel);
    Ok(healing.await?)
}

fn tell(
    all: u64,
    available: u64,
    lost: &[(BlobKind, Id)],
    done: Option<&HealReport>,
    context: &Context,
) -> Result<()> {
    let output = &context.output;
    if output.is_json() {
        return output.json(&json!({
            "message_type": "heal_summary", "dry_run": done.is_none(), "blobs_lost_before": all,
            "blobs_available": available, "blobs_healed": done.map(|done| done.healed),
            "blobs_lost": lost.iter().map(|(_, id)| *id).collect::<Vec<_>>(),
        }));
    }
    for (kind, id) in lost {
        output.result(format_args!("{kind} blob {id} is lost in both"))?;
    }
    match done {
        None => output.report("dry run: nothing was fetched"),
        Some(done) => output.report(format_args!("healed: {} of {}", done.healed, blobs(all))),
    }
}

/// What remains after everything that could be fetched was.
fn end(lost: &[(BlobKind, Id)], report: &CheckReport, context: &Context) -> Result<ExitCode> {
    if !lost.is_empty() {
        let message = format!(
            "{} still lost",
            figures::count_is(lost.len() as u64, "blob")
        );
        return Err(Error::new(ExitCode::DamageFound, message).hint(steps::after(report)));
    }
    let is_other =
        |error: &&strongroom_repository::check::Finding| steps::is_other_damage(&error.kind);
    if let number @ 1.. = report.errors.iter().filter(is_other).count() {
        let message = format!(
            "what was lost is here again; {} that no other repository mends",
            figures::count(number as u64, "error")
        );
        return Err(Error::new(ExitCode::DamageFound, message).hint(steps::after(report)));
    }
    if let Some(commands) = steps::tidy(report) {
        context.output.note(format_args!(
            "nothing is lost any more; {commands} then remove what is left of the damage"
        ));
    }
    Ok(ExitCode::Success)
}

fn blobs(number: u64) -> String {
    figures::count(number, "blob")
}
