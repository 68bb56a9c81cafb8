//! One tool in one block of one round: its place, the operations that it is asked to do, what they used.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::corpus::{Corpus, files_below};
use crate::machine;
use crate::measure::{self, Invocation, Usages};
use crate::results::{Sample, Stored};
use crate::tools::{Operation, PASSWORD, Place, Tool};
use crate::verify::verify;
use crate::work::Work;

/// What all sessions of a run share.
pub struct Setting<'a> {
    /// The working folder.
    pub work: &'a Work,
    /// The data.
    pub corpus: &'a Corpus,
    /// Whether a phase is to be measured.
    pub wanted: &'a dyn Fn(&str) -> bool,
    /// The wide code paths are switched off.
    pub portable: bool,
    /// Where measurements go.
    pub samples: &'a RefCell<Vec<Sample>>,
}

/// One tool at work.
pub struct Session<'a> {
    setting: &'a Setting<'a>,
    tool: &'a dyn Tool,
    place: Place,
    round: u32,
}

impl<'a> Session<'a> {
    /// A new, empty place for the tool.
    pub fn new(setting: &'a Setting<'a>, tool: &'a dyn Tool, round: u32) -> Result<Self> {
        let root = setting.work.root().join("tools").join(tool.name());
        setting.work.discard(&root)?;
        let place = Place {
            root,
            portable: setting.portable,
        };
        for folder in [place.cache(), place.home(), place.temporary()] {
            fs::create_dir_all(folder)?;
        }
        fs::write(place.password_file(), PASSWORD)?;
        fs::create_dir_all(setting.work.root().join("logs"))?;
        Ok(Self {
            setting,
            tool,
            place,
            round,
        })
    }

    /// The tool.
    pub fn tool(&self) -> &dyn Tool {
        self.tool
    }

    /// Where it works.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Takes the place away.
    pub fn close(self) -> Result<()> {
        self.setting.work.discard(&self.place.root)
    }

    /// Whether a phase is to be measured.
    pub fn wants(&self, phase: &str) -> bool {
        (self.setting.wanted)(phase)
    }

    /// Does something that is not measured. False if the tool cannot.
    pub fn prepare(&self, operation: &Operation) -> Result<bool> {
        Ok(self.run("preparation", operation)?.is_some())
    }

    /// Does something that later phases need, and measures it if its phase is wanted.
    pub fn step(&self, phase: &str, operation: &Operation) -> Result<bool> {
        if self.wants(phase) {
            self.measure(phase, operation)
        } else {
            self.prepare(operation)
        }
    }

    /// Measures a phase if it is wanted. False if it is not, or if the tool has no such thing.
    pub fn measure(&self, phase: &str, operation: &Operation) -> Result<bool> {
        if !self.wants(phase) {
            return Ok(false);
        }
        let before = self.stored()?;
        let load = machine::load()?;
        let Some(used) = self.run(phase, operation)? else {
            return Ok(false);
        };
        eprintln!(
            "round {} {phase:18} {:11} {:8.3} s wall {:8.3} s CPU {:6} MiB",
            self.round,
            self.tool.name(),
            used.wall_s,
            used.cpu_s(),
            used.peak_bytes >> 20
        );
        self.setting.samples.borrow_mut().push(Sample {
            round: self.round,
            phase: phase.to_owned(),
            tool: self.tool.name().to_owned(),
            used,
            before,
            after: self.stored()?,
            load,
        });
        Ok(true)
    }

    /// Measures a restore of `path`, and compares what came in the first round. With `whole` all of the snapshot is restored.
    pub fn measure_restore(
        &self,
        phase: &str,
        snapshot: &str,
        path: &Path,
        whole: bool,
    ) -> Result<()> {
        if !self.wants(phase) {
            return Ok(());
        }
        self.restoring(phase, snapshot, path, whole, |operation| {
            self.measure(phase, operation)
        })
    }

    /// Restores all of a snapshot in the first round, and compares.
    pub fn check_restore(&self, after: &str, snapshot: &str, path: &Path) -> Result<()> {
        if self.round > 1 {
            return Ok(());
        }
        self.restoring(after, snapshot, path, true, |operation| {
            self.prepare(operation)
        })
    }

