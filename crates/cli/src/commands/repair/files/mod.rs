//! `strongroom repair files`: what parity protects, brought back.

mod report;

use clap::Args;
use jiff::Timestamp;
use strongroom_repository::Repository;
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::parity::recover::{self, RecoverOptions, RecoverPlan};
use strongroom_repository::workers::Workers;
use strongroom_storage::{Storage, StoragePath};

use super::access;
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
    report::show(plan, context)?;
    let done = if arguments.dry_run || plan.is_nothing() {
        None
    } else {
        confirm(context, &report::action(plan)).await?;
        let workers = Workers::new(0)?;
        let meter = context.meter(Activity::Other);
        let (now, progress) = (Timestamp::now(), meter.progress());
        let executing = plan.execute(storage, &workers, lock, now, progress, &context.cancel);
        Some(executing.await?)
    };
    report::tell(arguments, plan, done.as_ref(), context)?;
    context.output.flush()?;
    report::exit(plan, done.as_ref())
}
