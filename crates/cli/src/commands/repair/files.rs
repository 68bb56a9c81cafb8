//! `strongroom repair files`: what parity protects, brought back.

use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use strongroom_repository::Repository;
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::parity::ParityMemberKind;
use strongroom_repository::parity::recover::{
    self, Condition, RecoverItem, RecoverOptions, RecoverPlan, RecoverReport, Verdict,
};
use strongroom_repository::workers::Workers;
use strongroom_storage::{Storage, StoragePath};

use super::{access, remains, tell_quarantined};
use crate::confirm::confirm;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::open::Named;
use crate::output::figures;
use crate::output::meter::Activity;

/// Bring damaged and lost files of the repository back from its parity
///
/// Needs parity that was made before (`parity create`). Also works where `config` or the keys are lost, so that the
/// repository does not open. A file that is gone may have been removed by another program: it comes back only if
/// something needs it, or with --missing. Damaged files are copied to the quarantine before they are replaced.
/// Ends with 21 where something cannot be brought back.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Read all that is protected, not only what a listing shows to be damaged
    #[arg(long)]
    pub read_data: bool,

    /// Bring back every protected file that is gone
    #[arg(long)]
    missing: bool,

    /// Do not open the repository: ask for no password and take no lock
    #[arg(long)]
    without_password: bool,

    /// Put `config` back as parity knows it, though there is another; for a repository that does not open
    #[arg(long)]
    replace_config: bool,

    /// Go on beside locks, where the repository does not open and so nobody can tell whose they are
    #[arg(long)]
    ignore_locks: bool,

    /// Show what would be done, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Runs the command.
pub async fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode> {
    let named = context.named()?;
    if let Some(repository) = open(arguments, &named, context).await? {
        let repairing =
            async |lock: &Lock| repair_open(arguments, &repository, lock, context).await;
        return context
            .locked(&repository, access(arguments.dry_run), repairing)
            .await;
    }
    let storage = &*named.storage;
    if !arguments.dry_run && !arguments.ignore_locks {
        refuse_locks(storage).await?;
    }
    let options = RecoverOptions {
        read_data: arguments.read_data,
        missing: arguments.missing,
        needed: None,
        replace_config: arguments.replace_config,
    };
    let restored = repair(arguments, storage, &options, None, context).await;
    if !arguments.without_password && !arguments.dry_run && restored.is_ok() {
        // What was put back has to open; `config` has no name that would prove it.
        context.open_without_cache(&named).await.map_err(|error| {
            error
                .context("files were brought back, and still")
                .hint("run `strongroom repair files --replace-config`, or --missing for keys that are gone")
        })?;
        context.output.note("the repository opens again");
    }
    restored
}

/// `None` where it cannot be opened for what is damaged or missing, or was not to be.
async fn open(
    arguments: &Arguments,
    named: &Named,
    context: &Context,
) -> Result<Option<Repository>> {
    if arguments.without_password {
        return Ok(None);
    }
    match context.open_without_cache(named).await {
        Ok(repository) => Ok(Some(repository)),
        Err(error) if matches!(error.code, ExitCode::DamageFound | ExitCode::NoRepository) => {
            context.output.note(format_args!(
                "{}; going on with its files alone",
                error.message
            ));
            Ok(None)
        }
        Err(error) => {
            Err(error.hint("--without-password repairs what needs no password, such as lost keys"))
        }
    }
}

async fn refuse_locks(storage: &dyn Storage) -> Result<()> {
    let folder = StoragePath::new("locks").map_err(|error| Error::failed(error.to_string()))?;
    match storage.list(Some(&folder)).await?.len() {
        0 => Ok(()),
        number => Err(Error::new(
            ExitCode::Locked,
            format!(
                "there are {} in the repository, and without its key nobody can tell whose",
                figures::count(number as u64, "lock")
            ),
        )
        .hint("make sure that nothing else works on the repository, then add --ignore-locks")),
    }
}

async fn repair_open(
    arguments: &Arguments,
    repository: &Repository,
    lock: &Lock,
    context: &Context,
) -> Result<ExitCode> {
    let needed = {
        let meter = context.meter(Activity::Other);
        recover::needed(repository, meter.progress()).await?
    };
    let options = RecoverOptions {
        read_data: arguments.read_data,
        missing: arguments.missing,
        needed: Some(needed),
        replace_config: false,
    };
    let storage = &**repository.storage();
    repair(arguments, storage, &options, Some(lock), context).await
}

