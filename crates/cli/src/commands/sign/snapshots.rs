//! `strongroom sign snapshots`.

use serde_json::json;
use strongroom_repository::format::Id;
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::snapshots::SnapshotFilter;

use super::open;
use crate::confirm::confirm;
use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output::meter::Activity;
use crate::output::{figures, snapshot};
use crate::select;

pub async fn run(names: &[String], dry_run: bool, context: &Context) -> Result<ExitCode> {
    let repository = open(context).await?;
    let access = match dry_run {
        true => Access::Read,
        false => Access::Append,
    };
    let signing = async |lock: &Lock| {
        // Unverified: what is asked for is what nobody has signed yet.
        let filter = SnapshotFilter::default();
        let chosen = select::many_unverified(context, &repository, names, &filter).await?;
        let wanted: Vec<Id> = chosen.files.iter().map(|file| file.id).collect();
        let plan = {
            let meter = context.meter(Activity::Other);
            repository
                .plan_sign(&wanted, meter.progress(), &context.cancel)
                .await?
        };
        let output = &context.output;
        let zone = &context.environment.time_zone;
        let files = chosen.files.iter();
        for file in files.filter(|file| plan.snapshots.contains(&file.id)) {
            output.note(format_args!("unsigned: {}", snapshot::line(file, zone)));
        }
        let number = plan.snapshots.len();
        let what = figures::count(number as u64, "snapshot");
        if number > 0 && !dry_run {
            confirm(context, &format!("sign {what} as published by you")).await?;
            plan.execute(&repository, lock).await?;
        }
        if output.is_json() {
            output.json(&json!({
                "message_type": "signed", "dry_run": dry_run, "snapshots": plan.snapshots,
            }))?;
        }
        output.report(match dry_run {
            true => format!("dry run: would sign {what}"),
            false => format!("signed {what}"),
        })?;
        chosen.exit()
    };
    context.locked(&repository, access, signing).await
}
