//! Keeping the account of an execution.

use crate::format::{Mode, Node, NodeKind, Time};
use crate::progress::{Amount, Change, Item, Progress};
use crate::restore::plan::{Deletion, Step};
use crate::restore::{Problem, RestorePlan, RestoreReport, RestoreSummary, Withheld};
use crate::{Error, ErrorKind};

/// What has become of the entries so far.
pub(super) struct Outcome<'a> {
    plan: &'a RestorePlan,
    progress: &'a dyn Progress,
    report: RestoreReport,
    state: Vec<State>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Done,
    Failed,
}

/// Something that happened to an entry.
pub(super) enum Event {
    /// Bytes of its content are there.
    Bytes(u64),
    /// It is as the plan wanted it.
    Done(usize, Withheld),
    /// It is not.
    Failed(usize, Problem),
}

impl<'a> Outcome<'a> {
    pub(super) fn new(plan: &'a RestorePlan, progress: &'a dyn Progress) -> Self {
        let mut outcome = Self {
            plan,
            progress,
            report: RestoreReport {
                summary: RestoreSummary {
                    total_files: plan.totals.entries,
                    total_bytes: plan.totals.bytes,
                    ..RestoreSummary::default()
                },
                ..RestoreReport::default()
            },
            state: vec![State::Open; plan.entries.len()],
        };
        for problem in &plan.problems {
            outcome.problem(problem.clone());
        }
        for (number, entry) in plan.entries.iter().enumerate() {
            match entry.step {
                Step::Fail => outcome.set(number, State::Failed),
                Step::Keep => {
                    outcome.set(number, State::Done);
                    outcome.count(number);
                }
                _ => {}
            }
        }
        outcome
    }

    pub(super) fn take(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            match event {
                Event::Bytes(bytes) => self.progress.advance(Amount {
                    bytes,
                    ..Amount::default()
                }),
                Event::Done(number, withheld) => {
                    self.report.owners_withheld += u64::from(withheld.owner);
                    self.report.extended_attributes_withheld += withheld.extended_attributes;
                    self.set(number, State::Done);
                    self.count(number);
                }
                Event::Failed(number, problem) => {
                    self.set(number, State::Failed);
                    self.problem(problem);
                }
            }
        }
    }

    /// Something that went wrong. Without space nothing further can be written, so it ends the restore.
    pub(super) fn problem(&mut self, problem: Problem) {
        if problem.kind == ErrorKind::NoSpace {
            self.stop(Error::new(ErrorKind::NoSpace, problem.to_string()));
        }
        self.progress
            .entry_error(&problem.path, problem.during, &problem.message);
        self.report.problems.push(problem);
    }

    /// An entry was removed.
    pub(super) fn deleted(&mut self, deletion: &Deletion) {
        self.report.summary.files_deleted += 1;
        self.progress.advance(Amount {
            items: 1,
            ..Amount::default()
        });
        self.progress.item(&Item {
            path: &deletion.path.absolute(),
            node: &removed_node(deletion),
            change: Change::Deleted,
            added_bytes: 0,
            stored_bytes: 0,
        });
    }

    pub(super) fn stop(&mut self, why: Error) {
        self.report.stopped.get_or_insert(why);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.report.stopped.is_some()
    }

    /// Whether it was stopped for want of space.
    pub(super) fn is_full(&self) -> bool {
        let stopped = self.report.stopped.as_ref();
        stopped.is_some_and(|error| error.kind() == ErrorKind::NoSpace)
    }

    pub(super) fn unfinished(&mut self, files: u64) {
        self.report.files_unfinished += files;
    }

    pub(super) fn is_open(&self, number: usize) -> bool {
        self.state.get(number) == Some(&State::Open)
    }

    pub(super) fn is_done(&self, number: usize) -> bool {
        self.state.get(number) == Some(&State::Done)
    }

    pub(super) fn is_clean(&self) -> bool {
        self.report.is_complete()
    }

    pub(super) fn summary(&mut self) -> &mut RestoreSummary {
        &mut self.report.summary
    }

    pub(super) fn withhold_deletions(&mut self, count: u64) {
        self.report.deletions_withheld += count;
    }

    pub(super) fn report(self) -> RestoreReport {
        self.report
    }

    fn set(&mut self, number: usize, state: State) {
        if let Some(place) = self.state.get_mut(number) {
            *place = state;
        }
    }

    fn count(&mut self, number: usize) {
        let Some(entry) = self.plan.entries.get(number) else {
            return;
        };
        let Some(change) = entry.step.change() else {
            return;
        };
        let is_file = matches!(entry.step, Step::WriteFile(_));
        let written = if is_file { entry.node.size_bytes } else { 0 };
        let summary = &mut self.report.summary;
        match change {
            Change::Unchanged | Change::Skipped => {
                summary.files_skipped += 1;
                summary.bytes_skipped = summary.bytes_skipped.saturating_add(entry.node.size_bytes);
            }
            _ => {
                summary.files_restored += 1;
                summary.bytes_restored = summary.bytes_restored.saturating_add(written);
                // What is fetched has been told as it came.
                let reused = match &entry.step {
                    Step::WriteFile(file) => file.reused_bytes,
                    _ => 0,
                };
                summary.bytes_reused = summary.bytes_reused.saturating_add(reused);
                self.progress.advance(Amount {
                    files: 1,
                    bytes: reused,
                    ..Amount::default()
                });
            }
        }
        self.progress.item(&Item {
            path: &entry.path.absolute(),
            node: &entry.node,
            change,
            added_bytes: written,
            stored_bytes: 0,
        });
    }
}

/// What is told of an entry that was removed: its name, and whether it was a directory.
fn removed_node(deletion: &Deletion) -> Node {
    let never = Time::utc(jiff::Timestamp::UNIX_EPOCH);
    Node {
        name: deletion.path.names().last().unwrap_or_default().to_vec(),
        kind: if deletion.dir {
            NodeKind::Dir
        } else {
            NodeKind::File
        },
        mode: Mode::default(),
        mtime: never,
        atime: never,
        ctime: never,
        uid: 0,
        gid: 0,
        user: String::new(),
        group: String::new(),
        inode: 0,
        device_id: 0,
        size_bytes: 0,
        links: 0,
        link_target: Vec::new(),
        extended_attributes: Vec::new(),
        generic_attributes: std::collections::BTreeMap::new(),
        device: 0,
        content: None,
        subtree: None,
        error: String::new(),
    }
}