    fn restoring(
        &self,
        phase: &str,
        snapshot: &str,
        path: &Path,
        whole: bool,
        restore: impl Fn(&Operation) -> Result<bool>,
    ) -> Result<()> {
        let target = self.place.root.join("restored");
        self.setting.work.discard(&target)?;
        fs::create_dir(&target)?;
        let operation = match whole {
            true => Operation::Restore {
                snapshot,
                target: &target,
            },
            false => Operation::RestorePath {
                snapshot,
                path,
                target: &target,
            },
        };
        if restore(&operation)? && self.round == 1 {
            let original = self.setting.corpus.folder().join(path);
            verify(&original, path, &target).with_context(|| {
                format!(
                    "{}: the restore after {phase} is not what was backed up",
                    self.tool.name()
                )
            })?;
        }
        self.setting.work.discard(&target)
    }

    /// Keeps a copy of the tool's place, to come back to with [`Session::return_to_state`].
    pub fn save_state(&self) -> Result<()> {
        copy(&self.place.root, &self.state(), &["-a"])
    }

    /// Makes the tool's place what it was.
    pub fn return_to_state(&self) -> Result<()> {
        self.setting.work.discard(&self.place.root)?;
        Ok(fs::rename(self.state(), &self.place.root)?)
    }

    fn state(&self) -> PathBuf {
        self.place.root.with_extension("state")
    }

    /// Takes a repository over that was made before. Its files are linked, not copied: programs of this format never write into one.
    pub fn take_over(&self, repository: &Path) -> Result<()> {
        copy(repository, &self.place.repository(), &["-a", "--link"])
    }

    /// Runs the commands for an operation, one after the other.
    fn run(&self, phase: &str, operation: &Operation) -> Result<Option<Usages>> {
        let Some(commands) = self.tool.commands(operation, &self.place) else {
            return Ok(None);
        };
        let mut used: Option<Usages> = None;
        for words in commands {
            let words = match operation {
                Operation::Mount { point } => walker(point, words)?,
                _ => words,
            };
            let report = self.place.root.join("usage.json");
            let next = measure::measure(&self.invocation(words), &report)
                .with_context(|| format!("{} in {phase}", self.tool.name()))?;
            used = Some(used.map_or(next, |before| before.and_then(next)));
        }
        Ok(used)
    }

    fn invocation(&self, words: Vec<OsString>) -> Invocation {
        let mut environment = self.tool.environment(&self.place);
        environment.extend([
            ("HOME", self.place.home().into()),
            ("TMPDIR", self.place.temporary().into()),
            ("PATH", std::env::var_os("PATH").unwrap_or_default()),
            ("LC_ALL", "C.UTF-8".into()),
        ]);
        Invocation {
            words,
            folder: self.setting.corpus.folder().to_owned(),
            environment,
            log: self
                .setting
                .work
                .root()
                .join(format!("logs/{}.log", self.tool.name())),
        }
    }

    /// What lies in the repository.
    fn stored(&self) -> Result<Stored> {
        let mut stored = Stored::default();
        if !self.place.repository().exists() {
            return Ok(stored);
        }
        for path in files_below(&self.place.repository())? {
            stored.bytes += fs::symlink_metadata(path)?.len();
            stored.files += 1;
        }
        Ok(stored)
    }
}

fn copy(from: &Path, to: &Path, options: &[&str]) -> Result<()> {
    let status = Command::new("cp")
        .args(options)
        .arg("-T")
        .args([from, to])
        .status()?;
    ensure!(
        status.success(),
        "copy of {} ended with {status}",
        from.display()
    );
    Ok(())
}

/// The command below our walker, which waits until there is something at the mount point, reads, and unmounts.
fn walker(point: &Path, words: Vec<OsString>) -> Result<Vec<OsString>> {
    let mut all = vec![
        std::env::current_exe()?.into(),
        "walk".into(),
        point.into(),
        "--".into(),
    ];
    all.extend(words);
    Ok(all)
}
