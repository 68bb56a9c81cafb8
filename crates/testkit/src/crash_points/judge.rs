//! What must hold where an operation was stopped, and after the next run of it.

use std::collections::BTreeSet;

use strongroom_repository::check::{Finding, FindingKind};
use strongroom_repository::format::Id;
use strongroom_repository::{Error, ErrorKind};
use strongroom_storage::StoragePath;

use super::end::End;
use super::survey::{Found, Survey};

/// Knows what was there before the operation and what is there after it, and so what may be there in between.
pub(super) struct Judge<'a> {
    pub before: &'a Survey,
    pub after: &'a Survey,
    pub passwords: &'a [&'a str],
    /// The operation leaves no waste behind when it ends.
    pub tidies: bool,
    /// Which operation was stopped how and where.
    pub when: String,
}

impl Judge<'_> {
    /// The operation was stopped. `hit` is the file at which.
    pub fn stopped(&self, survey: &Survey, end: End, hit: Option<&StoragePath>) {
        let when = &self.when;
        if let Some(error) = &survey.refused {
            self.may_not_open(error, end, hit);
            return;
        }
        self.snapshots(survey, end, false);
        if end.is_lie() {
            self.old_ones_unharmed(survey);
            return;
        }
        let report = &survey.report;
        if !self.before.is_sound() && self.before.refused.is_none() {
            return;
        }
        let torn = hit.filter(|_| end == End::Torn);
        assert!(report.affected.is_empty(), "{when}: {:#?}", report.affected);
        for finding in &report.errors {
            let is_torn = torn.is_some_and(|path| is_about(finding, path));
            assert!(is_torn, "{when}: {finding:?}");
        }
        if let Some(path) = torn {
            self.torn_is_told(survey, path);
        }
    }

    /// The operation was run again. `refused` is why that did not go to its end, where it need not.
    pub fn finished(
        &self,
        survey: &Survey,
        end: End,
        hit: Option<&StoragePath>,
        refused: Option<Error>,
    ) {
        let when = format!("{}, and the next run", self.when);
        if let Some(error) = &survey.refused {
            panic!("{when}: {error}");
        }
        if end.is_lie() {
            // What a storage has lost may stand in the way until a repair. It may not cost more than is told.
            self.snapshots(survey, end, refused.is_none() && survey.is_sound());
            self.old_ones_unharmed(survey);
            if let Some(error) = refused {
                let is_told = matches!(error.kind(), ErrorKind::Refused | ErrorKind::Signature);
                assert!(!survey.is_sound() || is_told, "{when}: {error}");
            }
            return;
        }
        self.snapshots(survey, end, true);
        let report = &survey.report;
        let (found, expected) = (report.figures, self.after.report.figures);
        if self.tidies {
            assert_eq!(found.blobs_used, expected.blobs_used, "{when}");
            assert_eq!(found.blobs, expected.blobs, "{when}: {:#?}", report.hints);
            let waste = |hint: &Finding| matches!(hint.kind, FindingKind::PackUnreferenced { .. });
            assert!(
                !report.hints.iter().any(waste),
                "{when}: {:#?}",
                report.hints
            );
        }
        assert!(report.affected.is_empty(), "{when}: {:#?}", report.affected);
        for finding in &report.errors {
            let is_torn = end == End::Torn && hit.is_some_and(|path| is_about(finding, path));
            assert!(is_torn, "{when}: {finding:?}");
        }
    }

    /// A repository that is being made may not be there yet; its config may be torn. Any other opens.
    fn may_not_open(&self, error: &Error, end: End, hit: Option<&StoragePath>) {
        let when = &self.when;
        assert!(
            self.before.refused.is_some(),
            "{when}: it does not open: {error}"
        );
        let kind = match (end, hit.map(StoragePath::as_str)) {
            (End::Torn | End::Short, Some("config")) => ErrorKind::Damaged,
            _ => ErrorKind::NoRepository,
        };
        assert_eq!(error.kind(), kind, "{when}: {error}");
    }

    /// Every snapshot is there in its old or its new form, and what is there is whole.
    fn snapshots(&self, survey: &Survey, end: End, at_end: bool) {
        let when = &self.when;
        let there = survey.times();
        for time in self.before.times().intersection(&self.after.times()) {
            assert!(
                there.contains(time),
                "{when}: the snapshot of {time} is lost"
            );
        }
        let (before, after) = (&self.before.snapshots, &self.after.snapshots);
        for (time, all) in &survey.snapshots {
            let (old, new) = (trees(before.get(time)), trees(after.get(time)));
            assert!(
                !(old.is_empty() && new.is_empty()),
                "{when}: whose snapshot is that of {time}?"
            );
            for found in all {
                if !found.is_whole {
                    // A repair finds some that are not.
                    let was_not = before
                        .get(time)
                        .into_iter()
                        .flatten()
                        .any(|old| !old.is_whole);
                    // Of a lie the new form may suffer, where the old one is whole beside it.
                    let has_whole = old.is_empty() || all.iter().any(|found| found.is_whole);
                    let may_lack = was_not || (end.is_lie() && has_whole);
                    assert!(
                        may_lack && !at_end,
                        "{when}: the snapshot of {time} is not whole"
                    );
                    continue;
                }
                assert!(
                    old.contains(&found.tree) || new.contains(&found.tree),
                    "{when}: the snapshot of {time} has a tree that nobody wrote"
                );
            }
        }
        if at_end {
            let times = |survey: &Survey| survey.snapshots.keys().copied().collect::<BTreeSet<_>>();
            assert_eq!(
                survey.trash, self.after.trash,
                "{when}: the trash in the end"
            );
            assert_eq!(
                times(survey),
                times(self.after),
                "{when}: the snapshots in the end"
            );
            for (time, all) in &survey.snapshots {
                assert_eq!(trees(Some(all)), trees(after.get(time)), "{when}: {time}");
            }
        }
    }

    /// Whatever the storage has lost: what was there before is as it was, and what is not whole is told by a check.
    fn old_ones_unharmed(&self, survey: &Survey) {
        let when = &self.when;
        let told: BTreeSet<Id> = survey
            .report
            .affected
            .iter()
            .map(|one| one.snapshot)
            .collect();
        for found in survey.snapshots.values().flatten() {
            assert_eq!(
                told.contains(&found.id),
                !found.is_whole,
                "{when}: snapshot {} and what check says of it: {:#?}",
                found.id,
                survey.report
            );
        }
    }

    /// A torn index, snapshot or key is an error of the check; a torn lock or pack, to which nothing refers, a hint.
    fn torn_is_told(&self, survey: &Survey, path: &StoragePath) {
        let when = &self.when;
        let report = &survey.report;
        let folder = path.as_str().split('/').next().unwrap_or_default();
        let told = match folder {
            "index" | "snapshots" | "keys" => &report.errors,
            "locks" | "data" => &report.hints,
            _ => return,
        };
        assert!(
            told.iter().any(|finding| is_about(finding, path)),
            "{when}: the torn {path} is not told: {report:#?}"
        );
    }
}

fn trees(found: Option<&Vec<Found>>) -> BTreeSet<Id> {
    found
        .into_iter()
        .flatten()
        .map(|found| found.tree)
        .collect()
}

/// Whether a finding is about this file.
fn is_about(finding: &Finding, path: &StoragePath) -> bool {
    let id = match &finding.kind {
        FindingKind::Key { key: id }
        | FindingKind::Index { index: id }
        | FindingKind::Snapshot { snapshot: id }
        | FindingKind::LockUnreadable { lock: id }
        | FindingKind::TrashUnreadable { snapshot: id }
        | FindingKind::PackUnreferenced { pack: id } => id,
        _ => return false,
    };
    path.file_name() == id.to_hex()
}
