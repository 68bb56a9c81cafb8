//! `strongroom rewrite`: snapshots without some of their files or metadata.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};
use strongroom_repository::ErrorKind;
use strongroom_repository::forget::Duration;
use strongroom_repository::format::Time;
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::rewrite::{
    DropMetadata, Entries, RewriteChange, RewriteOptions, RewritePlan, RewriteReport, plan_rewrite,
};

use crate::arguments::{ExcludeArguments, SnapshotFilterArguments, values};
use crate::confirm::confirm;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::meter::Activity;
use crate::output::{escape, figures, snapshot};
use crate::{patterns, select};

/// Leave files or metadata out of snapshots
///
/// Makes new snapshots without what is to be left out; the new ones have the tag "rewrite" and say which they were made
/// from. The old ones stay unless --forget is given, and the data until `prune`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Snapshots to rewrite, or "latest" [default: all that the filters let through]
    #[arg(value_name = "SNAPSHOT")]
    pub snapshots: Vec<String>,

    #[command(flatten)]
    pub filter: SnapshotFilterArguments,

    #[command(flatten)]
    pub exclude: ExcludeArguments,

    /// Leave this metadata out of all entries: xattrs (ACLs too), owners (names), inodes, atimes
    #[arg(long, value_name = "LIST")]
    pub drop: Option<DropMetadata>,

    /// Another host
    #[arg(long, value_name = "HOST")]
    pub new_host: Option<String>,

    /// Another time, such as "2026-11-20 12:00:00"
    #[arg(long, value_name = "TIME")]
    pub new_time: Option<String>,

    /// Add figures of the content to snapshots that have none
    #[arg(short = 's', long)]
    pub snapshot_summary: bool,

    /// Remove the old snapshots
    #[arg(long)]
    pub forget: bool,

    /// Keep the old snapshots in the trash for so long, such as 14d: `undelete` brings them back
    #[arg(long, value_name = "DURATION", requires = "forget")]
    pub trash: Option<Duration>,

    /// Show what would change, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let options = arguments.options(context)?;
    let repository = context.open().await?;
    let access = match (arguments.dry_run, arguments.forget) {
        (true, _) => Access::Read,
        (false, true) => Access::Exclusive,
        (false, false) => Access::Append,
    };
    let filter = arguments.filter.filter(&context.environment, None);
    let rewriting = async |lock: &Lock| {
        let names = &arguments.snapshots;
        let chosen = select::many(context, &repository, names, &filter).await?;
        let exit = chosen.exit();
        let (now, meter) = (Timestamp::now(), context.meter(Activity::Other));
        let (progress, cancel) = (meter.progress(), &context.cancel);
        let plan = plan_rewrite(&repository, chosen.files, options, now, progress, cancel);
        let mut plan = plan.await.map_err(stopped)?;
        if let Some(keep_for) = arguments.trash {
            plan = plan
                .into_trash(&repository, keep_for, now, progress)
                .await?;
        }
        drop(meter);
        show(&plan, context)?;
        let number = plan.changes.len() as u64;
        if arguments.dry_run || number == 0 {
            tell(&plan, None, context)?;
            return exit;
        }
        if arguments.forget {
            let what = figures::count(number, "snapshot");
            confirm(context, &format!("replace {what} by what is shown")).await?;
        }
        let meter = context.meter(Activity::Other);
        let report = plan
            .execute(&repository, lock, meter.progress(), &context.cancel)
            .await?;
        drop(meter);
        tell(&plan, Some(&report), context)?;
        exit
    };
    context.locked(&repository, access, rewriting).await
}

impl Arguments {
    fn options(&self, context: &Context) -> Result<RewriteOptions> {
        let zone = &context.environment.time_zone;
        let new_time = match &self.new_time {
            None => None,
            Some(text) => {
                let instant = values::time(text, zone)
                    .map_err(|error| Error::usage(format!("--new-time: {error}")))?;
                Some(Time::new(instant, zone))
            }
        };
        let options = RewriteOptions {
            exclude: patterns::exclude(&self.exclude, context)?.set,
            drop: self.drop.unwrap_or_default(),
            new_host: self.new_host.clone().filter(|host| !host.is_empty()),
            new_time,
            snapshot_summary: self.snapshot_summary,
            forget: self.forget,
        };
        let no_metadata = options.new_host.is_none() && options.new_time.is_none();
        let no_trees = options.exclude.is_empty() && options.drop.is_empty();
        if no_metadata && no_trees && !options.snapshot_summary {
            return Err(Error::usage("nothing is to be left out or changed").hint(
                "give --exclude PATTERN, --drop LIST, --new-host, --new-time or --snapshot-summary",
            ));
        }
        Ok(options)
    }
}

