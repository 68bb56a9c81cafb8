//! `strongroom unlock`: locks of processes that are gone.

use clap::Args;
use serde_json::json;
use strongroom_repository::lock::{Access, FoundLock};

use crate::confirm::confirm;
use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output::{escape, figures};

/// Remove locks of processes that are gone
///
/// A lock is removed where its process is known to have ended on this host, or where it was not refreshed for 30 minutes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Remove all locks, even of processes that may still run
    #[arg(long)]
    pub remove_all: bool,
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let repository = context.open_without_cache(&context.named()?).await?;
    let options = context.lock_options(Access::Exclusive);
    let now = jiff::Timestamp::now();
    if arguments.remove_all {
        let locks = repository.find_locks(&options).await?;
        for lock in locks.iter().filter(|lock| !lock.is_stale) {
            let lock = lock.describe(now);
            context
                .output
                .warning(&format!("the repository is locked {lock}"));
        }
        if locks.iter().any(|lock| !lock.is_stale) {
            confirm(
                context,
                "remove locks of processes that may still run, which can lose data if they do",
            )
            .await?;
        }
    }
    let unlocked = repository.unlock(&options, arguments.remove_all).await?;
    let output = &context.output;
    for lock in &unlocked.left {
        output.note(format_args!(
            "left: locked {}",
            escape::text(&lock.describe(now))
        ));
    }
    let removed = figures::count(unlocked.removed.len() as u64, "lock");
    if output.is_json() {
        let ids = |locks: &[FoundLock]| locks.iter().map(|lock| lock.id).collect::<Vec<_>>();
        output.json(&json!({
            "message_type": "unlocked", "removed": ids(&unlocked.removed),
            "left": ids(&unlocked.left),
        }))?;
    }
    output.report(format_args!("removed {removed}"))?;
    Ok(ExitCode::Success)
}
