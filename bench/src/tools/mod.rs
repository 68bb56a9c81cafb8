//! Strongroom and its peers: how each is told to do the same.
//!
//! Equal for all: zstd at its level 3 where a tool has it, encryption where a tool has it, everything else as the tool does by itself; a
//! home folder, cache and temporary folder of its own beside its repository; the password in a file or the environment.

mod borg;
mod bupstash;
mod restic;
mod rustic;
mod strongroom;
mod tar;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a tool is asked to do. Paths of sources are relative to the corpus, which is the working directory.
#[derive(Debug, Clone)]
pub enum Operation<'a> {
    /// Make an empty repository.
    Init,
    /// Back up a folder as a snapshot of this name.
    Backup {
        /// The folder.
        source: &'a str,
        /// The name.
        snapshot: &'a str,
    },
    /// Restore all of a snapshot.
    Restore {
        /// Its name.
        snapshot: &'a str,
        /// An empty folder to restore into.
        target: &'a Path,
    },
    /// Restore a file or folder of it.
    RestorePath {
        /// Name of the snapshot.
        snapshot: &'a str,
        /// The file or folder, relative to the corpus.
        path: &'a Path,
        /// An empty folder to restore into.
        target: &'a Path,
    },
    /// Check the structure alone.
    Check,
    /// Check all data.
    CheckData,
    /// List the snapshots.
    List,
    /// Find files by a pattern for their names, in all snapshots.
    Find {
        /// With `*` and `?`.
        pattern: &'a str,
    },
    /// Forget some snapshots and free their space.
    Prune {
        /// Their names.
        forget: &'a [&'a str],
        /// All others.
        keep: &'a [&'a str],
    },
    /// Say what a prune would do.
    PruneDryRun,
    /// Show a snapshot as a folder, until it is unmounted. One command, in the foreground.
    Mount {
        /// An empty folder.
        point: &'a Path,
    },
}

/// Where a tool works: nothing outside is written, but for what it restores.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder of the tool.
    pub root: PathBuf,
    /// Use no wide code paths, where a tool can be told.
    pub portable: bool,
}

impl Place {
    /// The repository.
    pub fn repository(&self) -> PathBuf {
        self.root.join("repository")
    }

    /// The tool's own cache; may be removed between two commands.
    pub fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// What the tool has to keep, such as a key.
    pub fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// The file with the password.
    pub fn password_file(&self) -> PathBuf {
        self.root.join("password")
    }

    /// Temporary files.
    pub fn temporary(&self) -> PathBuf {
        self.root.join("temporary")
    }
}

/// Programs and arguments, to be run one after the other.
pub type Commands = Vec<Vec<OsString>>;

/// The password of every repository here.
pub const PASSWORD: &str = "benchmark";

/// A tool.
pub trait Tool {
    /// One word for tables and the command line.
    fn name(&self) -> &'static str;
    /// How it was told to work, for people.
    fn settings(&self) -> &'static str;
    /// The command that prints its version.
    fn version(&self) -> Vec<OsString>;
    /// Its environment, beside home, path, language and temporary folder.
    fn environment(&self, place: &Place) -> Vec<(&'static str, OsString)>;
    /// The commands for an operation; `None` if it has no such thing.
    fn commands(&self, operation: &Operation, place: &Place) -> Option<Commands>;
    /// Whether its repository is in restic's format.
    fn has_restic_format(&self) -> bool {
        false
    }
    /// Whether it is a backup program that our targets are compared with, not a baseline.
    fn is_peer(&self) -> bool {
        true
    }
}

/// All tools, ours first.
pub fn all(strongroom: &Path) -> Vec<Box<dyn Tool>> {
    vec![
        Box::new(strongroom::Strongroom::new(strongroom)),
        Box::new(restic::Restic),
        Box::new(rustic::Rustic),
        Box::new(borg::Borg),
        Box::new(bupstash::Bupstash),
        Box::new(tar::Tar),
    ]
}

/// What a tool says its version is; `None` if it is not installed.
pub fn version(tool: &dyn Tool) -> Option<String> {
    let words = tool.version();
    let (program, arguments) = words.split_first()?;
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().next()?.trim().to_owned();
    output.status.success().then_some(line)
}

/// A command from its words.
fn words<T: Into<OsString>>(words: impl IntoIterator<Item = T>) -> Vec<OsString> {
    words.into_iter().map(Into::into).collect()
}

/// A word put together from a text and a path.
fn joined(text: &str, path: &Path) -> OsString {
    let mut word = OsString::from(text);
    word.push(path);
    word
}
