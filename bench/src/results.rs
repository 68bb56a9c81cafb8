//! All that a run found out, as it is written to JSON. Tables, plots and the page are made from it and from nothing else.

use serde::{Deserialize, Serialize};

use crate::corpus::Size;
use crate::measure::Usages;

/// Names this shape.
pub const SCHEMA: &str = "strongroom.benchmark/1";

/// A run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Results {
    /// [`SCHEMA`].
    pub schema: String,
    /// When it began, RFC 3339.
    pub begun: String,
    /// The commit that was measured, with `+` where files had been changed; empty if unknown.
    pub commit: String,
    /// The command line that repeats it.
    pub command: String,
    /// What a reader has to know of this run; shown above the figures.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Size of the corpus.
    pub corpus: Size,
    /// Its seed.
    pub seed: u64,
    /// Blobs in the forged repository.
    pub forged_blobs: u64,
    /// Rounds.
    pub rounds: u32,
    /// The wide code paths were switched off.
    pub portable: bool,
    /// Where it ran.
    pub machine: Machine,
    /// Tools that were asked for.
    pub tools: Vec<ToolFacts>,
    /// Every measurement.
    pub samples: Vec<Sample>,
}

/// Where it ran.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub processor: String,
    /// Its cores.
    pub cores: u64,
    /// Instructions that it has, of those that a backup tool could use.
    pub instructions: Vec<String>,
    /// Memory.
    pub memory_bytes: u64,
    /// The kernel.
    pub kernel: String,
    /// File system of repositories, corpus and restored files.
    pub file_system: String,
}

/// A tool.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ToolFacts {
    /// One word.
    pub name: String,
    /// What it says its version is; nothing if it is not installed.
    pub version: Option<String>,
    /// How it was told to work.
    pub settings: String,
    /// Whether our targets are compared with it.
    pub is_peer: bool,
}

/// One measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sample {
    /// From 1.
    pub round: u32,
    /// Id of the phase.
    pub phase: String,
    /// Name of the tool.
    pub tool: String,
    /// What the commands used.
    #[serde(flatten)]
    pub used: Usages,
    /// The repository before.
    pub before: Stored,
    /// The repository afterwards.
    pub after: Stored,
    /// Other load: processes that wanted to run before it began, on average of a minute.
    pub load: f64,
}

/// What lies in a repository.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Bytes of all files.
    pub bytes: u64,
    /// Files.
    pub files: u64,
}

impl Results {
    /// The samples of a phase and a tool.
    pub fn of<'a>(&'a self, phase: &'a str, tool: &'a str) -> impl Iterator<Item = &'a Sample> {
        self.samples
            .iter()
            .filter(move |sample| sample.phase == phase && sample.tool == tool)
    }
}
