//! What to do after a check that found damage.

use strongroom_repository::check::{CheckReport, FindingKind};

const INDEX: &str = "`strongroom repair index` makes the index agree with the packs";

/// The steps that mend what was found, in their order. `docs/repair.md` says more of each.
pub fn after(report: &CheckReport) -> String {
    let any = |of: fn(&FindingKind) -> bool| report.errors.iter().any(|error| of(&error.kind));
    let mut steps = Vec::new();
    if any(|kind| matches!(kind, FindingKind::Index { .. })) {
        // Nothing else goes by an index that cannot be read.
        steps.push(INDEX);
    }
    if any(is_damaged_pack) {
        steps.push(
            "`strongroom repair packs --read-data` brings what is whole in damaged packs to safety",
        );
    }
    if any(is_wrong_index) && !steps.contains(&INDEX) {
        steps.push(INDEX);
    }
    if any(is_lost) || !report.affected.is_empty() {
        steps.push("a new backup stores again what is still on the source");
        steps.push(
            "`strongroom check --heal-from REPO` fetches the rest from a copy of this repository",
        );
        steps.push("`strongroom repair snapshots` makes snapshots without what stays lost");
    }
    if any(|kind| matches!(kind, FindingKind::Snapshot { .. })) {
        steps.push("`strongroom repair snapshots` puts snapshots that cannot be read aside");
    }
    match steps.is_empty() {
        true => {
            "remove nothing before what is damaged is put back from another copy of the repository"
                .to_owned()
        }
        false => format!("remove nothing; {}", steps.join("; then ")),
    }
}

fn is_damaged_pack(kind: &FindingKind) -> bool {
    matches!(
        kind,
        FindingKind::PackSize { .. }
            | FindingKind::PackHash { .. }
            | FindingKind::PackHeader { .. }
            | FindingKind::PackUnreadable { .. }
            | FindingKind::Blob { .. }
    )
}

fn is_wrong_index(kind: &FindingKind) -> bool {
    matches!(
        kind,
        FindingKind::PackMissing { .. } | FindingKind::Index { .. }
    )
}

fn is_lost(kind: &FindingKind) -> bool {
    matches!(
        kind,
        FindingKind::PackMissing { .. } | FindingKind::Blob { .. } | FindingKind::Tree { .. }
    )
}

/// Whether something else than the loss of blobs was found: no other repository brings that back.
pub fn is_other_damage(kind: &FindingKind) -> bool {
    matches!(
        kind,
        FindingKind::Config
            | FindingKind::Key { .. }
            | FindingKind::Index { .. }
            | FindingKind::Snapshot { .. }
    )
}

/// What makes the index forget the damaged copies of what is there again.
pub fn tidy(report: &CheckReport) -> Option<&'static str> {
    let any = |of: fn(&FindingKind) -> bool| report.errors.iter().any(|error| of(&error.kind));
    match (any(is_damaged_pack), any(is_wrong_index)) {
        (true, true) => Some("`strongroom repair packs --read-data` and `strongroom repair index`"),
        (true, false) => Some("`strongroom repair packs --read-data`"),
        (false, true) => Some("`strongroom repair index`"),
        (false, false) => None,
    }
}
