//! `strongroom parity remove`: a repository without parity.

use clap::Args;
use serde_json::json;
use strongroom_repository::lock::{Access, Lock};

use crate::confirm::confirm;
use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output::figures;
use crate::output::meter::Activity;

/// Remove all parity
///
/// What it protects stays, and is not protected any more.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Show what would be removed, and remove nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Runs the command.
pub async fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode> {
    let repository = context.open_without_cache(&context.named()?).await?;
    let access = match arguments.dry_run {
        true => Access::Read,
        false => Access::Exclusive,
    };
    let removing = async |lock: &Lock| {
        let plan = repository.plan_parity_removal().await?;
        let what = format!(
            "{} of parity ({})",
            figures::count(plan.files(), "file"),
            figures::size(plan.bytes)
        );
        if arguments.dry_run || plan.files() == 0 {
            context.output.report(match plan.files() {
                0 => "there is no parity".to_owned(),
                _ => format!("dry run: would remove {what}"),
            })?;
        } else {
            confirm(context, &format!("remove {what}")).await?;
            let meter = context.meter(Activity::Other);
            repository
                .remove_parity(&plan, lock, meter.progress(), &context.cancel)
                .await?;
            drop(meter);
            context.output.report(format_args!("removed {what}"))?;
        }
        match context.output.is_json() {
            true => context.output.json(&json!({
                "message_type": "parity_removed", "dry_run": arguments.dry_run,
                "files": plan.files(), "bytes": plan.bytes,
            })),
            false => Ok(()),
        }
    };
    context.locked_alone(&repository, access, removing).await?;
    Ok(ExitCode::Success)
}
