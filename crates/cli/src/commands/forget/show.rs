//! The plan of a `forget`, for people and as restic's groups.

use serde_json::{Value, json};
use strongroom_repository::forget::{ForgetGroup, ForgetPlan, Kept, Policy};
use strongroom_repository::pin::Pin;
use strongroom_repository::snapshots::SnapshotFile;

use super::Arguments;
use crate::context::Context;
use crate::error::Result;
use crate::output::figures;
use crate::output::snapshot::{self, Column};

/// Shows what stays, with the reasons, and what goes.
pub fn show(
    plan: &ForgetPlan,
    policy: &Policy,
    arguments: &Arguments,
    context: &Context,
) -> Result<()> {
    for (_, error) in &plan.unreadable {
        context.output.warning(&error.to_string());
    }
    for file in plan.files() {
        if let Some(tag) = Pin::of(&file.snapshot.tags).and_then(|pin| pin.unreadable) {
            let id = file.id.short();
            context.output.warning(&format!(
                "snapshot {id} stays pinned: its tag {tag:?} has no date that can be read"
            ));
        }
    }
    if context.output.is_json() {
        let groups = plan.groups.iter().map(group);
        let groups = groups.collect::<Result<Vec<Value>>>()?;
        return context.output.json(&groups);
    }
    if !policy.is_empty() {
        context
            .output
            .report(format_args!("Applying Policy: {policy}"))?;
    }
    plan.groups
        .iter()
        .try_for_each(|group| text(group, arguments, context))
}

fn text(group: &ForgetGroup, arguments: &Arguments, context: &Context) -> Result<()> {
    let output = &context.output;
    let zone = &context.environment.time_zone;
    let lines = |lines: Vec<String>| lines.iter().try_for_each(|line| output.report(line));
    if let Some(key) = snapshot::group(&group.key) {
        output.report(format_args!("snapshots for ({key}):"))?;
    }
    if !group.keep.is_empty() {
        let number = figures::count(group.keep.len() as u64, "snapshot");
        output.report(format_args!("keep {number}:"))?;
        let kept: Vec<SnapshotFile> = group.keep.iter().map(|kept| kept.stored.clone()).collect();
        let reasons: Vec<Vec<String>> = group.keep.iter().map(reasons).collect();
        lines(snapshot::table(
            &kept,
            Some(&Column {
                title: "Reasons",
                cells: &reasons,
            }),
            arguments.compact,
            zone,
        ))?;
        output.report("")?;
    }
    if !group.remove.is_empty() {
        let number = figures::count(group.remove.len() as u64, "snapshot");
        output.report(format_args!("remove {number}:"))?;
        lines(snapshot::table(
            &group.remove,
            None,
            arguments.compact,
            zone,
        ))?;
        output.report("")?;
    }
    Ok(())
}

fn reasons(kept: &Kept) -> Vec<String> {
    kept.reasons.iter().map(ToString::to_string).collect()
}

/// restic's group: `null` for lists without members.
fn group(group: &ForgetGroup) -> Result<Value> {
    let list = |files: Vec<Value>| match files.is_empty() {
        true => Value::Null,
        false => Value::Array(files),
    };
    let keep = group.keep.iter().map(|kept| snapshot::json(&kept.stored));
    let remove = group.remove.iter().map(snapshot::json);
    let reason = |kept: &Kept| -> Result<Value> {
        Ok(json!({"snapshot": snapshot::json(&kept.stored)?, "matches": reasons(kept)}))
    };
    Ok(json!({
        "tags": group.key.tags, "host": group.key.hostname, "paths": group.key.paths,
        "keep": list(keep.collect::<Result<_>>()?),
        "remove": list(remove.collect::<Result<_>>()?),
        "reasons": list(group.keep.iter().map(reason).collect::<Result<_>>()?),
    }))
}
