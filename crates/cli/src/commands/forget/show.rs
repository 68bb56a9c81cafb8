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
        let groups = plan.groups.iter().map(|of| group(of, plan));
        let groups = groups.collect::<Result<Vec<Value>>>()?;
        return context.output.json(&groups);
    }
    if !policy.is_empty() {
        context
            .output
            .report(format_args!("Applying Policy: {policy}"))?;
    }
    if !plan.received.is_empty() {
        context.output.report(
            "Times are those of receipt by the server, where it wrote them down (--age-by)",
        )?;
    }
    plan.groups
        .iter()
        .try_for_each(|group| text(group, plan, arguments, context))
}

/// A snapshot with the time that is its age.
fn aged(file: &SnapshotFile, plan: &ForgetPlan) -> SnapshotFile {
    let mut file = file.clone();
    if let Some(received) = plan.received.get(&file.id) {
        file.snapshot.time = *received;
    }
    file
}

fn text(
    group: &ForgetGroup,
    plan: &ForgetPlan,
    arguments: &Arguments,
    context: &Context,
) -> Result<()> {
    let output = &context.output;
    let zone = &context.environment.time_zone;
    let lines = |lines: Vec<String>| lines.iter().try_for_each(|line| output.report(line));
    if let Some(key) = snapshot::group(&group.key) {
        output.report(format_args!("snapshots for ({key}):"))?;
    }
    if !group.keep.is_empty() {
        let number = figures::count(group.keep.len() as u64, "snapshot");
        output.report(format_args!("keep {number}:"))?;
        let kept: Vec<SnapshotFile> = group
            .keep
            .iter()
            .map(|kept| aged(&kept.stored, plan))
            .collect();
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
        let removed: Vec<SnapshotFile> = group.remove.iter().map(|file| aged(file, plan)).collect();
        lines(snapshot::table(&removed, None, arguments.compact, zone))?;
        output.report("")?;
    }
    Ok(())
}

fn reasons(kept: &Kept) -> Vec<String> {
    kept.reasons.iter().map(ToString::to_string).collect()
}

/// restic's group: `null` for lists without members. Beside it stands when snapshots were received.
fn group(group: &ForgetGroup, plan: &ForgetPlan) -> Result<Value> {
    let list = |files: Vec<Value>| match files.is_empty() {
        true => Value::Null,
        false => Value::Array(files),
    };
    let keep = group.keep.iter().map(|kept| snapshot::json(&kept.stored));
    let remove = group.remove.iter().map(snapshot::json);
    let reason = |kept: &Kept| -> Result<Value> {
        Ok(json!({"snapshot": snapshot::json(&kept.stored)?, "matches": reasons(kept)}))
    };
    let mut value = json!({
        "tags": group.key.tags, "host": group.key.hostname, "paths": group.key.paths,
        "keep": list(keep.collect::<Result<_>>()?),
        "remove": list(remove.collect::<Result<_>>()?),
        "reasons": list(group.keep.iter().map(reason).collect::<Result<_>>()?),
    });
    let files = group.keep.iter().map(|kept| &kept.stored);
    let received = files.chain(&group.remove).filter_map(|file| {
        let time = plan.received.get(&file.id)?;
        Some((file.id.to_string(), Value::from(time.to_string())))
    });
    let received: serde_json::Map<String, Value> = received.collect();
    if let (false, Some(object)) = (received.is_empty(), value.as_object_mut()) {
        object.insert("received".to_owned(), Value::Object(received));
    }
    Ok(value)
}
