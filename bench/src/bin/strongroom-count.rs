//! Counts work, and compares it with what was recorded; `bench/count` builds it and calls it. A program of its own, because
//! its allocator counts, which costs time that `strongroom-bench` measures.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool that prints"
)]

use std::alloc::System;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use strongroom_bench::count::{self, Options, Record};
use strongroom_kernel::CodePath;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Counts allocations, calls to the storage and to the system, and instructions
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Count, and fail if a figure has changed
    Compare(Work),
    /// Count, and write the figures to the file
    Renew(Work),
    #[command(hide = true)]
    Loop {
        name: String,
        times: u64,
        path: CodePath,
    },
}

#[derive(clap::Args)]
struct Work {
    /// The file with the figures
    #[arg(long)]
    record: PathBuf,
    /// A folder to work in
    #[arg(long)]
    work: PathBuf,
    /// The executable whose calls to the system are counted
    #[arg(long)]
    strongroom: PathBuf,
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("counting failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Calls for memory so far, new and grown.
fn allocations() -> u64 {
    let stats = ALLOCATOR.stats();
    (stats.allocations + stats.reallocations) as u64
}

fn run() -> Result<ExitCode> {
    match Arguments::parse().what {
        What::Loop { name, times, path } => {
            count::run_loop(&name, times, path).map(|()| ExitCode::SUCCESS)
        }
        What::Renew(work) => {
            let figures = counted(&work)?;
            let record = Record::new(&compiler()?, &figures);
            record.write(&work.record)?;
            print!("{}", record.table(&figures));
            Ok(ExitCode::SUCCESS)
        }
        What::Compare(work) => compare(&work),
    }
}

fn counted(work: &Work) -> Result<Vec<count::Figure>> {
    count::count(&Options {
        work: work.work.clone(),
        strongroom: work.strongroom.clone(),
        allocations,
    })
}

fn compiler() -> Result<String> {
    let output = Command::new("rustc").arg("--version").output();
    let output = output.context("ask rustc for its version")?;
    ensure!(output.status.success(), "rustc does not tell its version");
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn compare(work: &Work) -> Result<ExitCode> {
    let record = Record::read(&work.record)?;
    let figures = counted(work)?;
    print!("{}", record.table(&figures));
    let changes = record.changes(&figures);
    if changes.is_empty() {
        println!("{} figures, none has changed", figures.len());
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("The work that is done has changed:");
    for change in &changes {
        eprintln!("  {change}");
    }
    let compiler = compiler()?;
    if compiler != record.compiler {
        eprintln!(
            "The figures are of {}; this is {compiler}, which may be why.",
            record.compiler
        );
    }
    eprintln!(
        "If that is meant, `bench/count --renew` writes {} anew; say in the commit why.",
        work.record.display()
    );
    Ok(ExitCode::FAILURE)
}