/// Brings back what a repair of another kind would give up for lost; before it, under a lock of its own.
pub async fn before_repair(
    repository: &Repository,
    read_data: bool,
    dry_run: bool,
    context: &Context,
) -> Result<()> {
    if context.parity_hint(repository).await.is_none() {
        return Ok(());
    }
    let arguments = Arguments {
        read_data,
        missing: false,
        without_password: false,
        replace_config: false,
        ignore_locks: false,
        dry_run,
    };
    let repairing = async |lock: &Lock| {
        let meter = context.meter(Activity::Other);
        let progress = meter.progress();
        let options = RecoverOptions {
            read_data,
            needed: Some(recover::needed(repository, progress).await?),
            ..RecoverOptions::default()
        };
        let workers = Workers::new(0)?;
        let storage = &**repository.storage();
        let plan = recover::plan(storage, &workers, &options, progress, &context.cancel).await?;
        drop(meter);
        if plan.to_recover().next().is_none() {
            return Ok(());
        }
        if dry_run {
            context.output.note(format_args!(
                "{} can be brought back from parity: `strongroom repair files` does it, and so does this repair first",
                figures::count(plan.to_recover().count() as u64, "file")
            ));
            return Ok(());
        }
        // What it cannot bring back is the matter of the repair that follows.
        match execute(&arguments, &plan, storage, Some(lock), context).await {
            Err(error) if error.code == ExitCode::DamageFound => Ok(()),
            done => done.map(drop),
        }
    };
    let access = match dry_run {
        true => Access::Read,
        false => Access::Exclusive,
    };
    context.locked(repository, access, repairing).await
}

async fn repair(
    arguments: &Arguments,
    storage: &dyn Storage,
    options: &RecoverOptions,
    lock: Option<&Lock>,
    context: &Context,
) -> Result<ExitCode> {
    let workers = Workers::new(0)?;
    let plan = {
        let meter = context.meter(Activity::Other);
        recover::plan(
            storage,
            &workers,
            options,
            meter.progress(),
            &context.cancel,
        )
        .await?
    };
    if !plan.has_parity() && plan.unreadable().is_empty() {
        return Err(
            Error::failed("the repository has no parity to bring anything back from").hint(
                "`strongroom repair index` and the others mend what can be mended without; \
                 `strongroom parity create` protects what is whole now",
            ),
        );
    }
    execute(arguments, &plan, storage, lock, context).await
}

async fn execute(
    arguments: &Arguments,
    plan: &RecoverPlan,
    storage: &dyn Storage,
    lock: Option<&Lock>,
    context: &Context,
) -> Result<ExitCode> {
    show(plan, context)?;
    let report = if arguments.dry_run || plan.is_nothing() {
        None
    } else {
        confirm(context, &action(plan)).await?;
        let workers = Workers::new(0)?;
        let meter = context.meter(Activity::Other);
        let (now, progress) = (Timestamp::now(), meter.progress());
        let executing = plan.execute(storage, &workers, lock, now, progress, &context.cancel);
        Some(executing.await?)
    };
    tell(arguments, plan, report.as_ref(), context)?;
    context.output.flush()?;
    exit(plan, report.as_ref())
}

fn action(plan: &RecoverPlan) -> String {
    let mut actions = Vec::new();
    let files = plan.to_recover().count() as u64;
    if files > 0 {
        actions.push(format!("bring back {}", figures::count(files, "file")));
    }
    let parity = plan.damaged_parity();
    if parity > 0 {
        let parity = figures::count(parity, "damaged file");
        actions.push(format!(
            "remove {parity} of parity where nothing needs them"
        ));
    }
    actions.join(" and ")
}

fn line(item: &RecoverItem) -> String {
    let what = match (item.kind, item.condition) {
        (ParityMemberKind::Config, Condition::Missing) => "config is missing".to_owned(),
        (ParityMemberKind::Config, Condition::Damaged) => {
            "config is not the one that parity knows".to_owned()
        }
        (kind, Condition::Missing) => format!("{} {} is missing", kind.noun(), item.id),
        (kind, Condition::Damaged) => format!("{} {} is damaged", kind.noun(), item.id),
    };
    let then = match item.verdict {
        Verdict::Recover => "it can be brought back",
        Verdict::NotAskedFor => {
            "nothing is known to need it, and it may have been removed on purpose (--missing brings it back)"
        }
        Verdict::OtherConfig => "it may be newer (--replace-config puts the other one back)",
        Verdict::NotEnoughParity => "it cannot be brought back, too much else is damaged",
    };
    format!("{what}: {then}")
}

