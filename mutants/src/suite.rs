//! The tests of the package, and running one of them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::chosen;
use crate::compile::Binary;
use crate::process::{self, End};

/// A test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Test {
    /// The name of its executable.
    pub binary: String,
    /// The executable.
    pub path: PathBuf,
    /// Its name in that.
    pub name: String,
    /// How long it takes.
    pub time_ms: u64,
    /// The changes that it reaches, by number.
    pub reached: Vec<u32>,
}

impl Test {
    /// How it is shown and chosen.
    pub fn title(&self) -> String {
        format!("{} {}", self.binary, self.name)
    }

    /// The longest that it may take with a change: ten times as long as without, and `slack_ms`. Other work on the machine is no reason
    /// to call a change noticed.
    pub fn limit_ms(&self, slack_ms: u64) -> u64 {
        self.time_ms.saturating_mul(10).saturating_add(slack_ms)
    }

    /// Runs it with a change in effect.
    pub fn with(&self, folder: &Path, number: u32, scratch: &Path, slack_ms: u64) -> Result<End> {
        let mut command = self.command(folder, scratch);
        command
            .env(chosen::CHOSEN, number.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(process::run(&mut command, self.limit_ms(slack_ms))?.0)
    }

    /// The command that runs it, in the folder of its package, with temporary files in `scratch`.
    pub fn command(&self, folder: &Path, scratch: &Path) -> Command {
        let mut command = Command::new(&self.path);
        command
            .args(["--exact", &self.name])
            .current_dir(folder)
            .env("TMPDIR", scratch)
            .stdin(Stdio::null());
        command
    }
}

/// All tests of the executables, with nothing known of them yet.
pub fn list(folder: &Path, binaries: &[Binary]) -> Result<Vec<Test>> {
    let mut tests = Vec::new();
    for binary in binaries {
        let arguments = ["--list", "--format", "terse"];
        let output = Command::new(&binary.path)
            .args(arguments)
            .current_dir(folder)
            .output()
            .context("list tests")?;
        ensure!(
            output.status.success(),
            "{} does not list its tests",
            binary.path.display()
        );
        let text = String::from_utf8_lossy(&output.stdout);
        tests.extend(
            text.lines()
                .filter_map(|line| line.strip_suffix(": test"))
                .map(|name| Test {
                    binary: binary.name.clone(),
                    path: binary.path.clone(),
                    name: name.to_owned(),
                    time_ms: 0,
                    reached: Vec::new(),
                }),
        );
    }
    Ok(tests)
}
