//! `strongroom-mutants`: see `scripts/mutants`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool that prints"
)]

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::{Parser, Subcommand};
use strongroom_mutants::changes::Change;
use strongroom_mutants::outcomes::{self, Verdict};
use strongroom_mutants::suite::{self, Test};
use strongroom_mutants::trial::Trial;
use strongroom_mutants::work::Work;
use strongroom_mutants::{chosen, compile, process, reach, summary};

/// Tries changes of a package that are all compiled into one copy of its workspace.
#[derive(Parser)]
struct Arguments {
    /// Where the list of changes (`list.json`, from `cargo mutants --list --json`), the copy and what is found lie.
    #[arg(long)]
    work: PathBuf,
    /// The folder of the package, from that of the workspace.
    #[arg(long, default_value = "crates/repository")]
    package: PathBuf,
    /// Tests that run at a time.
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// What a test is given beside ten times its usual time before it is taken to hang.
    #[arg(long, default_value_t = 20)]
    slack_s: u64,
    #[command(subcommand)]
    command: What,
}

#[derive(Subcommand)]
enum What {
    /// Makes and builds the copy, and learns which test reaches which change.
    Prepare {
        /// The workspace.
        #[arg(long, default_value = ".")]
        workspace: PathBuf,
        /// Builds this test target alone (`lib`: the tests that stand in the crate) and measures nothing; may be given several times.
        #[arg(long)]
        only: Vec<String>,
        /// Tests that take longer, in seconds, are ended: what they had reached until then is known of them.
        #[arg(long, default_value_t = 600)]
        longest_s: u64,
    },
    /// Tries the changes that have not been tried, or not with all tests.
    Run {
        /// Tests that take longer, in seconds, are not run.
        #[arg(long, default_value_t = 600)]
        longest_s: u64,
        /// Tests without this in their names are not run.
        #[arg(long, default_value = "")]
        tests: String,
        /// Only changes whose names contain one of these, in this order; all, if there are none.
        names: Vec<String>,
        /// Tries those again, too, that no test has noticed or reached.
        #[arg(long)]
        again: bool,
    },
    /// Runs tests with each of some changes in effect, and shows what they print.
    Try {
        /// A part of the names of the changes.
        change: String,
        /// A part of the names of the tests.
        test: String,
    },
    /// Says what was found.
    Show,
}

/// More than any test needs.
const MEMORY_BYTES: u64 = 8 << 30;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let work = Work::open(&arguments.work)?;
    match &arguments.command {
        What::Prepare {
            workspace,
            only,
            longest_s,
        } => prepare(&work, &arguments, workspace, only, *longest_s),
        What::Run {
            longest_s,
            tests,
            names,
            again,
        } => run(&work, &arguments, (*longest_s, tests), names, *again),
        What::Try { change, test } => try_some(&work, &arguments, change, test),
        What::Show => {
            print!(
                "{}",
                summary::describe(
                    &work.changes,
                    &work.left_out()?,
                    &outcomes::read(&work.outcomes())?
                )
            );
            Ok(())
        }
    }
}

/// What the tests write.
fn scratch() -> PathBuf {
    std::env::temp_dir().join("strongroom-mutants")
}

fn prepare(
    work: &Work,
    arguments: &Arguments,
    workspace: &Path,
    only: &[String],
    longest_s: u64,
) -> Result<()> {
    let built = compile::build(
        workspace,
        &work.copy(),
        &arguments.package,
        &work.changes,
        work.left_out()?,
        only,
    )?;
    work.store_left_out(&built.left_out)?;
    let package = work.copy().join(&arguments.package);
    let tests = suite::list(&package, &built.binaries)?;
    let (all, left_out) = (work.changes.len(), built.left_out.len());
    println!(
        "{} of {all} changes are built in, {} tests",
        all.saturating_sub(left_out),
        tests.len()
    );
    if !only.is_empty() {
        return work.store_listed(&tests);
    }
    // As it will be with the changes.
    process::limit_memory(MEMORY_BYTES)?;
    work.store_measured(reach::measure(
        tests,
        &package,
        &scratch(),
        arguments.workers,
        longest_s.saturating_mul(1000),
    )?)
}

fn run(
    work: &Work,
    arguments: &Arguments,
    (longest_s, only): (u64, &str),
    names: &[String],
    again: bool,
) -> Result<()> {
    process::limit_memory(MEMORY_BYTES)?;
    let (left_out, tests, known) = (
        work.left_out()?,
        work.measured_tests()?,
        outcomes::read(&work.outcomes())?,
    );
    let is_open = |number: &u32, change: &Change| {
        let survived = |outcome: &outcomes::Outcome| {
            outcome.not_run > 0 || again && outcome.verdict >= Verdict::NotNoticed
        };
        !left_out.contains_key(number) && known.get(&change.name).is_none_or(survived)
    };
    let everything = [String::new()];
    let mut numbers: Vec<u32> = Vec::new();
    for name in if names.is_empty() { &everything } else { names } {
        let named = (0..)
            .zip(&work.changes)
            .filter(|(_, change)| change.name.contains(name));
        let open =
            named.filter(|(number, change)| is_open(number, change) && !numbers.contains(number));
        let open: Vec<u32> = open.map(|(number, _)| number).collect();
        numbers.extend(open);
    }
    let trial = Trial {
        changes: &work.changes,
        tests: &tests,
        folder: &work.copy().join(&arguments.package),
        scratch: &scratch(),
        longest_ms: longest_s.saturating_mul(1000),
        only,
        known: &known,
        slack_ms: arguments.slack_s.saturating_mul(1000),
    };
    trial.run(
        &numbers,
        arguments.workers,
        outcomes::open(&work.outcomes())?,
    )
}

fn try_some(work: &Work, arguments: &Arguments, change: &str, test: &str) -> Result<()> {
    process::limit_memory(MEMORY_BYTES)?;
    let (package, scratch, left_out) = (
        work.copy().join(&arguments.package),
        scratch(),
        work.left_out()?,
    );
    let tests: Vec<Test> = work
        .tests()?
        .into_iter()
        .filter(|known| known.title().contains(test))
        .collect();
    let numbered = (0..).zip(&work.changes);
    let changes: Vec<(u32, &Change)> = numbered
        .filter(|(number, known)| known.name.contains(change) && !left_out.contains_key(number))
        .collect();
    ensure!(
        !tests.is_empty() && !changes.is_empty(),
        "there is no such test, or no such change that can be tried"
    );
    for (number, change) in changes {
        for test in &tests {
            std::fs::create_dir_all(&scratch)?;
            let mut command = test.command(&package, &scratch);
            let limit_ms = test.limit_ms(arguments.slack_s.saturating_mul(1000));
            let (end, _) = process::run(command.env(chosen::CHOSEN, number.to_string()), limit_ms)?;
            println!("{end:?}: {} with {}", test.title(), change.name);
        }
    }
    Ok(())
}