fn show(plan: &RecoverPlan, context: &Context) -> Result<()> {
    let output = &context.output;
    if output.is_json() {
        return Ok(());
    }
    for group in plan.unreadable() {
        let (id, reason) = (group.id.short(), &group.reason);
        output.warning(&format!("parity group {id} protects nothing: {reason}"));
    }
    for item in plan.items() {
        output.result(line(item))?;
    }
    Ok(())
}

fn tell(
    arguments: &Arguments,
    plan: &RecoverPlan,
    report: Option<&RecoverReport>,
    context: &Context,
) -> Result<()> {
    let output = &context.output;
    if output.is_json() {
        return json(arguments, plan, report, context);
    }
    let Some(report) = report else {
        return match (plan.items().is_empty(), plan.is_nothing()) {
            (true, true) => output.report("nothing that parity protects is damaged or missing"),
            (false, true) => output.report("nothing was changed"),
            (_, false) => output.report("dry run: nothing was changed"),
        };
    };
    for (kind, id, reason) in &report.failed {
        output.warning(&format!("{} {id}: {reason}", kind.noun()));
    }
    output.report(format_args!(
        "brought back {}",
        figures::count(report.recovered.len() as u64, "file")
    ))?;
    if report.parity_removed > 0 {
        output.report(format_args!(
            "removed {} of parity; whatever writes next makes it anew",
            figures::count(report.parity_removed, "damaged file")
        ))?;
    }
    tell_quarantined(&report.quarantined, context)
}

fn json(
    arguments: &Arguments,
    plan: &RecoverPlan,
    report: Option<&RecoverReport>,
    context: &Context,
) -> Result<()> {
    let item = |item: &RecoverItem| {
        json!({
            "type": item.kind.noun(), "id": item.id, "size_bytes": item.size_bytes,
            "condition": match item.condition {
                Condition::Missing => "missing",
                Condition::Damaged => "damaged",
            },
            "verdict": match item.verdict {
                Verdict::Recover => "recover",
                Verdict::NotAskedFor => "not_asked_for",
                Verdict::OtherConfig => "other_config",
                Verdict::NotEnoughParity => "not_enough_parity",
            },
        })
    };
    let name = |kind: &ParityMemberKind, id| json!({"type": kind.noun(), "id": id});
    let recovered = report.map(|report| {
        let recovered = report.recovered.iter();
        recovered
            .map(|(kind, id)| name(kind, id))
            .collect::<Vec<_>>()
    });
    let failed = report.map(|report| {
        let failed = report.failed.iter();
        failed
            .map(|(kind, id, _)| name(kind, id))
            .collect::<Vec<_>>()
    });
    context.output.json(&json!({
        "message_type": "repair_files_summary", "dry_run": arguments.dry_run,
        "files": plan.items().iter().map(item).collect::<Vec<_>>(),
        "groups_unreadable": plan.unreadable().len(), "parity_damaged": plan.damaged_parity(),
        "recovered": recovered, "failed": failed,
        "quarantined": report.map(|report| &report.quarantined),
        "parity_removed": report.map(|report| report.parity_removed),
    }))
}

fn exit(plan: &RecoverPlan, report: Option<&RecoverReport>) -> Result<ExitCode> {
    let items = plan.items().iter();
    let hopeless = items.filter(|item| item.verdict == Verdict::NotEnoughParity);
    let other = plan
        .items()
        .iter()
        .any(|item| item.verdict == Verdict::OtherConfig);
    let failed = report.map_or(0, |report| report.failed.len());
    let lost = hopeless.count().saturating_add(failed) as u64;
    if lost > 0 {
        return remains(
            format_args!("{} cannot be brought back", figures::count(lost, "file")),
            "`strongroom check` says what that touches; `strongroom repair packs` saves what is whole in damaged packs",
        );
    }
    if other {
        return remains(
            "the file `config` is not the one that parity knows, and was left as it is",
            "if the repository does not open, --replace-config puts the other one back and keeps this one aside",
        );
    }
    Ok(ExitCode::Success)
}
