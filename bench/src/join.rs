//! One set of results from several runs. A run of everything takes long; on a machine that others need, it is done in parts.

use std::collections::HashSet;

use anyhow::{Result, ensure};

use crate::results::Results;

/// Puts runs together that differ in what was measured and in nothing else.
///
/// # Errors
/// If they were of different machines, programs or data, or measured the same twice: such figures belong into no common table.
pub fn join(parts: impl IntoIterator<Item = Results>) -> Result<Results> {
    let mut joined: Option<Results> = None;
    for part in parts {
        let Some(all) = &mut joined else {
            joined = Some(part);
            continue;
        };
        ensure!(
            what_was_measured(all) == what_was_measured(&part),
            "{} and {} are runs of different things",
            all.begun,
            part.begun
        );
        all.rounds = all.rounds.max(part.rounds);
        all.command = format!("{}\n{}", all.command, part.command);
        all.notes.extend(part.notes);
        for tool in part.tools {
            if !all.tools.iter().any(|known| known.name == tool.name) {
                all.tools.push(tool);
            }
        }
        all.samples.extend(part.samples);
    }
    let joined = joined.ok_or_else(|| anyhow::anyhow!("there are no results to join"))?;
    let mut seen = HashSet::new();
    for sample in &joined.samples {
        ensure!(
            seen.insert((&sample.phase, &sample.tool, sample.round)),
            "round {} of {} with {} is there twice",
            sample.round,
            sample.phase,
            sample.tool
        );
    }
    Ok(joined)
}

fn what_was_measured(results: &Results) -> impl PartialEq {
    let machine = &results.machine;
    (
        results.schema.clone(),
        results.commit.clone(),
        results.corpus,
        (results.seed, results.forged_blobs, results.portable),
        (machine.processor.clone(), machine.cores),
        (machine.kernel.clone(), machine.file_system.clone()),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn sample() -> Results {
        serde_json::from_str(include_str!("../tests/data/results.json")).unwrap()
    }

    fn part(phase: &str) -> Results {
        let mut results = sample();
        results.samples.retain(|sample| sample.phase == phase);
        results
    }

    #[test]
    fn parts_are_put_together_with_their_commands() {
        let joined = join([part("first-small"), part("find")]).unwrap();
        let both = part("first-small").samples.len() + part("find").samples.len();
        assert_eq!(joined.samples.len(), both);
        assert_eq!(joined.command.lines().count(), 2);
    }

    /// Two medians in one would be the figure of neither.
    #[test]
    fn what_does_not_belong_together_is_refused() {
        assert!(join([part("find"), part("find")]).is_err());
        let mut other = part("find");
        other.commit = "another".to_owned();
        assert!(join([part("first-small"), other]).is_err());
        assert!(join([]).is_err());
    }
}
