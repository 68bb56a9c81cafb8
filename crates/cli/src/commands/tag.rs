//! `strongroom tag`: tags of snapshots.

use clap::Args;
use serde_json::json;
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::pin::Pin;
use strongroom_repository::tag::{Renamed, TagChange, TagChanged, TagPlan, plan_tags};

use crate::arguments::{SnapshotFilterArguments, split_tags};
use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output::figures;
use crate::output::meter::Activity;
use crate::select;

/// Change the tags of snapshots
///
/// A changed snapshot gets another identifier, since that is the hash of its content.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true))]
pub struct Arguments {
    /// Snapshots to change, or "latest" [default: all that the filters let through]
    #[arg(value_name = "SNAPSHOT")]
    pub snapshots: Vec<String>,

    #[command(flatten)]
    pub filter: SnapshotFilterArguments,

    /// Replace all tags by these; pinned snapshots stay pinned
    #[arg(long, value_name = "TAG[,TAG…]", group = "change", conflicts_with_all = ["add", "remove"])]
    pub set: Vec<String>,

    /// Add these tags
    #[arg(long, value_name = "TAG[,TAG…]", group = "change")]
    pub add: Vec<String>,

    /// Remove these tags
    #[arg(long, value_name = "TAG[,TAG…]", group = "change")]
    pub remove: Vec<String>,
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let tags = |lists: &[String]| -> Vec<String> {
        let tags = lists.iter().flat_map(|list| split_tags(list));
        tags.filter(|tag| !tag.is_empty()).collect()
    };
    let change = match arguments.set.is_empty() {
        false => TagChange::Set(tags(&arguments.set)),
        true => TagChange::Edit {
            add: tags(&arguments.add),
            remove: tags(&arguments.remove),
        },
    };
    let repository = context.open().await?;
    let filter = arguments.filter.filter(&context.environment, None);
    let changing = async |lock: &Lock| {
        let chosen = select::many(context, &repository, &arguments.snapshots, &filter).await?;
        let exit = chosen.exit();
        let plan = plan_tags(chosen.files, &change)?;
        note_pins(&plan, &change, context);
        let meter = context.meter(Activity::Other);
        let renamed = plan
            .execute(&repository, lock, meter.progress(), &context.cancel)
            .await?;
        drop(meter);
        tell(&renamed, context)?;
        exit
    };
    context
        .locked(&repository, Access::Exclusive, changing)
        .await
}

/// Who sets tags may not have thought of pins.
fn note_pins(plan: &TagPlan, change: &TagChange, context: &Context) {
    let is_pinned = |changed: &&TagChanged| Pin::of(&changed.new.tags).is_some();
    let pinned = plan.changes.iter().filter(is_pinned).count() as u64;
    if matches!(change, TagChange::Set(_)) && pinned > 0 {
        let number = figures::count(pinned, "snapshot");
        context.output.note(format_args!(
            "{number} stay pinned; `strongroom unpin` ends that"
        ));
    }
}

fn tell(renamed: &[Renamed], context: &Context) -> Result<()> {
    let output = &context.output;
    if !output.is_json() {
        let number = figures::count(renamed.len() as u64, "snapshot");
        return output.report(format_args!("modified {number}"));
    }
    for (old, new) in renamed {
        output.json(&json!({
            "message_type": "changed", "old_snapshot_id": old, "new_snapshot_id": new,
        }))?;
    }
    output.json(&json!({"message_type": "summary", "changed_snapshots": renamed.len()}))
}
