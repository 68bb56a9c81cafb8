//! `strongroom pin` and `unpin`: snapshots that are not forgotten.

use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use strongroom_repository::forget::Duration;
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::pin::{Pin, plan_pin, plan_unpin};
use strongroom_repository::snapshots::{SnapshotFile, SnapshotFilter};
use strongroom_repository::tag::{Renamed, TagPlan};

use crate::arguments::{SnapshotFilterArguments, values};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::figures;
use crate::output::meter::Activity;
use crate::select;

/// Keep snapshots from being forgotten, until a date or for good
///
/// A pin is a tag, so restic sees it: `restic forget --keep-tag pinned`. A snapshot that is pinned gets another
/// identifier, since that is the hash of its content. Pinning it again replaces its pin.
#[derive(Debug, Args)]
pub struct PinArguments {
    /// Snapshots to pin, or "latest"
    #[arg(value_name = "SNAPSHOT", required = true)]
    pub snapshots: Vec<String>,

    #[command(flatten)]
    pub filter: SnapshotFilterArguments,

    /// When the pin ends: a date such as 2027-01-01, or a duration such as 1y6m [default: never]
    #[arg(long, value_name = "DATE|DURATION")]
    pub until: Option<String>,

    /// Why, for people
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub note: String,
}

/// Let pinned snapshots be forgotten again
///
/// A snapshot that is unpinned gets another identifier, since that is the hash of its content.
#[derive(Debug, Args)]
pub struct UnpinArguments {
    /// Snapshots to unpin, or "latest"
    #[arg(value_name = "SNAPSHOT", required = true)]
    pub snapshots: Vec<String>,

    #[command(flatten)]
    pub filter: SnapshotFilterArguments,
}

/// Runs `pin`.
pub async fn pin(arguments: PinArguments, context: &Context) -> Result<ExitCode> {
    let pin = Pin {
        until: arguments
            .until
            .as_deref()
            .map(|text| until(text, context))
            .transpose()?,
        note: arguments.note.trim().to_owned(),
        unreadable: None,
    };
    let filter = arguments.filter.filter(&context.environment, None);
    let plan = |snapshots| plan_pin(snapshots, &pin);
    let said = pin.to_string();
    change(&arguments.snapshots, &filter, plan, &said, context).await
}

/// Runs `unpin`.
pub async fn unpin(arguments: UnpinArguments, context: &Context) -> Result<ExitCode> {
    let filter = arguments.filter.filter(&context.environment, None);
    change(
        &arguments.snapshots,
        &filter,
        plan_unpin,
        "unpinned",
        context,
    )
    .await
}

/// A date, or a duration from now on. One that has passed is a slip.
fn until(text: &str, context: &Context) -> Result<Timestamp> {
    let now = Timestamp::now();
    let until = match text.parse::<Duration>() {
        Ok(duration) if !duration.is_zero() => duration.after(now).ok_or_else(|| {
            Error::usage(format!("--until: {text} is longer than time is counted"))
        })?,
        _ => values::time(text, &context.environment.time_zone).map_err(|error| {
            Error::usage(format!("--until: {error}; or a duration such as 1y6m"))
        })?,
    };
    match until > now {
        true => Ok(until),
        false => Err(Error::usage(format!("--until: {until} has passed"))),
    }
}

async fn change(
    names: &[String],
    filter: &SnapshotFilter,
    plan: impl Fn(Vec<SnapshotFile>) -> TagPlan,
    said: &str,
    context: &Context,
) -> Result<ExitCode> {
    let repository = context.open().await?;
    let changing = async |lock: &Lock| {
        let chosen = select::many(context, &repository, names, filter).await?;
        let number = chosen.files.len() as u64;
        let plan = plan(chosen.files);
        let meter = context.meter(Activity::Other);
        let renamed = plan
            .execute(&repository, lock, meter.progress(), &context.cancel)
            .await?;
        drop(meter);
        tell(&renamed, number, said, context)
    };
    context
        .locked(&repository, Access::Exclusive, changing)
        .await?;
    Ok(ExitCode::Success)
}

fn tell(renamed: &[Renamed], number: u64, said: &str, context: &Context) -> Result<()> {
    let output = &context.output;
    for (old, new) in renamed {
        match output.is_json() {
            true => output.json(&json!({
                "message_type": "changed", "old_snapshot_id": old, "new_snapshot_id": new,
            }))?,
            false => output.report(format_args!(
                "snapshot {} is {} now, {}",
                old.short(),
                new.short(),
                crate::output::escape::text(said)
            ))?,
        }
    }
    if output.is_json() {
        let summary = json!({"message_type": "summary", "changed_snapshots": renamed.len()});
        return output.json(&summary);
    }
    let same = number.saturating_sub(renamed.len() as u64);
    match same {
        0 => Ok(()),
        same => output.report(format_args!(
            "{} as before",
            figures::count(same, "snapshot")
        )),
    }
}
