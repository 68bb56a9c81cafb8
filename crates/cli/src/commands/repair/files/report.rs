//! What `repair files` says of its plan and of what was done.

use serde_json::json;
use strongroom_repository::parity::ParityMemberKind;
use strongroom_repository::parity::recover::{
    Condition, RecoverItem, RecoverPlan, RecoverReport, Verdict,
};

use super::super::{remains, tell_quarantined};
use super::Arguments;
use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output::figures;

/// The question before it is done.
pub(super) fn action(plan: &RecoverPlan) -> String {
    let mut actions = Vec::new();
    let files = plan.to_recover().count() as u64;
    if files > 0 {
        actions.push(format!("bring back {}", figures::count(files, "file")));
    }
    let parity = plan.damaged_parity();
    if parity > 0 {
        let parity = figures::count(parity, "damaged file");
        actions.push(format!(
            "remove {parity} of parity where nothing needs them"
        ));
    }
    actions.join(" and ")
}

fn line(item: &RecoverItem) -> String {
    let what = match (item.kind, item.condition) {
        (ParityMemberKind::Config, Condition::Missing) => "config is missing".to_owned(),
        (ParityMemberKind::Config, Condition::Damaged) => {
            "config is not the one that parity knows".to_owned()
        }
        (kind, Condition::Missing) => format!("{} {} is missing", kind.noun(), item.id),
        (kind, Condition::Damaged) => format!("{} {} is damaged", kind.noun(), item.id),
    };
    let then = match item.verdict {
        Verdict::Recover => "it can be brought back",
        Verdict::NotAskedFor => {
            "nothing is known to need it, and it may have been removed on purpose (--missing brings it back)"
        }
        Verdict::OtherConfig => "it may be newer (--replace-config puts the other one back)",
        Verdict::NotEnoughParity => "it cannot be brought back, too much else is damaged",
    };
    format!("{what}: {then}")
}

/// Every file with what can be done about it.
pub(super) fn show(plan: &RecoverPlan, context: &Context) -> Result<()> {
    let output = &context.output;
    if output.is_json() {
        return Ok(());
    }
    for group in plan.unreadable() {
        let (id, reason) = (group.id.short(), &group.reason);
        output.warning(&format!("parity group {id} protects nothing: {reason}"));
    }
    if plan.damaged_parity() > 0 {
        let files = figures::count(plan.damaged_parity(), "damaged file");
        output.warning(&format!("parity has {files} and brings back less"));
    }
    if plan.lacking_parity() > 0 {
        let files = figures::count_is(plan.lacking_parity(), "file");
        output.warning(&format!(
            "{files} missing or of another length in parity, and it brings back less; `strongroom parity create` makes them anew"
        ));
    }
    for item in plan.items() {
        output.result(line(item))?;
    }
    Ok(())
}

/// What was done.
pub(super) fn tell(
    arguments: &Arguments,
    plan: &RecoverPlan,
    report: Option<&RecoverReport>,
    context: &Context,
) -> Result<()> {
    let output = &context.output;
    if output.is_json() {
        return json(arguments, plan, report, context);
    }
    let Some(report) = report else {
        return match (plan.items().is_empty(), plan.is_nothing()) {
            (true, true) => output.report("nothing that parity protects is damaged or missing"),
            (false, true) => output.report("nothing was changed"),
            (_, false) => output.report("dry run: nothing was changed"),
        };
    };
    for (kind, id, reason) in &report.failed {
        output.warning(&format!("{} {id}: {reason}", kind.noun()));
    }
    output.report(format_args!(
        "brought back {}",
        figures::count(report.recovered.len() as u64, "file")
    ))?;
    if report.parity_removed > 0 {
        output.report(format_args!(
            "removed {} of parity; whatever writes next makes it anew",
            figures::count(report.parity_removed, "damaged file")
        ))?;
    }
    tell_quarantined(&report.quarantined, context)
}

fn json(
    arguments: &Arguments,
    plan: &RecoverPlan,
    report: Option<&RecoverReport>,
    context: &Context,
) -> Result<()> {
    let item = |item: &RecoverItem| {
        json!({
            "type": item.kind.noun(), "id": item.id, "size_bytes": item.size_bytes,
            "condition": match item.condition {
                Condition::Missing => "missing",
                Condition::Damaged => "damaged",
            },
            "verdict": match item.verdict {
                Verdict::Recover => "recover",
                Verdict::NotAskedFor => "not_asked_for",
                Verdict::OtherConfig => "other_config",
                Verdict::NotEnoughParity => "not_enough_parity",
            },
        })
    };
    let name = |kind: &ParityMemberKind, id| json!({"type": kind.noun(), "id": id});
    let recovered = report.map(|report| {
        let recovered = report.recovered.iter();
        recovered
            .map(|(kind, id)| name(kind, id))
            .collect::<Vec<_>>()
    });
    let failed = report.map(|report| {
        let failed = report.failed.iter();
        failed
            .map(|(kind, id, _)| name(kind, id))
            .collect::<Vec<_>>()
    });
    context.output.json(&json!({
        "message_type": "repair_files_summary", "dry_run": arguments.dry_run,
        "files": plan.items().iter().map(item).collect::<Vec<_>>(),
        "groups_unreadable": plan.unreadable().len(), "parity_damaged": plan.damaged_parity(),
        "parity_lacking": plan.lacking_parity(),
        "recovered": recovered, "failed": failed,
        "quarantined": report.map(|report| &report.quarantined),
        "parity_removed": report.map(|report| report.parity_removed),
    }))
}

/// How it ends.
pub(super) fn exit(plan: &RecoverPlan, report: Option<&RecoverReport>) -> Result<ExitCode> {
    let items = plan.items().iter();
    let hopeless = items.filter(|item| item.verdict == Verdict::NotEnoughParity);
    let other = plan
        .items()
        .iter()
        .any(|item| item.verdict == Verdict::OtherConfig);
    let failed = report.map_or(0, |report| report.failed.len());
    let lost = hopeless.count().saturating_add(failed) as u64;
    if lost > 0 {
        return remains(
            format_args!("{} cannot be brought back", figures::count(lost, "file")),
            "`strongroom check` says what that touches; `strongroom repair packs` saves what is whole in damaged packs",
        );
    }
    if other {
        return remains(
            "the file `config` is not the one that parity knows, and was left as it is",
            "if the repository does not open, --replace-config puts the other one back and keeps this one aside",
        );
    }
    Ok(ExitCode::Success)
}
