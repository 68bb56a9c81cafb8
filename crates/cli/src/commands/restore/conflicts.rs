//! Where the target is not what the snapshot has, and what a restore does about it.

use serde_json::{Value, json};
use strongroom_repository::format::{Node, NodeKind};
use strongroom_repository::restore::{
    Conflict, ConflictKind, ExistingKind, Obstacle, Resolution, RestorePlan,
};

use crate::context::Context;
use crate::error::Result;
use crate::output::table::Table;
use crate::output::{escape, figures};

/// Conflicts that a dry run lists for people, and for programs; and those that are shown before a question.
const LISTED: usize = 100;
const LISTED_JSON: usize = 1000;
const BEFORE_A_QUESTION: usize = 20;

/// Lists the conflicts of a dry run, and how many there are.
pub fn list(plan: &RestorePlan, context: &Context) -> Result<usize> {
    let output = &context.output;
    let total = plan.conflicts().count();
    if output.is_json() {
        for conflict in plan.conflicts().take(LISTED_JSON) {
            output.json(&value(&conflict))?;
        }
        return Ok(total);
    }
    if total > 0 {
        for line in table(plan.conflicts(), LISTED, context) {
            output.report(line)?;
        }
    }
    Ok(total)
}

/// Shows the first of what is overwritten or removed, so that the question is about something.
pub fn show_losses(plan: &RestorePlan, context: &Context) {
    let is_lost = |conflict: &Conflict<'_>| {
        let resolution = conflict.resolution;
        matches!(
            resolution,
            Resolution::Update | Resolution::Replace | Resolution::Remove
        )
    };
    let lost = plan.conflicts().filter(is_lost);
    for line in table(lost, BEFORE_A_QUESTION, context) {
        context.output.note(line);
    }
}

/// A folder is in the way of something else and is not removed.
pub fn is_blocked_by_folder(plan: &RestorePlan) -> bool {
    plan.conflicts().any(|conflict| {
        let in_the_way = conflict.kind == ConflictKind::FolderInTheWay;
        in_the_way && conflict.resolution == Resolution::Fail
    })
}

fn table<'a>(
    conflicts: impl Iterator<Item = Conflict<'a>>,
    listed: usize,
    context: &Context,
) -> Vec<String> {
    let zone = &context.environment.time_zone;
    let time = |time| figures::time(time, zone);
    let mut table = Table::new(["Action", "Conflict", "Target", "Snapshot", "Path"]);
    let (mut shown, mut more) = (0, 0_u64);
    for conflict in conflicts {
        if shown == listed {
            more += 1;
            continue;
        }
        shown += 1;
        let target = conflict.obstacle.map(|obstacle| match obstacle.kind {
            ExistingKind::File => {
                format!(
                    "{}, {}",
                    time(obstacle.mtime),
                    figures::size(obstacle.size_bytes)
                )
            }
            _ => type_of(obstacle).to_owned(),
        });
        let snapshot = conflict.node.map(|node| match node.kind {
            NodeKind::File => format!("{}, {}", time(node.mtime), figures::size(node.size_bytes)),
            _ => node.kind.as_str().to_owned(),
        });
        let path = conflict.path.absolute();
        table.row([
            action(conflict.resolution).to_owned(),
            words(&conflict),
            target.unwrap_or_default(),
            snapshot.unwrap_or_default(),
            escape::name(&path).to_string(),
        ]);
    }
    if more > 0 {
        let more = figures::count(more, "more conflict");
        table.footer(format!(
            "and {more}; --dry-run --json lists up to {LISTED_JSON}"
        ));
    }
    table.lines()
}

fn action(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Update => "update",
        Resolution::Replace => "replace",
        Resolution::Remove => "remove",
        Resolution::Keep => "keep",
        Resolution::Fail => "fail",
    }
}

fn words(conflict: &Conflict<'_>) -> String {
    let words = match conflict.kind {
        ConflictKind::TargetNewer => "the target's is newer",
        ConflictKind::TargetOlder => "the target's is older",
        ConflictKind::SameTime => "same time, but not the same",
        ConflictKind::FolderInTheWay => "a folder is in the way",
        ConflictKind::NoFolder => "in the way of a folder",
        ConflictKind::LinkInTheWay => "a link is in the way",
        ConflictKind::OtherKind => "of another kind",
        ConflictKind::CaseClash => "differs in case alone from another",
        ConflictKind::Surplus => "not in the snapshot",
    };
    match conflict
        .obstacle
        .is_some_and(|obstacle| obstacle.is_immutable)
    {
        true => format!("{words}, immutable"),
        false => words.to_owned(),
    }
}

fn name(kind: ConflictKind) -> &'static str {
    match kind {
        ConflictKind::TargetNewer => "target_newer",
        ConflictKind::TargetOlder => "target_older",
        ConflictKind::SameTime => "same_time",
        ConflictKind::FolderInTheWay => "folder_in_the_way",
        ConflictKind::NoFolder => "no_folder",
        ConflictKind::LinkInTheWay => "link_in_the_way",
        ConflictKind::OtherKind => "other_kind",
        ConflictKind::CaseClash => "case_clash",
        ConflictKind::Surplus => "surplus",
    }
}

/// In the words of the format, so that both sides read alike.
fn type_of(obstacle: &Obstacle) -> &'static str {
    match obstacle.kind {
        ExistingKind::File => "file",
        ExistingKind::Dir => "dir",
        ExistingKind::Symlink(_) => "symlink",
        ExistingKind::Fifo => "fifo",
        ExistingKind::Socket => "socket",
        ExistingKind::BlockDevice(_) => "dev",
        ExistingKind::CharDevice(_) => "chardev",
    }
}

fn value(conflict: &Conflict<'_>) -> Value {
    let target = conflict.obstacle.map(|obstacle| {
        json!({
            "type": type_of(obstacle), "size": obstacle.size_bytes,
            "mtime": obstacle.mtime.to_string(), "immutable": obstacle.is_immutable,
        })
    });
    let snapshot = conflict.node.map(|node: &Node| {
        json!({
            "type": node.kind.as_str(), "size": node.size_bytes, "mtime": node.mtime.to_string(),
        })
    });
    json!({
        "message_type": "conflict",
        "item": String::from_utf8_lossy(&conflict.path.absolute()),
        "conflict": name(conflict.kind),
        "action": action(conflict.resolution),
        "target": target,
        "snapshot": snapshot,
    })
}
