//! `strongroom prune`: data that no snapshot needs, removed.

use std::collections::HashSet;

use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::prune::{
    Amounts, EmptyTrash, InvalidMaxUnused, PruneFigures, PruneOptions, PruneReport,
};
use strongroom_repository::{ErrorKind, Repository};

use crate::arguments::values;
use crate::confirm::confirm;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::figures;
use crate::output::meter::Activity;

/// Remove data that no snapshot needs
///
/// Nothing else can write to the repository meanwhile. It can be interrupted at any time; nothing
/// that a snapshot needs is removed.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Show what would be removed, and remove nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Empty the trash of `forget --trash`, whatever its dates
    #[arg(long)]
    pub empty_trash: bool,

    #[command(flatten)]
    pub repack: RepackArguments,
}

/// How much rewriting is worth it.
#[derive(Debug, Clone, Args)]
pub struct RepackArguments {
    /// Unused data to leave in the repository: 5%, a size such as 10G, or "unlimited"
    #[arg(
        help_heading = "Repacking",
        long,
        value_name = "LIMIT",
        default_value = "5%"
    )]
    pub max_unused: String,

    /// Rewrite no more than this in one run
    #[arg(help_heading = "Repacking", long, value_name = "SIZE", value_parser = values::size)]
    pub max_repack_size: Option<u64>,

    /// Rewrite packs of trees alone
    #[arg(help_heading = "Repacking", long)]
    pub repack_cacheable_only: bool,

    /// Rewrite packs below 80 % of the pack size
    #[arg(help_heading = "Repacking", long)]
    pub repack_small: bool,

    /// Rewrite packs that are smaller than this
    #[arg(help_heading = "Repacking", long, value_name = "SIZE", value_parser = values::size)]
    pub repack_smaller_than: Option<u64>,

    /// Rewrite and compress all data that is not compressed
    #[arg(help_heading = "Repacking", long)]
    pub repack_uncompressed: bool,
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let mut options = arguments.repack.options()?;
    if arguments.empty_trash {
        options.empty_trash = EmptyTrash::All;
    }
    let repository = context.open().await?;
    let access = match arguments.dry_run {
        true => Access::Read,
        false => Access::Exclusive,
    };
    let pruning = async |lock: &Lock| {
        prune(
            &repository,
            &options,
            lock,
            arguments.dry_run,
            false,
            context,
        )
        .await
    };
    context.locked(&repository, access, pruning).await?;
    Ok(ExitCode::Success)
}

impl RepackArguments {
    /// What the engine is asked for.
    pub fn options(&self) -> Result<PruneOptions> {
        Ok(PruneOptions {
            max_unused: self
                .max_unused
                .parse()
                .map_err(|e: InvalidMaxUnused| Error::usage(format!("--max-unused: {e}")))?,
            max_repack_bytes: self.max_repack_size,
            repack_cacheable_only: self.repack_cacheable_only,
            repack_small: self.repack_small,
            repack_smaller_than_bytes: self.repack_smaller_than,
            repack_uncompressed: self.repack_uncompressed,
            now: Timestamp::now(),
            empty_trash: EmptyTrash::Due,
            forgotten: HashSet::new(),
        })
    }
}

/// Plans, shows the plan, asks unless that was done, and removes.
///
/// The exclusive lock is held while the user thinks: a plan that is carried out has to be made under the same one.
pub async fn prune(
    repository: &Repository,
    options: &PruneOptions,
    lock: &Lock,
    dry_run: bool,
    confirmed: bool,
    context: &Context,
) -> Result<()> {
    let plan = {
        let meter = context.meter(Activity::Other);
        repository
            .plan_prune(options, meter.progress(), &context.cancel)
            .await
            .map_err(stopped)?
    };
    let figures = *plan.figures();
    show(&figures, context)?;
    if dry_run {
        return tell(&figures, None, context);
    }
    context.warn_of_lost_snapshots(repository).await;
    // What removes nothing is carried out all the same: it proves that nothing is needed but what is there.
    if !confirmed && !figures.is_nothing() {
        let bytes = figures::size(figures.removed().bytes);
        let trash = match figures.trash_expired {
            0 => String::new(),
            number => format!(" and {} in the trash", figures::count(number, "snapshot")),
        };
        let doing = format!("remove {bytes} that no snapshot needs{trash}");
        confirm(context, &doing).await?;
    }
    let report = {
        let meter = context.meter(Activity::Other);
        repository
            .prune(plan, lock, meter.progress(), &context.cancel)
            .await?
    };
    tell(&figures, Some(report), context)
}

/// What a prune cannot know the need of, it does not remove.
fn stopped(error: strongroom_repository::Error) -> Error {
    let hint = match error.kind() {
        ErrorKind::Damaged => {
            "run `strongroom check --read-data` to see all damage; what is in the trash alone and cannot be read \
             is given up by `strongroom prune --empty-trash`"
        }
        _ => return error.into(),
    };
    Error::from(error).hint(hint)
}

fn show(figures: &PruneFigures, context: &Context) -> Result<()> {
    let output = &context.output;
    let row = |what: &str, amounts: Amounts| {
        format!(
            "{what:<15} {:>10} blobs / {}",
            amounts.blobs,
            figures::size(amounts.bytes)
        )
    };
    output.detail(1, row("used:", figures.used));
    output.detail(1, row("duplicates:", figures.duplicate));
    output.detail(1, row("unused:", figures.unused));
    output.detail(1, row("total:", figures.total()));
    output.report(row("to repack:", figures.repack))?;
    output.report(row("this removes:", figures.repack_removes))?;
    output.report(row("to delete:", figures.remove))?;
    if figures.unreferenced_bytes > 0 {
        let bytes = figures::size(figures.unreferenced_bytes);
        output.report(format_args!("unreferenced packs: {bytes}"))?;
    }
    if figures.trash_kept > 0 || figures.trash_expired > 0 {
        output.report(format_args!(
            "trash: {} stay, {} leave it for good",
            figures::count(figures.trash_kept, "snapshot"),
            figures.trash_expired,
        ))?;
    }
    if figures.trash_incomplete > 0 {
        output.warning(&format!(
            "{} in the trash cannot be brought back whole: another program has pruned the repository",
            figures::count(figures.trash_incomplete, "snapshot"),
        ));
    }
    output.report(row("total prune:", figures.removed()))?;
    output.report(row("remaining:", figures.remaining()))?;
    let unused = figures.unused_after().bytes;
    let share = match figures.remaining().bytes {
        0 => "0.00%".to_owned(),
        all => figures::percent(unused, all),
    };
    output.report(format_args!(
        "unused size after prune: {} ({share} of remaining size)",
        figures::size(unused)
    ))
}

fn tell(figures: &PruneFigures, done: Option<PruneReport>, context: &Context) -> Result<()> {
    let output = &context.output;
    if output.is_json() {
        return output.json(&json!({
            "message_type": "prune_summary", "dry_run": done.is_none(), "plan": figures,
            "removed": figures.removed(), "remaining": figures.remaining(),
            "packs_written": done.map(|done| done.packs_written),
            "packs_removed": done.map(|done| done.packs_removed),
            "indexes_written": done.map(|done| done.indexes_written),
            "indexes_removed": done.map(|done| done.indexes_removed),
            "trash_removed": done.map(|done| done.trash_removed),
        }));
    }
    match done {
        None => output.report("dry run: nothing was removed"),
        Some(done) => output.report(format_args!(
            "removed {} and wrote {}",
            figures::count(done.packs_removed, "pack"),
            figures::count(done.packs_written, "pack"),
        )),
    }
}
