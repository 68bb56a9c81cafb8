//! `strongroom mirror`: a second storage kept the same as the repository.

use std::sync::Arc;

use clap::Args;
use serde_json::json;
use strongroom_repository::ErrorKind;
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::mirror::{
    Mirror, MirrorFigures, MirrorOptions, MirrorPlan, MirrorReport,
};

use crate::confirm::confirm;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::meter::Activity;
use crate::output::{escape, figures};

/// Keep another storage the same as the repository, file by file
///
/// The mirror is a repository of its own that opens with the same passwords. Files are copied as they are stored; each is
/// checked against its name on the way, so damage does not spread, and a whole file on the mirror is never replaced by a
/// damaged one. What the repository has no more stays on the mirror unless --delete is given.
///
/// Ends with 21 where something could not be copied, since it is damaged in the repository; nothing is removed then.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Where the mirror is, or is to be
    #[arg(value_name = "URL")]
    pub mirror: String,

    /// Remove from the mirror what the repository has no more; asks first
    #[arg(long)]
    pub delete: bool,

    /// Read what both have on the mirror, too, and replace what is damaged there
    #[arg(long)]
    pub read_data: bool,

    /// Show what would be done, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let named = context.named()?;
    let (place, target) = context.storage_at(&arguments.mirror)?;
    if named.is_at(&place) {
        return Err(Error::usage("both addresses lead to the same storage"));
    }
    // Past the cache: what really lies there is mirrored.
    let repository = context.open_without_cache(&named).await?;
    let mirroring = async |lock: &Lock| {
        let mut mirror = repository
            .mirror_at(Arc::clone(&target))
            .await
            .map_err(|error| refused(error.into()))?;
        if arguments.dry_run {
            let plan = plan(&mirror, &arguments, context).await?;
            show(&plan, context)?;
            tell(plan.figures(), None, context)?;
            return Ok(ExitCode::Success);
        }
        mirror.begin().await?;
        let access = match arguments.delete {
            true => Access::Exclusive,
            false => Access::Append,
        };
        let there = mirror.target().clone();
        let working = async |there: &Lock| work(&mirror, &arguments, lock, there, context).await;
        context.locked_alone(&there, access, working).await
    };
    // With this lock nobody removes what is being copied.
    let access = match arguments.dry_run {
        true => Access::Read,
        false => Access::Append,
    };
    context.locked_alone(&repository, access, mirroring).await
}

async fn plan(mirror: &Mirror, arguments: &Arguments, context: &Context) -> Result<MirrorPlan> {
    let options = MirrorOptions {
        delete: arguments.delete,
        read_data: arguments.read_data,
    };
    let meter = context.meter(Activity::Other);
    let planned = mirror
        .plan(&options, meter.progress(), &context.cancel)
        .await;
    planned.map_err(|error| refused(error.into()))
}

async fn work(
    mirror: &Mirror,
    arguments: &Arguments,
    source_lock: &Lock,
    target_lock: &Lock,
    context: &Context,
) -> Result<ExitCode> {
    let plan = plan(mirror, arguments, context).await?;
    let figures = *plan.figures();
    show(&plan, context)?;
    if figures.files_removed > 0 {
        let files = figures::count(figures.files_removed, "file");
        let bytes = figures::size(figures.bytes_extra);
        let snapshots = figures::count(figures.snapshots_extra, "snapshot");
        let place = mirror.target().location();
        let doing = format!("remove {files} ({bytes}, {snapshots}) from {place}");
        confirm(context, &doing).await?;
    }
    let report = {
        let meter = context.meter(Activity::Other);
        mirror
            .execute(
                plan,
                source_lock,
                target_lock,
                meter.progress(),
                &context.cancel,
            )
            .await?
    };
    tell(&figures, Some(&report), context)?;
    end(&report)
}

fn refused(error: Error) -> Error {
    match error.kind {
        Some(ErrorKind::Refused) => error.hint(
            "a mirror is made in an empty place, and kept where it was made; look at what lies there with \
             `strongroom -r URL snapshots`",
        ),
        _ => error,
    }
}

fn show(plan: &MirrorPlan, context: &Context) -> Result<()> {
    let output = &context.output;
    if output.is_json() {
        return Ok(());
    }
    for removal in plan.removals() {
        output.detail(
            1,
            format_args!("removes {}", escape::text(removal.path.as_str())),
        );
    }
    let figures = plan.figures();
    let row = |what: &str, files: u64, bytes: u64| {
        format!("{what:<12} {files:>8} files / {}", figures::size(bytes))
    };
    output.report(format_args!(
        "{:<12} {:>8} files",
        "the same:", figures.files_same
    ))?;
    output.report(row("to copy:", figures.files_new, figures.bytes_new))?;
    output.report(row(
        "to replace:",
        figures.files_replaced,
        figures.bytes_replaced,
    ))?;
    let extra = match figures.files_removed {
        0 => "only there:",
        _ => "to remove:",
    };
    output.report(row(extra, figures.files_extra, figures.bytes_extra))
}

fn tell(figures: &MirrorFigures, report: Option<&MirrorReport>, context: &Context) -> Result<()> {
    let output = &context.output;
    if output.is_json() {
        return output.json(&json!({
            "message_type": "summary", "dry_run": report.is_none(), "plan": figures, "report": report,
        }));
    }
    let Some(report) = report else {
        return output.report("dry run: nothing was copied and nothing removed");
    };
    output.report(format_args!(
        "copied {} ({}), removed {}",
        figures::count(report.files_copied, "file"),
        figures::size(report.bytes_copied),
        report.files_removed,
    ))
}

fn end(report: &MirrorReport) -> Result<ExitCode> {
    if report.is_complete() {
        return Ok(ExitCode::Success);
    }
    let files = figures::count(report.not_mirrored.len() as u64, "file");
    let message = match report.removals_left {
        0 => format!("{files} could not be mirrored"),
        left => {
            format!("{files} could not be mirrored, so {left} that would have been removed stay")
        }
    };
    Err(Error::new(ExitCode::DamageFound, message).hint(
        "they are damaged in the repository: `strongroom check --read-data` says what that costs, and a whole copy may lie \
         on the mirror: docs/repair.md",
    ))
}
