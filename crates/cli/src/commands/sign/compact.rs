//! `strongroom sign compact`.

use serde_json::json;
use strongroom_repository::lock::{Access, Lock};

use super::open;
use crate::confirm::confirm;
use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output::figures;
use crate::output::meter::Activity;

pub async fn run(dry_run: bool, context: &Context) -> Result<ExitCode> {
    let repository = open(context).await?;
    let access = match dry_run {
        true => Access::Read,
        false => Access::Exclusive,
    };
    let compacting = async |lock: &Lock| {
        let plan = {
            let meter = context.meter(Activity::Other);
            repository
                .plan_compact(meter.progress(), &context.cancel)
                .await?
        };
        let output = &context.output;
        let what = figures::count(plan.statements, "statement");
        if !plan.is_nothing() && !dry_run {
            let files = figures::count(plan.files, "file");
            let action = format!("put one statement in place of {what} and remove {files}");
            confirm(context, &action).await?;
            plan.execute(&repository, lock).await?;
        }
        if output.is_json() {
            output.json(&json!({
                "message_type": "compacted", "dry_run": dry_run, "statements": plan.statements,
                "files": plan.files, "nothing": plan.is_nothing(),
            }))?;
        }
        output.report(match (plan.is_nothing(), dry_run) {
            (true, _) => "there is nothing to compact".to_owned(),
            (false, true) => format!("dry run: would put one statement in place of {what}"),
            (false, false) => format!("one statement stands for {what}"),
        })
    };
    context.locked(&repository, access, compacting).await?;
    Ok(ExitCode::Success)
}
