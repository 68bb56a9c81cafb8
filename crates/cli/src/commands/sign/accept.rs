//! `strongroom sign accept`.

use serde_json::json;
use strongroom_repository::lock::{Access, Lock};

use super::open;
use crate::confirm::confirm;
use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output::meter::Activity;
use crate::output::{escape, figures};

pub async fn run(dry_run: bool, context: &Context) -> Result<ExitCode> {
    let repository = open(context).await?;
    let access = match dry_run {
        true => Access::Read,
        false => Access::Exclusive,
    };
    let accepting = async |lock: &Lock| {
        let plan = {
            let meter = context.meter(Activity::Other);
            repository
                .plan_accept(meter.progress(), &context.cancel)
                .await?
        };
        let output = &context.output;
        for finding in &plan.findings {
            output.note(format_args!("finding: {}", escape::text(&finding.message)));
        }
        if !plan.unsigned.is_empty() {
            let unsigned = figures::count(plan.unsigned.len() as u64, "snapshot");
            output.note(format_args!("{unsigned} stay unsigned"));
        }
        let what = figures::count(plan.findings.len() as u64, "finding");
        if !plan.is_nothing() && !dry_run {
            confirm(context, &format!("accept the present state with {what}")).await?;
            plan.execute(&repository, lock).await?;
        }
        if output.is_json() {
            output.json(&json!({
                "message_type": "accepted", "dry_run": dry_run,
                "findings": plan.findings.iter().map(|f| &f.message).collect::<Vec<_>>(),
                "unsigned": plan.unsigned,
            }))?;
        }
        output.report(match dry_run {
            true => format!("dry run: would accept {what}"),
            false => format!("accepted {what}"),
        })
    };
    context.locked(&repository, access, accepting).await?;
    Ok(ExitCode::Success)
}
