//! What the runs have found, in short.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use crate::changes::Change;
use crate::outcomes::{Outcome, Verdict};

/// Counts, and everything that somebody has to look at.
pub fn describe(
    changes: &[Change],
    left_out: &BTreeMap<u32, String>,
    outcomes: &HashMap<String, Outcome>,
) -> String {
    let (mut counts, mut survivors) = (BTreeMap::<&str, usize>::new(), Vec::new());
    for (number, change) in (0..).zip(changes) {
        let kind = match (left_out.get(&number), outcomes.get(&change.name)) {
            (Some(reason), _) => reason.split(':').next().unwrap_or_default(),
            (None, None) => "not tried",
            (None, Some(outcome)) => match outcome.verdict {
                Verdict::Noticed => "noticed by a test that fails",
                Verdict::Hung => "noticed by a test that does not end",
                Verdict::NotReached => "reached by no test",
                Verdict::NotNoticed if outcome.not_run > 0 => "not noticed by the quicker tests",
                Verdict::NotNoticed => "noticed by none of the tests that reach it",
            },
        };
        let count = counts.entry(kind).or_default();
        *count = count.saturating_add(1);
        if let Some(outcome) = outcomes
            .get(&change.name)
            .filter(|outcome| outcome.verdict >= Verdict::NotNoticed)
        {
            survivors.push((&change.name, outcome));
        }
    }
    let mut text = String::new();
    for (kind, count) in counts {
        let _ = writeln!(text, "{count:6} {kind}");
    }
    for (name, outcome) in survivors {
        let _ = writeln!(
            text,
            "{name}: {:?}, {} passed, {} not run",
            outcome.verdict, outcome.passed, outcome.not_run
        );
    }
    text
}
