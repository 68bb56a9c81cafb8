//! Instructions of the inner loops, counted by `valgrind --tool=callgrind`.
//!
//! valgrind shows every program the same processor, one with AVX2, AES and carry-less multiplication and without the instructions for
//! SHA-256 and without AVX-512. So the figures do not depend on the machine; and the paths for these instructions cannot be
//! counted. Each loop runs once in one process and three times in another: what preparing costs is in both.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use anyhow::{Context, Result, bail, ensure};
use strongroom_kernel::CodePath;

use super::{Figure, Tolerance};
use crate::micro::Effort;
use crate::micro::loops::{LOOPS, Loop};

const TOLERANCE: Tolerance = Tolerance {
    part: 0.03,
    least: 0.0,
};

/// How often a loop runs in the one process and in the other.
const TIMES: [u64; 2] = [1, 3];

/// Processes at once.
const AT_ONCE: usize = 2;

/// The loops with a path for AVX2 that valgrind can run.
fn has_wide_path(one: &Loop) -> bool {
    one.name.starts_with("chunker")
}

/// Counts.
pub fn count(work: &Path) -> Result<Vec<Figure>> {
    let mut wanted: Vec<(&Loop, CodePath)> = Vec::new();
    for one in &LOOPS {
        wanted.push((one, CodePath::Portable));
        if has_wide_path(one) {
            wanted.push((one, CodePath::Avx2));
        }
    }
    let queue = Mutex::new(wanted.iter().enumerate());
    let found = Mutex::new(vec![None; wanted.len()]);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    loop {
                        let next = queue.lock().ok().and_then(|mut queue| queue.next());
                        let Some((place, (one, path))) = next else {
                            return Ok(());
                        };
                        let figure = figure(work, place, one, *path)?;
                        if let Ok(mut found) = found.lock() {
                            found[place] = Some(figure);
                        }
                    }
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|_| bail!("a thread that counts has panicked"))
        })
    })?;
    let found = found.into_inner().unwrap_or_default();
    Ok(found.into_iter().flatten().collect())
}

fn figure(work: &Path, place: usize, one: &Loop, path: CodePath) -> Result<Figure> {
    let instructions = |times| {
        let out = work.join(format!("{place}-{times}"));
        instructions(&out, one.name, path, times)
    };
    let (once, thrice) = (instructions(TIMES[0])?, instructions(TIMES[1])?);
    let amount = (one.prepare)(Effort::counted())?.amount;
    let each = (thrice - once) as f64 / (TIMES[1] - TIMES[0]) as f64 / amount as f64;
    let unit = if one.unit == "GB/s" {
        "byte"
    } else {
        "look-up"
    };
    Ok(Figure {
        name: format!("instructions: {}, {}, each {unit}", one.name, path.name()),
        value: each,
        tolerance: TOLERANCE,
    })
}

/// Instructions of a process that runs a loop so often.
fn instructions(out: &Path, name: &str, path: CodePath, times: u64) -> Result<i64> {
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .args(["loop", name, &times.to_string(), path.name()])
        .stdin(Stdio::null())
        .output()
        .context("start valgrind")?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "valgrind ended with {}: {text}",
        output.status
    );
    let total = text
        .lines()
        .find_map(|line| line.split_once("Collected : "))
        .and_then(|(_, total)| total.trim().parse().ok());
    total.with_context(|| format!("valgrind counted nothing: {text}"))
}

/// What the counted process does.
pub fn run_loop(name: &str, times: u64, path: CodePath) -> Result<()> {
    path.allow_up_to();
    let one = LOOPS.iter().find(|one| one.name == name);
    let one = one.with_context(|| format!("no loop is called {name}"))?;
    let mut work = (one.prepare)(Effort::counted())?;
    for _ in 0..times {
        (work.once)();
    }
    Ok(())
}
