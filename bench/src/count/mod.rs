//! Work counted instead of time measured: allocations, calls to the storage and to the system, instructions. The figures are the same on a
//! busy machine and on a quiet one, so a change of them is a change of the program, and a test can say so.

mod engine;
mod instructions;
mod record;
mod system_calls;

use std::path::{Path, PathBuf};

use anyhow::Result;

pub use instructions::run_loop;
pub use record::{Change, Record};

/// How far a figure may move, in either direction, before it is a change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// As a part of the figure.
    pub part: f64,
    /// At least so much, for figures near zero.
    pub least: f64,
}

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What is counted, for people; the same in each run.
    pub name: String,
    /// How much.
    pub value: f64,
    /// How far it may move.
    pub tolerance: Tolerance,
}

/// What to count with.
pub struct Options {
    /// An empty folder to work in.
    pub work: PathBuf,
    /// The executable whose calls to the system are counted.
    pub strongroom: PathBuf,
    /// Allocations that this process has made so far.
    pub allocations: fn() -> u64,
}

/// Counts everything.
///
/// # Errors
/// If something cannot be run. What cannot be counted has not stayed the same.
pub fn count(options: &Options) -> Result<Vec<Figure>> {
    let mut figures = engine::count(&folder(&options.work, "engine")?, options.allocations)?;
    figures.extend(system_calls::count(
        &folder(&options.work, "system-calls")?,
        &options.strongroom,
    )?);
    figures.extend(instructions::count(&folder(
        &options.work,
        "instructions",
    )?)?);
    Ok(figures)
}

fn folder(work: &Path, name: &str) -> Result<PathBuf> {
    let folder = work.join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder.canonicalize()?)
}
