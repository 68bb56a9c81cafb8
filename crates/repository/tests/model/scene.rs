//! Two repositories with a little history, and machines that work on them in an order that a test gives.

use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use strongroom_repository::Repository;
use strongroom_repository::prune::{MaxUnused, PruneOptions};
use strongroom_storage::{MemoryStorage, Storage};
use strongroom_testkit::engine::{FakeClock, FakeHost, new_repository};
use strongroom_testkit::{Faults, Random, SimulatedStorage, SkewedClock};

use tokio::task::JoinHandle;

use crate::actions::{Action, Job, Outcome};
use crate::expected::{Expected, REPOSITORIES};
use crate::machine::{Ended, Machine, Process};
use crate::run::open;
use crate::tree::{Files, evolve};
use crate::turns::Turns;
use crate::verify::{check, read_all};

/// What everything begins with; cheap to begin with again.
pub struct Scene {
    clock: Arc<FakeClock>,
    truths: [MemoryStorage; REPOSITORIES],
    expected: Expected,
    repositories: Vec<[Repository; REPOSITORIES]>,
    /// The trees of the first backups.
    pub trees: Vec<Arc<Files>>,
}

/// One beginning.
pub struct Stage {
    pub clock: Arc<FakeClock>,
    pub machines: Vec<Machine>,
    pub expected: Arc<Mutex<Expected>>,
    turns: Arc<Turns>,
    storages: [SimulatedStorage; REPOSITORIES],
    observers: [Repository; REPOSITORIES],
}

pub const MACHINES: usize = 3;

impl Scene {
    /// Three backups by the first machine in the first repository, of which the first was forgotten: a prune has
    /// something to remove and something to move. One by the second machine in the second.
    pub async fn new() -> Self {
        let truths = [MemoryStorage::new(), MemoryStorage::new()];
        let mut repositories = Vec::new();
        for truth in &truths {
            new_repository(Arc::new(truth.clone())).await;
        }
        for _ in 0..=MACHINES {
            repositories.push([open(truths[0].clone()).await, open(truths[1].clone()).await]);
        }
        let mut random = Random::new(3);
        let mut files = Files::new();
        let trees = (0..6).map(|changed| {
            (0..4).for_each(|_| evolve(&mut files, &mut random, changed));
            Arc::new(files.clone())
        });
        let mut scene = Self {
            clock: FakeClock::new(),
            truths,
            expected: Expected::default(),
            repositories,
            trees: trees.collect(),
        };
        let stage = scene.stage(["one", "two", "three"]);
        for (machine, repository, tree) in [(0, 0, 0), (0, 0, 1), (0, 0, 2), (1, 1, 3)] {
            let action = stage.backup(&scene.trees[tree]);
            stage.done(machine, repository, action).await;
        }
        stage.done(0, 0, Action::ForgetNamed { pick: 0 }).await;
        stage.assert_whole("at the beginning").await;
        scene.truths = stage
            .storages
            .each_ref()
            .map(|storage| storage.truth().clone());
        scene.expected = stage.expected.lock().unwrap().clone();
        scene
    }

    /// Begins, with machines of these names.
    pub fn stage(&self, names: [&str; MACHINES]) -> Stage {
        let turns = Arc::new(Turns::default());
        let storages = self.truths.each_ref().map(|truth| {
            SimulatedStorage::new(truth.fork(), Arc::clone(&self.clock), 0)
                .interleaved(Arc::<Turns>::clone(&turns))
        });
        let ended = Ended::default();
        let machines = names.iter().zip(&self.repositories);
        let machines = machines.map(|(name, repositories)| Machine {
            name: (*name).to_owned(),
            clock: SkewedClock::new(&self.clock, SignedDuration::ZERO),
            repositories: repositories.clone(),
            storages: storages.clone(),
            faults: Faults::none(),
            ended: Arc::clone(&ended),
            signing: None,
            heads: Arc::default(),
        });
        Stage {
            clock: Arc::clone(&self.clock),
            machines: machines.collect(),
            expected: Arc::new(Mutex::new(self.expected.clone())),
            turns,
            storages,
            observers: self.repositories[MACHINES].clone(),
        }
    }

    /// What a stage has come to, as another beginning.
    pub fn at(&self, stage: &Stage) -> Self {
        let truth = |number: usize| stage.truth(number).fork();
        Self {
            clock: Arc::clone(&self.clock),
            truths: [truth(0), truth(1)],
            expected: stage.expected.lock().unwrap().clone(),
            repositories: self.repositories.clone(),
            trees: self.trees.clone(),
        }
    }

