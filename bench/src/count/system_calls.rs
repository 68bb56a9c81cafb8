//! System calls of the built executable for each small file, counted by `strace`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::{Figure, Tolerance};
use crate::corpus::small_files;
use crate::corpus::text::Vocabulary;
use crate::tools::PASSWORD;

const SEED: u64 = 2;

/// Files of the smaller and of the larger tree.
const FILES: [u64; 2] = [500, 1500];

/// Calls that follow from the files. What threads say to each other and how memory is had is the scheduler's affair.
const COUNTED: [&str; 27] = [
    "chmod",
    "close",
    "fchmod",
    "fchown",
    "fchownat",
    "fgetxattr",
    "flistxattr",
    "fstat",
    "fsync",
    "getdents64",
    "linkat",
    "lseek",
    "mkdirat",
    "newfstatat",
    "open",
    "openat",
    "openat2",
    "pread64",
    "pwrite64",
    "read",
    "renameat",
    "renameat2",
    "stat",
    "statx",
    "unlinkat",
    "utimensat",
    "write",
];

const TOLERANCE: Tolerance = Tolerance {
    part: 0.03,
    least: 0.1,
};

/// Counts.
pub fn count(work: &Path, strongroom: &Path) -> Result<Vec<Figure>> {
    let fewer = run(&work.join("fewer"), strongroom, FILES[0])?;
    let more = run(&work.join("more"), strongroom, FILES[1])?;
    let pairs = fewer.iter().zip(&more);
    Ok(pairs
        .map(|((operation, fewer), (_, more))| Figure {
            name: format!("system calls: {operation}, each small file"),
            value: (more - fewer) as f64 / (FILES[1] - FILES[0]) as f64,
            tolerance: TOLERANCE,
        })
        .collect())
}

/// Operations with how many counted calls each made, on a tree of so many files.
fn run(work: &Path, strongroom: &Path, files: u64) -> Result<Vec<(&'static str, i64)>> {
    small_files::write_all(&work.join("tree"), SEED, &Vocabulary::new(SEED), 0..files)?;
    let place = Place {
        strongroom: strongroom.canonicalize()?,
        work: work.to_owned(),
    };
    place.calls(&["init", "-q"])?;
    let mut counted = Vec::new();
    for (operation, words) in [
        // Without the walk for an estimate: it begins when a backup has taken two seconds.
        ("first backup", &["backup", "-q", "--no-scan", "tree"][..]),
        ("unchanged backup", &["backup", "-q", "--no-scan", "tree"]),
        ("restore", &["restore", "-q", "latest", "--target", "back"]),
    ] {
        counted.push((operation, place.calls(words)?));
    }
    Ok(counted)
}

struct Place {
    strongroom: PathBuf,
    work: PathBuf,
}

impl Place {
    /// Runs a command of ours, and says how many counted calls it made.
    fn calls(&self, words: &[&str]) -> Result<i64> {
        let report = self.work.join("calls.txt");
        let status = Command::new("strace")
            .args(["-f", "-c", "-qq", "-o"])
            .arg(&report)
            .arg(&self.strongroom)
            .args(words)
            .arg("--no-cache")
            .current_dir(&self.work)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.work)
            .env("STRONGROOM_REPOSITORY", self.work.join("repository"))
            .env("STRONGROOM_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .status()
            .context("start strace")?;
        ensure!(
            status.success(),
            "strace of strongroom {} ended with {status}",
            words.join(" ")
        );
        let report = fs::read_to_string(&report)?;
        let calls = parse(&report);
        ensure!(
            calls.get("openat").is_some_and(|calls| *calls > 0),
            "strace counted nothing"
        );
        Ok(calls
            .iter()
            .filter(|(name, _)| COUNTED.contains(name))
            .map(|(_, calls)| calls)
            .sum())
    }
}

/// Calls by their names in a summary of strace, which has columns with the share of time, seconds, microseconds a call, calls, errors if
/// there were any, and the name.
fn parse(text: &str) -> BTreeMap<&str, i64> {
    let lines = text.lines().filter_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let name = columns.last().filter(|name| **name != "total")?;
        Some((*name, columns.get(3)?.parse().ok()?))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_of_strace_is_read() {
        let text = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 25.54    0.000176           5        34        13 openat
 11.18    0.000077           3        23           close
------ ----------- ----------- --------- --------- ----------------
100.00    0.000689           4       157        14 total
";
        assert_eq!(parse(text), BTreeMap::from([("openat", 34), ("close", 23)]));
    }
}