fn stopped(error: strongroom_repository::Error) -> Error {
    match error.kind() {
        ErrorKind::Damaged => Error::from(error).hint(
            "nothing was changed; `strongroom check` shows all damage. A damaged directory can be left out with --exclude",
        ),
        ErrorKind::Refused => Error::from(error)
            .hint("`strongroom unpin` lets it be removed; without --forget it stays beside the new one"),
        _ => error.into(),
    }
}

fn show(plan: &RewritePlan, context: &Context) -> Result<()> {
    let output = &context.output;
    if output.is_json() {
        return Ok(());
    }
    for change in &plan.changes {
        output.report(snapshot::line(&change.old, &context.environment.time_zone))?;
        output.report(format_args!("  {}", difference(change)))?;
    }
    let same = plan.unchanged.len() as u64;
    match same {
        0 => Ok(()),
        same => output.report(format_args!(
            "{} without anything to change",
            figures::count(same, "snapshot")
        )),
    }
}

/// What a snapshot loses, and what else is new.
fn difference(change: &RewriteChange) -> String {
    let Entries {
        files,
        bytes,
        others,
    } = change.removed;
    let mut parts = Vec::new();
    if files > 0 || others > 0 {
        let entries = others.saturating_add(files);
        parts.push(format!(
            "loses {} ({}, {})",
            figures::count(entries, "path"),
            figures::count(files, "file"),
            figures::size(bytes)
        ));
    }
    if change.stripped > 0 {
        let paths = figures::count(change.stripped, "path");
        parts.push(format!("metadata of {paths} goes"));
    }
    let (old, new) = (&change.old.snapshot, &change.new);
    if old.hostname != new.hostname {
        parts.push(format!("host {}", escape::text(&new.hostname)));
    }
    if old.time != new.time {
        parts.push(format!("time {}", new.time));
    }
    if parts.is_empty() {
        parts.push("gets figures of its content".to_owned());
    }
    parts.join(", ")
}

fn tell(plan: &RewritePlan, done: Option<&RewriteReport>, context: &Context) -> Result<()> {
    let output = &context.output;
    let number = plan.changes.len();
    if output.is_json() {
        for (position, change) in plan.changes.iter().enumerate() {
            let renamed = done.and_then(|done| done.renamed.get(position));
            output.json(&message(change, renamed.map(|(_, new)| json!(new))))?;
        }
        return output.json(&json!({
            "message_type": "summary", "dry_run": done.is_none() && number > 0,
            "changed_snapshots": number, "unchanged_snapshots": plan.unchanged.len(),
        }));
    }
    let count = figures::count(number as u64, "snapshot");
    let Some(done) = done else {
        return match number {
            0 => output.report("no snapshot changes"),
            _ => output.report(format_args!("dry run: {count} would change")),
        };
    };
    for (old, new) in &done.renamed {
        output.report(format_args!(
            "snapshot {} is {} now",
            old.short(),
            new.short()
        ))?;
    }
    let old = match &plan.forget {
        None => "the old ones stay",
        Some(forget) if forget.trash.is_some() => "the old ones are in the trash",
        Some(_) => "the old ones are removed",
    };
    output.report(format_args!("rewrote {count}; {old}"))
}

fn message(change: &RewriteChange, new: Option<Value>) -> Value {
    json!({
        "message_type": "changed", "old_snapshot_id": change.old.id, "new_snapshot_id": new,
        "tree": change.new.tree, "removed_files": change.removed.files,
        "removed_bytes": change.removed.bytes, "removed_others": change.removed.others,
        "stripped_entries": change.stripped,
    })
}