    pub fn clock(&self) -> &Arc<FakeClock> {
        &self.clock
    }
}

impl Stage {
    pub fn backup(&self, files: &Arc<Files>) -> Action {
        let number = self.expected.lock().unwrap().begin(files);
        Action::Backup {
            files: Arc::clone(files),
            number,
        }
    }

    /// An operation as a process with a name.
    fn job(&self, machine: usize, process: &str, repository: usize, action: Action) -> Job {
        Job {
            process: self.machines[machine].process(process),
            repository,
            action,
            expected: Arc::clone(&self.expected),
            honest: true,
            started: self.expected.lock().unwrap().moment(),
        }
    }

    /// The files of a repository as they are.
    pub fn truth(&self, repository: usize) -> &MemoryStorage {
        self.storages[repository].truth()
    }

    /// Carries out an operation while all others stand still.
    pub async fn run(&self, machine: usize, repository: usize, action: Action) -> Outcome {
        self.run_over(machine, repository, action, |storage| storage)
            .await
    }

    /// The same over another storage in place of the machine's, or around it.
    pub async fn run_over(
        &self,
        machine: usize,
        repository: usize,
        action: Action,
        wrap: impl FnOnce(Arc<dyn Storage>) -> Arc<dyn Storage>,
    ) -> Outcome {
        let name = format!("{machine} {action:?}");
        self.turns.give(&name, u32::MAX);
        let mut job = self.job(machine, &name, repository, action);
        let opened = &mut job.process.repositories[repository];
        *opened = opened.with_storage(wrap(Arc::clone(opened.storage())));
        let outcome = job.run().await;
        self.turns.end();
        outcome
    }

    /// An operation that must end well.
    pub async fn done(&self, machine: usize, repository: usize, action: Action) {
        let name = format!("{machine} {action:?}");
        let outcome = self.run(machine, repository, action).await;
        assert!(matches!(outcome, Outcome::Done), "{name}: {outcome:?}");
    }

    /// Begins an operation that goes on when it is told to.
    pub fn begin(&self, machine: usize, process: &str, repository: usize, action: Action) -> Begun {
        let job = self.job(machine, process, repository, action);
        Begun {
            process: job.process.clone(),
            turns: Arc::clone(&self.turns),
            task: tokio::task::spawn_local(async move { job.run().await }),
        }
    }

    /// Whether both repositories hold what they must, and a check agrees.
    pub async fn assert_whole(&self, when: &str) {
        for number in 0..REPOSITORIES {
            let truth = Arc::new(self.storages[number].truth().fork());
            let repository = self.observers[number].with_storage(truth);
            let expected = self.expected.lock().unwrap().clone();
            let wrong = read_all(&repository, number, &expected).await.unwrap();
            assert!(wrong.is_empty(), "{when}, repository {number}: {wrong:#?}");
            let locks = FakeHost::new("observer", 1).lock_options(&self.clock);
            let report = check(&repository, locks).await.unwrap();
            assert!(
                report.is_sound(),
                "{when}, repository {number}: {:#?}",
                report.errors
            );
        }
    }
}

/// A prune that leaves nothing unused.
pub fn prune_all() -> Action {
    Action::Prune(PruneOptions {
        max_unused: MaxUnused::Bytes(0),
        ..PruneOptions::default()
    })
}

/// An operation that was begun and makes its calls when it is told to. Every one waits after a call has been carried out.
pub struct Begun {
    process: Process,
    turns: Arc<Turns>,
    task: JoinHandle<Outcome>,
}

impl Begun {
    /// Makes so many calls and one more, whose answer it waits for. The outcome, if it ended before.
    pub async fn go(&mut self, calls: u32) -> Option<Outcome> {
        self.turns.give(&self.process.name, calls);
        let ended = tokio::select! {
            biased;
            outcome = &mut self.task => Some(outcome.unwrap()),
            () = self.turns.over() => None,
        };
        self.turns.end();
        ended
    }

    /// No further call is carried out.
    pub fn kill(&self) {
        self.process.kill();
    }

    /// Goes on to the end.
    pub async fn end(mut self) -> Outcome {
        let outcome = self.go(u32::MAX).await;
        outcome.expect("it makes fewer calls than that")
    }
}
