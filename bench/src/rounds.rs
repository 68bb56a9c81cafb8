//! A run: every round takes every tool through every block, in turn.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use crate::blocks;
use crate::corpus::{Corpus, Size};
use crate::forged::Forged;
use crate::machine;
use crate::phases::{Block, PHASES};
use crate::results::{Results, SCHEMA, ToolFacts};
use crate::session::{Session, Setting};
use crate::targets::OURS;
use crate::tools::{self, Tool};
use crate::work::Work;

/// What is to be run.
pub struct Options {
    /// Size of the corpus.
    pub corpus: Size,
    /// Its seed.
    pub seed: u64,
    /// Rounds.
    pub rounds: u32,
    /// Tools that take part in the first rounds alone, and in how many.
    pub fewer_rounds: Vec<(String, u32)>,
    /// Names of tools; all if empty.
    pub tools: Vec<String>,
    /// Ids of phases, or beginnings of them; all if empty.
    pub phases: Vec<String>,
    /// The working folder.
    pub work: PathBuf,
    /// Our executable.
    pub strongroom: PathBuf,
    /// Blobs in the forged repository.
    pub forged_blobs: u64,
    /// The wide code paths are switched off.
    pub portable: bool,
    /// The commit that is measured.
    pub commit: String,
    /// The command line that repeats it.
    pub command: String,
}

impl Options {
    fn wants(&self, phase: &str) -> bool {
        self.phases.is_empty()
            || self
                .phases
                .iter()
                .any(|wanted| phase.starts_with(wanted.as_str()))
    }

    fn takes_part(&self, tool: &str, round: u32) -> bool {
        let fewer = self.fewer_rounds.iter().find(|(name, _)| name == tool);
        fewer.is_none_or(|(_, rounds)| round <= *rounds)
    }

    fn wants_block(&self, block: Block) -> bool {
        PHASES
            .iter()
            .any(|phase| phase.block == block && self.wants(phase.id))
    }
}

/// Runs everything.
///
/// # Errors
/// Anything that fails or restores wrongly ends the run: figures of something broken are worth nothing.
pub fn run(options: &Options) -> Result<Results> {
    for wanted in &options.phases {
        ensure!(
            PHASES
                .iter()
                .any(|phase| phase.id.starts_with(wanted.as_str())),
            "no phase is called {wanted}"
        );
    }
    let begun = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    let work = Work::new(&options.work)?;
    let (tools, facts) = installed(&options.strongroom, &options.tools)?;
    let corpus = Corpus::prepare(work.root(), options.corpus, options.seed)?;
    warm(&work, &corpus)?;
    let forged = Forged::new(
        work.root(),
        &corpus,
        options.forged_blobs,
        &options.strongroom,
    );
    let samples = RefCell::new(Vec::new());
    let setting = Setting {
        work: &work,
        corpus: &corpus,
        wanted: &|phase| options.wants(phase),
        portable: options.portable,
        samples: &samples,
    };
    for round in 1..=options.rounds {
        for block in Block::ALL
            .into_iter()
            .filter(|block| options.wants_block(*block))
        {
            // A different one begins each round, should being first matter after all.
            let turn = (round as usize - 1) % tools.len();
            let in_turn = tools[turn..].iter().chain(&tools[..turn]);
            for tool in in_turn.filter(|tool| options.takes_part(tool.name(), round)) {
                let session = Session::new(&setting, &**tool, round)?;
                blocks::run(block, &session, &corpus, &forged)?;
                session.close()?;
            }
        }
    }
    work.sweep()?;
    Ok(Results {
        schema: SCHEMA.to_owned(),
        begun,
        commit: options.commit.clone(),
        command: options.command.clone(),
        notes: Vec::new(),
        corpus: options.corpus,
        seed: options.seed,
        forged_blobs: options.forged_blobs,
        rounds: options.rounds,
        portable: options.portable,
        machine: machine::facts(work.root()),
        tools: facts,
        samples: samples.into_inner(),
    })
}

type Tools = Vec<Box<dyn Tool>>;

/// The tools that were asked for and are there, and the facts of all that were asked for.
fn installed(strongroom: &Path, wanted: &[String]) -> Result<(Tools, Vec<ToolFacts>)> {
    let all = tools::all(strongroom);
    for name in wanted {
        let names: Vec<_> = all.iter().map(|tool| tool.name()).collect();
        ensure!(
            names.contains(&name.as_str()),
            "no tool is called {name}; there are {}",
            names.join(", ")
        );
    }
    let mut there = Vec::new();
    let mut facts = Vec::new();
    for tool in all {
        if !wanted.is_empty() && !wanted.iter().any(|name| name == tool.name()) {
            continue;
        }
        let version = tools::version(&*tool);
        // A peer may be missing; ours is what all this is for.
        ensure!(
            version.is_some() || tool.name() != OURS,
            "{} does not tell its version",
            strongroom.display()
        );
        eprintln!(
            "{}: {}",
            tool.name(),
            version.as_deref().unwrap_or("MISSING, left out")
        );
        facts.push(ToolFacts {
            name: tool.name().to_owned(),
            version: version.clone(),
            settings: tool.settings().to_owned(),
            is_peer: tool.is_peer(),
        });
        if version.is_some() {
            there.push(tool);
        }
    }
    ensure!(!there.is_empty(), "none of the tools is installed");
    Ok((there, facts))
}

fn warm(work: &Work, corpus: &Corpus) -> Result<()> {
    let large = corpus.size().large_bytes();
    eprintln!("warming up: memory, then the corpus");
    work.warm_memory(large * 12)?;
    corpus.warm()
}
