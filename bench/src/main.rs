//! The command line of the benchmark; `bench/run` builds it and calls it.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool that prints"
)]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use strongroom_bench::corpus::Size;
use strongroom_bench::results::Results;
use strongroom_bench::{join, measure, micro, page, plot, rounds, table, walk};
use strongroom_kernel::CodePath;

/// Measures Strongroom and its peers on the same data, in turn, in one run
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the benchmark
    Run(RunArguments),
    /// Show results that were written before
    Show(ShowArguments),
    /// Write the page of results, and its plot beside it
    Docs {
        /// The page
        page: PathBuf,
        /// Results of a run
        results: PathBuf,
        /// Results of a run without wide code paths
        portable: Option<PathBuf>,
        /// What `bench/micro` printed
        #[arg(long)]
        micro: Option<PathBuf>,
    },
    /// Put results of runs together that measured different phases or tools
    Join {
        /// The file for all of it
        joined: PathBuf,
        /// Results of the runs
        #[arg(required = true)]
        parts: Vec<PathBuf>,
    },
    /// Measure the inner loops alone
    Micro {
        /// Only loops whose name contains this
        #[arg(default_value = "")]
        name: String,
        /// Seconds for each loop
        #[arg(long, default_value_t = 1.0)]
        seconds: f64,
        /// Use no wider code path than this: portable, avx2, avx512
        #[arg(long)]
        cpu: Option<CodePath>,
    },
    #[command(hide = true)]
    Measure {
        report: PathBuf,
        #[arg(last = true)]
        words: Vec<OsString>,
    },
    #[command(hide = true)]
    Walk {
        point: PathBuf,
        #[arg(last = true)]
        words: Vec<OsString>,
    },
}

#[derive(Args)]
struct RunArguments {
    /// How much data
    #[arg(long, default_value = "half")]
    corpus: Size,
    /// Seed of the data
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often everything is measured
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Tools that take part in the first rounds alone, as NAME=ROUNDS
    #[arg(long, value_delimiter = ',', value_parser = fewer_rounds)]
    fewer_rounds: Vec<(String, u32)>,
    /// Tools to run; missing ones are named and left out [default: all]
    #[arg(long, value_delimiter = ',')]
    tools: Vec<String>,
    /// Phases to measure, by their ids or beginnings of them [default: all]
    #[arg(long, value_delimiter = ',')]
    phases: Vec<String>,
    /// Folder for corpus, repositories and restored files
    #[arg(long)]
    work: PathBuf,
    /// The executable to measure
    #[arg(long)]
    strongroom: PathBuf,
    /// Blobs in the repository of the phases with millions of blobs
    #[arg(long, default_value_t = 5_000_000)]
    blobs: u64,
    /// Switch the wide code paths of ours off
    #[arg(long)]
    portable: bool,
    /// The commit that is measured
    #[arg(long, default_value = "")]
    commit: String,
    /// Write all measurements to this file
    #[arg(long)]
    json: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

#[derive(Args)]
struct ShowArguments {
    /// Results of a run
    results: PathBuf,
    #[command(flatten)]
    output: Output,
}

#[derive(Args)]
struct Output {
    /// Print tables
    #[arg(long)]
    table: bool,
    /// Write a plot to this file
    #[arg(long)]
    svg: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("benchmark failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    match Arguments::parse().command {
        Command::Run(arguments) => {
            let results = rounds::run(&arguments.options())?;
            if let Some(path) = &arguments.json {
                write(path, &results)?;
            }
            show(&results, &arguments.output)
        }
        Command::Show(arguments) => show(&load(&arguments.results)?, &arguments.output),
        Command::Docs {
            page,
            results,
            portable,
            micro,
        } => {
            let portable = portable.as_deref().map(load).transpose()?;
            let loops = micro.map(fs::read_to_string).transpose()?;
            docs(&page, &load(&results)?, portable.as_ref(), loops.as_deref())
        }
        Command::Join { joined, parts } => {
            let parts = parts.iter().map(|part| load(part));
            let results = join::join(parts.collect::<Result<Vec<_>>>()?)?;
            write(&joined, &results).map(|()| ExitCode::SUCCESS)
        }
        Command::Micro { name, seconds, cpu } => {
            if let Some(path) = cpu {
                path.allow_up_to();
            }
            print!(
                "{}",
                micro::table(&micro::run(&name, micro::Effort::full(seconds))?)
            );
            Ok(ExitCode::SUCCESS)
        }
        Command::Measure { report, words } => {
            let status = measure::run_measured(&words, &report)?;
            Ok(ExitCode::from(
                status
                    .code()
                    .and_then(|code| u8::try_from(code).ok())
                    .unwrap_or(125),
            ))
        }
        Command::Walk { point, words } => {
            walk::walk_mounted(&point, &words).map(|()| ExitCode::SUCCESS)
        }
    }
}

fn load(path: &Path) -> Result<Results> {
    let doing = || format!("read {}", path.display());
    let text = fs::read(path).with_context(doing)?;
    serde_json::from_slice(&text).with_context(doing)
}

fn write(path: &Path, results: &Results) -> Result<()> {
    fs::write(path, serde_json::to_string_pretty(results)? + "\n")
        .with_context(|| format!("write {}", path.display()))
}

fn docs(
    page: &Path,
    results: &Results,
    portable: Option<&Results>,
    loops: Option<&str>,
) -> Result<ExitCode> {
    let plot = page.with_extension("svg");
    let name = plot
        .file_name()
        .context("the page has no name")?
        .to_string_lossy()
        .into_owned();
    fs::write(page, page::page(results, portable, loops, &name))?;
    fs::write(plot, plot::plot(results))?;
    Ok(ExitCode::SUCCESS)
}

fn show(results: &Results, output: &Output) -> Result<ExitCode> {
    if output.table {
        print!("{}", table::tables(results));
    }
    if let Some(path) = &output.svg {
        fs::write(path, plot::plot(results))
            .with_context(|| format!("write {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn fewer_rounds(text: &str) -> Result<(String, u32), String> {
    let parsed = text
        .split_once('=')
        .and_then(|(name, rounds)| Some((name.to_owned(), rounds.parse().ok()?)));
    parsed.ok_or_else(|| format!("{text} is not NAME=ROUNDS"))
}

impl RunArguments {
    fn options(&self) -> rounds::Options {
        rounds::Options {
            corpus: self.corpus,
            seed: self.seed,
            rounds: self.rounds,
            fewer_rounds: self.fewer_rounds.clone(),
            tools: self.tools.clone(),
            phases: self.phases.clone(),
            work: self.work.clone(),
            strongroom: self.strongroom.clone(),
            forged_blobs: self.blobs,
            portable: self.portable,
            commit: self.commit.clone(),
            command: self.words(),
        }
    }

    /// What repeats the run, wherever it is repeated.
    fn words(&self) -> String {
        let mut words = format!(
            "--corpus {} --seed {} --rounds {} --blobs {}",
            self.corpus.word(),
            self.seed,
            self.rounds,
            self.blobs
        );
        let fewer = self.fewer_rounds.iter();
        let fewer = fewer
            .map(|(name, rounds)| format!("{name}={rounds}"))
            .collect();
        for (option, values) in [
            (" --fewer-rounds ", &fewer),
            (" --tools ", &self.tools),
            (" --phases ", &self.phases),
        ] {
            if !values.is_empty() {
                words.push_str(option);
                words.push_str(&values.join(","));
            }
        }
        if self.portable {
            words.push_str(" --portable");
        }
        words
    }
}
