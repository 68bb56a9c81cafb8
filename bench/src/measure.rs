//! One measured command. It runs below a small process of its own, because the kernel counts what children used for the process that
//! waits for them: whatever the command starts and waits for is in its figures, and nothing else is.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde::{Deserialize, Serialize};

/// A command with all that it needs to run.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Program and arguments.
    pub words: Vec<OsString>,
    /// Its working directory.
    pub folder: PathBuf,
    /// All of its environment.
    pub environment: Vec<(&'static str, OsString)>,
    /// What it prints goes to the end of this file.
    pub log: PathBuf,
}

/// What a command used, with all processes that it started and waited for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Usages {
    /// From start to end.
    pub wall_s: f64,
    /// Processor time outside the kernel.
    pub user_s: f64,
    /// Processor time inside the kernel.
    pub system_s: f64,
    /// Most memory that one of its processes had.
    pub peak_bytes: u64,
    /// Bytes given to write calls, whatever for: repository, cache, restored files.
    pub written_bytes: u64,
    /// Write calls.
    pub write_calls: u64,
    /// Bytes got from read calls.
    pub read_bytes: u64,
    /// Read calls.
    pub read_calls: u64,
}

impl Usages {
    /// Processor time.
    pub fn cpu_s(&self) -> f64 {
        self.user_s + self.system_s
    }

    /// Of two commands, one after the other.
    #[must_use]
    pub fn and_then(self, next: Self) -> Self {
        Self {
            wall_s: self.wall_s + next.wall_s,
            user_s: self.user_s + next.user_s,
            system_s: self.system_s + next.system_s,
            peak_bytes: self.peak_bytes.max(next.peak_bytes),
            written_bytes: self.written_bytes + next.written_bytes,
            write_calls: self.write_calls + next.write_calls,
            read_bytes: self.read_bytes + next.read_bytes,
            read_calls: self.read_calls + next.read_calls,
        }
    }
}

/// Runs a command and measures it.
///
/// # Errors
/// If it does not end well: what fails has no speed.
pub fn measure(invocation: &Invocation, report: &Path) -> Result<Usages> {
    let shown = shown(&invocation.words);
    append(&invocation.log, &format!("\n$ {shown}\n"))?;
    let log = File::options().append(true).open(&invocation.log)?;
    let status = Command::new(std::env::current_exe()?)
        .arg("measure")
        .arg(report)
        .arg("--")
        .args(&invocation.words)
        .current_dir(&invocation.folder)
        .env_clear()
        .envs(
            invocation
                .environment
                .iter()
                .map(|(name, value)| (name, value)),
        )
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .status()?;
    if !status.success() {
        bail!(
            "{shown}\nended with {status}; the end of {}:\n{}",
            invocation.log.display(),
            tail(&invocation.log)?
        );
    }
    let usages = serde_json::from_slice(&fs::read(report)?)?;
    append(&invocation.log, &format!("{usages:?}\n"))?;
    Ok(usages)
}

/// The small process: runs the command, writes what it used to `report`, and ends as the command did.
pub fn run_measured(words: &[OsString], report: &Path) -> Result<ExitStatus> {
    let (program, arguments) = words.split_first().context("no command")?;
    let before = IoCounters::read();
    let begin = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .status()
        .with_context(|| format!("start {}", program.display()))?;
    let wall_s = begin.elapsed().as_secs_f64();
    let used = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let moved = IoCounters::read().since(&before);
    fs::write(report, serde_json::to_vec(&usages(wall_s, &used, &moved))?)?;
    Ok(status)
}

fn usages(wall_s: f64, used: &Usage, moved: &IoCounters) -> Usages {
    Usages {
        wall_s,
        user_s: used.user_time().num_microseconds() as f64 / 1e6,
        system_s: used.system_time().num_microseconds() as f64 / 1e6,
        peak_bytes: u64::try_from(used.max_rss()).unwrap_or(0) * 1024,
        written_bytes: moved.written_bytes,
        write_calls: moved.write_calls,
        read_bytes: moved.read_bytes,
        read_calls: moved.read_calls,
    }
}

/// `/proc/self/io`, to which the kernel adds the counters of children that were waited for. Zeros where there is none.
#[derive(Default)]
struct IoCounters {
    written_bytes: u64,
    write_calls: u64,
    read_bytes: u64,
    read_calls: u64,
}

impl IoCounters {
    fn read() -> Self {
        let text = fs::read_to_string("/proc/self/io").unwrap_or_default();
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.trim_start_matches(':').trim().parse().ok())
                .unwrap_or(0)
        };
        Self {
            written_bytes: value("wchar"),
            write_calls: value("syscw"),
            read_bytes: value("rchar"),
            read_calls: value("syscr"),
        }
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            written_bytes: self.written_bytes.saturating_sub(before.written_bytes),
            write_calls: self.write_calls.saturating_sub(before.write_calls),
            read_bytes: self.read_bytes.saturating_sub(before.read_bytes),
            read_calls: self.read_calls.saturating_sub(before.read_calls),
        }
    }
}

fn shown(words: &[OsString]) -> String {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

fn append(log: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    let mut file = File::options().create(true).append(true).open(log)?;
    Ok(file.write_all(text.as_bytes())?)
}

fn tail(log: &Path) -> Result<String> {
    let text = String::from_utf8_lossy(&fs::read(log)?).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    Ok(lines[lines.len().saturating_sub(20)..].join("\n"))
}
