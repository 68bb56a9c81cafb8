//! What a check returns.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use super::affected::{AffectedSnapshot, Losses};
use super::finding::{Finding, FindingKind, Severity};
use crate::format::Id;

/// What a check found.
#[derive(Debug, Clone, Default)]
pub struct CheckReport {
    /// Damage; at most [`FINDINGS_MAX`] of them.
    pub errors: Vec<Finding>,
    /// Untidiness; at most [`FINDINGS_MAX`] of them.
    pub hints: Vec<Finding>,
    /// All errors, those that are not in the list too.
    pub errors_count: u64,
    /// All hints, those that are not in the list too.
    pub hints_count: u64,
    /// Which snapshots the damage touches, oldest first. Empty if no snapshot needs what is damaged.
    pub affected: Vec<AffectedSnapshot>,
    /// What was looked at.
    pub figures: CheckFigures,
    /// Another process works with the repository.
    pub is_shared: bool,
    /// What is lost, for fetching it from elsewhere.
    pub(crate) losses: Option<Arc<Losses>>,
    pub(super) repair_index: bool,
    pub(super) prune: bool,
}

/// How many findings of a severity are kept; the rest is counted.
pub const FINDINGS_MAX: usize = 10_000;

/// What a check looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CheckFigures {
    /// Snapshots that could be read.
    pub snapshots: u64,
    /// Index files that could be read.
    pub indexes: u64,
    /// Packs that the index names.
    pub packs: u64,
    /// Blobs that the index names; one that is stored twice counts twice.
    pub blobs: u64,
    /// Snapshots in the trash.
    pub trash: u64,
    /// Blobs that snapshots and those in the trash use.
    pub blobs_used: u64,
    /// Trees that were read.
    pub trees: u64,
    /// Packs that were read whole.
    pub packs_read: u64,
    /// Bytes of these packs.
    pub bytes_read: u64,
}

/// The figures that restic 0.18 prints as JSON (`message_type` is `summary`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckSummary {
    /// Errors.
    pub num_errors: u64,
    /// Packs whose content is damaged.
    pub broken_packs: Option<Vec<Id>>,
    /// Making the index anew would help.
    pub suggest_repair_index: bool,
    /// A prune would tidy up.
    pub suggest_prune: bool,
}

impl CheckReport {
    /// Whether nothing is missing or damaged.
    pub fn is_sound(&self) -> bool {
        self.errors_count == 0
    }

    /// The figures as restic prints them.
    pub fn summary(&self) -> CheckSummary {
        let broken = self.broken_packs();
        CheckSummary {
            num_errors: self.errors_count,
            broken_packs: (!broken.is_empty()).then_some(broken),
            suggest_repair_index: self.repair_index,
            suggest_prune: self.prune && !self.is_shared,
        }
    }

    /// Packs that hold something else than was written, in order and each once.
    pub fn broken_packs(&self) -> Vec<Id> {
        let pack = |finding: &Finding| match finding.kind {
            FindingKind::PackSize { pack, .. }
            | FindingKind::PackHash { pack }
            | FindingKind::PackHeader { pack }
            | FindingKind::Blob { pack, .. } => Some(pack),
            _ => None,
        };
        let mut packs: Vec<Id> = self.errors.iter().filter_map(pack).collect();
        packs.sort_unstable();
        packs.dedup();
        packs
    }
}

/// Collects findings from many threads.
#[derive(Debug, Default)]
pub(super) struct Findings(Mutex<CheckReport>);

impl Findings {
    pub fn add(&self, kind: FindingKind, message: impl Into<String>) {
        self.add_all([Finding::new(kind, message)]);
    }

    pub fn add_all(&self, findings: impl IntoIterator<Item = Finding>) {
        let mut report = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for finding in findings {
            match finding.kind {
                FindingKind::Index { .. }
                | FindingKind::PackInSeveralIndexes { .. }
                | FindingKind::PackMissing { .. } => report.repair_index = true,
                FindingKind::PackUnreferenced { .. } | FindingKind::PackMixed { .. } => {
                    report.prune = true
                }
                _ => {}
            }
            let report = &mut *report;
            let (list, count) = match finding.severity() {
                Severity::Error => (&mut report.errors, &mut report.errors_count),
                Severity::Hint => (&mut report.hints, &mut report.hints_count),
            };
            *count = count.saturating_add(1);
            if list.len() < FINDINGS_MAX {
                list.push(finding);
            }
        }
    }

    pub fn errors(&self) -> u64 {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .errors_count
    }

    pub fn into_report(self) -> CheckReport {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
