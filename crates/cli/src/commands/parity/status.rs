//! `strongroom parity status`: what is protected, and against how much.

use clap::Args;
use serde_json::json;
use strongroom_repository::parity::{self, ParityStatus};

use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output::{escape, figures};

/// Show what parity there is and what it is good for
///
/// Looks at names and sizes alone and needs no password; `repair files --read-data --dry-run` reads every byte.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Runs the command.
pub async fn run(_: &Arguments, context: &Context) -> Result<ExitCode> {
    let named = context.named()?;
    let status = parity::status(&*named.storage).await?;
    match context.output.is_json() {
        true => json(&status, context)?,
        false => text(&status, context)?,
    }
    Ok(ExitCode::Success)
}

fn json(status: &ParityStatus, context: &Context) -> Result<()> {
    let missing = status.missing.iter();
    let missing: Vec<_> = missing
        .map(|(kind, id)| json!({"type": kind.noun(), "id": id}))
        .collect();
    let unreadable = status.unreadable.iter();
    let unreadable: Vec<_> = unreadable
        .map(|group| json!({"id": group.id, "reason": group.reason}))
        .collect();
    context.output.json(&json!({
        "message_type": "parity_status", "percent": status.percent, "groups": status.groups,
        "parity_bytes": status.parity_bytes,
        "files_protected": status.files_protected, "bytes_protected": status.bytes_protected,
        "files_unprotected": status.files_unprotected, "bytes_unprotected": status.bytes_unprotected,
        "losses_min": status.losses_min, "groups_weakened": status.groups_weakened,
        "files_unreferenced": status.files_unreferenced,
        "missing": missing, "unreadable": unreadable,
    }))
}

fn text(status: &ParityStatus, context: &Context) -> Result<()> {
    let output = &context.output;
    let Some(percent) = status.percent else {
        output.result("there is no parity; `strongroom parity create` makes it")?;
        return damage(status, context);
    };
    output.result(format_args!(
        "parity:       {percent} parts for a hundred files, {}, {}",
        figures::count(status.groups, "group"),
        figures::size(status.parity_bytes)
    ))?;
    output.result(format_args!(
        "protected:    {} ({}); parity takes {} of that",
        figures::count(status.files_protected, "file"),
        figures::size(status.bytes_protected),
        figures::percent(status.parity_bytes, status.bytes_protected)
    ))?;
    output.result(format_args!(
        "unprotected:  {} ({})",
        figures::count(status.files_unprotected, "file"),
        figures::size(status.bytes_unprotected)
    ))?;
    output.result(format_args!(
        "survives:     the loss of any {} in each group, and small files may all be lost",
        figures::count(status.losses_min, "file")
    ))?;
    damage(status, context)
}

fn damage(status: &ParityStatus, context: &Context) -> Result<()> {
    let output = &context.output;
    for (kind, id) in &status.missing {
        output.result(format_args!("missing:      {} {id}", kind.noun()))?;
    }
    for group in &status.unreadable {
        let reason = escape::text(&group.reason);
        output.result(format_args!("unreadable:   group {}: {reason}", group.id))?;
    }
    if !status.missing.is_empty() {
        output.note(
            "files are missing that strongroom did not remove: `repair files` brings them back, \
             `parity create --accept-missing` lets them go",
        );
    }
    let weak = status.groups_weakened;
    if weak > 0 || status.files_unreferenced > 0 || !status.unreadable.is_empty() {
        output.note(format_args!(
            "{} lack parity files; `parity create` makes good what is missing and removes what nothing needs",
            figures::count(weak, "group")
        ));
    }
    Ok(())
}
