//! Trying changes: each with the tests that reach it, until one fails.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;

use crate::changes::Change;
use crate::outcomes::{self, Outcome, Verdict};
use crate::process::End;
use crate::suite::Test;

/// How many tests that noticed other changes of the same file go before the quicker ones, and how long they may take.
const LIKELY: usize = 6;
const LIKELY_MS: u64 = 15_000;

/// What is tried, and with what.
pub struct Trial<'a> {
    /// All changes.
    pub changes: &'a [Change],
    /// All tests, the quickest first.
    pub tests: &'a [Test],
    /// The folder of the package.
    pub folder: &'a Path,
    /// A folder for what tests write.
    pub scratch: &'a Path,
    /// Tests that take longer are not run.
    pub longest_ms: u64,
    /// Nor are those without this in their titles.
    pub only: &'a str,
    /// What earlier runs found, by the names of the changes: a test that has passed is not run again with the same change.
    pub known: &'a HashMap<String, Outcome>,
    /// What a test is given beside ten times its time before it is taken to hang.
    pub slack_ms: u64,
}

/// What the workers share.
struct Shared<'a> {
    trial: &'a Trial<'a>,
    reaching: HashMap<u32, Vec<usize>>,
    next: AtomicUsize,
    file: Mutex<File>,
    /// By file of the code: tests (by position) and how many of its changes they noticed.
    noticed: Mutex<HashMap<&'a str, HashMap<usize, usize>>>,
}

impl Trial<'_> {
    /// Tries these changes in this order, `workers` at a time, and notes each outcome in `file`.
    pub fn run(&self, numbers: &[u32], workers: usize, file: File) -> Result<()> {
        let mut reaching: HashMap<u32, Vec<usize>> = HashMap::new();
        for (position, test) in self.tests.iter().enumerate() {
            for number in &test.reached {
                reaching.entry(*number).or_default().push(position);
            }
        }
        let shared = Shared {
            trial: self,
            reaching,
            next: AtomicUsize::new(0),
            file: Mutex::new(file),
            noticed: Mutex::default(),
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..workers.max(1))
                .map(|worker| {
                    scope.spawn({
                        let shared = &shared;
                        move || shared.work(numbers, worker)
                    })
                })
                .collect();
            workers.into_iter().try_for_each(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|_| anyhow::bail!("a worker panicked"))
            })
        })
    }
}

impl<'a> Shared<'a> {
    fn work(&self, numbers: &[u32], worker: usize) -> Result<()> {
        let scratch = self.trial.scratch.join(format!("trial-{worker}"));
        loop {
            let position = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(number) = numbers.get(position) else {
                return Ok(());
            };
            let Some(change) = self.trial.changes.get(*number as usize) else {
                continue;
            };
            let outcome = self.one(*number, change, &scratch)?;
            let by = outcome.test.as_deref().unwrap_or_default();
            println!(
                "{}/{} {:?} {} {by}",
                position.saturating_add(1),
                numbers.len(),
                outcome.verdict,
                change.name
            );
            outcomes::add(&mut locked(&self.file), &outcome)?;
        }
    }

    fn one(&self, number: u32, change: &'a Change, scratch: &Path) -> Result<Outcome> {
        let mut outcome = Outcome {
            change: change.name.clone(),
            verdict: Verdict::NotNoticed,
            test: None,
            passed: 0,
            not_run: 0,
            longest_ms: self.trial.longest_ms,
        };
        let known = self.trial.known.get(&change.name);
        let passed_ms = known
            .filter(|known| known.not_run > 0)
            .map_or(0, |known| known.longest_ms);
        if !self.trial.only.is_empty() {
            // Others of the same length may not have been run.
            outcome.longest_ms = passed_ms;
        }
        let Some(reaching) = self.reaching.get(&number) else {
            return Ok(Outcome {
                verdict: Verdict::NotReached,
                ..outcome
            });
        };
        for position in self.order(change, reaching) {
            let Some(test) = self.trial.tests.get(position) else {
                continue;
            };
            if test.time_ms <= passed_ms {
                outcome.passed = outcome.passed.saturating_add(1);
                continue;
            }
            if test.time_ms > self.trial.longest_ms || !test.title().contains(self.trial.only) {
                outcome.not_run = outcome.not_run.saturating_add(1);
                continue;
            }
            std::fs::create_dir_all(scratch)?;
            let end = test.with(self.trial.folder, number, scratch, self.trial.slack_ms)?;
            let _ = std::fs::remove_dir_all(scratch);
            if end == End::Passed {
                outcome.passed = outcome.passed.saturating_add(1);
                continue;
            }
            let mut noticed = locked(&self.noticed);
            let count = noticed
                .entry(&change.file)
                .or_default()
                .entry(position)
                .or_default();
            *count = count.saturating_add(1);
            let verdict = if end == End::Late {
                Verdict::Hung
            } else {
                Verdict::Noticed
            };
            return Ok(Outcome {
                verdict,
                test: Some(test.title()),
                ..outcome
            });
        }
        Ok(outcome)
    }

    /// The tests that reach a change: those that noticed its neighbours, then the quickest.
    fn order(&self, change: &Change, reaching: &[usize]) -> Vec<usize> {
        let noticed = locked(&self.noticed);
        let counts = noticed.get(change.file.as_str());
        let is_quick = |position: usize| {
            self.trial
                .tests
                .get(position)
                .is_some_and(|test| test.time_ms <= LIKELY_MS)
        };
        let mut likely: Vec<(usize, usize)> = reaching
            .iter()
            .filter(|position| is_quick(**position))
            .filter_map(|position| Some((*counts?.get(position)?, *position)))
            .collect();
        likely.sort_by_key(|(count, position)| (std::cmp::Reverse(*count), *position));
        let mut order: Vec<usize> = likely
            .into_iter()
            .take(LIKELY)
            .map(|(_, position)| position)
            .collect();
        let others: Vec<usize> = reaching
            .iter()
            .copied()
            .filter(|position| !order.contains(position))
            .collect();
        order.extend(others);
        order
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
