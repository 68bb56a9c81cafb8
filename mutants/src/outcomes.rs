//! What was found, a line a change, in a file that only grows: a run that is stopped is continued by the next one.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// What was found of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The change, by its name.
    pub change: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The test that noticed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
    /// Tests that reach it and passed.
    pub passed: usize,
    /// Tests that reach it and were not run, since they take longer than `longest_ms`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_run: usize,
    /// How long the tests may take that were run.
    #[serde(default)]
    pub longest_ms: u64,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Whether a change was noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A test failed.
    Noticed,
    /// A test did not end in time.
    Hung,
    /// All that were run passed.
    NotNoticed,
    /// No test comes there.
    NotReached,
}

/// Reads what earlier runs found, the last of each change. A line that was cut off is as if it had not been written.
pub fn read(path: &Path) -> Result<HashMap<String, Outcome>> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        text => text.with_context(|| format!("read {}", path.display()))?,
    };
    let outcomes = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Outcome>(line).ok());
    Ok(outcomes
        .map(|outcome| (outcome.change.clone(), outcome))
        .collect())
}

/// The file, to add lines to.
pub fn open(path: &Path) -> Result<File> {
    let mut file = File::options().create(true).append(true).open(path)?;
    // Ends a line that was cut off.
    file.write_all(b"\n")?;
    Ok(file)
}

/// Adds a line.
pub fn add(file: &mut File, outcome: &Outcome) -> Result<()> {
    let mut line = serde_json::to_vec(outcome)?;
    line.push(b'\n');
    file.write_all(&line).context("note an outcome")
}
