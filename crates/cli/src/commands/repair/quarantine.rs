//! `strongroom repair quarantine`.

use clap::Args;
use serde_json::json;
use strongroom_repository::Repository;
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::repair::QuarantinedFile;

use crate::confirm::confirm;
use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output::{escape, figures};

/// List the damaged files that repairs have put aside
///
/// They lie in the folder strongroom/quarantine of the repository, as they were; nothing needs them.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Remove them for good
    #[arg(long)]
    empty: bool,
}

/// Runs the command.
pub async fn run(
    arguments: &Arguments,
    repository: &Repository,
    context: &Context,
) -> Result<ExitCode> {
    let access = match arguments.empty {
        true => Access::Exclusive,
        false => Access::Read,
    };
    let working = async |lock: &Lock| {
        let files = repository.list_quarantine().await?;
        show(&files, context)?;
        if arguments.empty && !files.is_empty() {
            let number = figures::count(files.len() as u64, "damaged file");
            confirm(context, &format!("remove {number} for good")).await?;
            repository.empty_quarantine(&files, lock).await?;
            context.output.report(format_args!("removed {number}"))?;
        }
        Ok(ExitCode::Success)
    };
    context.locked(repository, access, working).await
}

fn show(files: &[QuarantinedFile], context: &Context) -> Result<()> {
    let output = &context.output;
    if output.is_json() {
        let file = |file: &QuarantinedFile| {
            json!({
                "name": file.name, "kind": file.kind.map(|kind| kind.noun()), "id": file.id,
                "time": file.time.map(|time| time.to_string()), "size_bytes": file.size_bytes,
            })
        };
        return output.json(&json!({
            "message_type": "quarantine", "files": files.iter().map(file).collect::<Vec<_>>(),
        }));
    }
    if files.is_empty() {
        return output.report("the quarantine is empty");
    }
    for file in files {
        let size = figures::size(file.size_bytes);
        output.result(format_args!("{}  {size}", escape::text(&file.name)))?;
    }
    Ok(())
}
