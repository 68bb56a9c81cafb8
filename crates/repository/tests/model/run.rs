//! One run: machines that begin operations and take turns, as a seed decides.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::SignedDuration;
use strongroom_repository::Repository;
use strongroom_repository::clock::Clock;
use strongroom_repository::repository::OpenOptions;
use strongroom_repository::signature::{SignatureAlgorithm, SigningKey};
use strongroom_storage::MemoryStorage;
use strongroom_testkit::engine::{FakeClock, FakeHost, PASSWORD, new_repository};
use strongroom_testkit::simulated_storage::Traced;
use strongroom_testkit::{Faults, Random, SimulatedStorage, SkewedClock};
use tokio::task::{JoinHandle, LocalSet};

use crate::actions::{Action, Job, Outcome};
use crate::chance::action;
use crate::expected::{Expected, REPOSITORIES};
use crate::machine::Machine;
use crate::mend::mend;
use crate::signing::verify;
use crate::tree::Files;
use crate::turns::Turns;
use crate::verify::{check, read_all};

/// What a run is like.
#[derive(Debug, Clone)]
pub struct Kind {
    pub faults: Faults,
    /// How far clocks are off, one a machine.
    pub skews: Vec<SignedDuration>,
    /// Whether clocks jump meanwhile.
    pub clocks_jump: bool,
    /// How many of the machines sign what they do, and take nothing that is not signed.
    pub signers: usize,
}

impl Kind {
    /// Three machines with right clocks, of which one signs.
    pub fn of(faults: Faults) -> Self {
        Self {
            faults,
            skews: vec![SignedDuration::ZERO; 3],
            clocks_jump: false,
            signers: 1,
        }
    }

    /// Whether the storage keeps its promises.
    pub fn is_honest(&self) -> bool {
        let Faults {
            torn,
            crash_tears,
            short,
            lost,
            flipped_write,
            flipped_read,
            rotten,
            stale_list,
            partial_list,
            ..
        } = self.faults;
        let rates = [
            torn,
            short,
            lost,
            flipped_write,
            flipped_read,
            rotten,
            stale_list,
            partial_list,
        ];
        !crash_tears && rates.iter().all(|rate| *rate == 0)
    }
}

/// A machine with what it works on.
struct Slot {
    machine: Machine,
    files: Files,
    running: Option<Running>,
}

struct Running {
    name: String,
    task: JoinHandle<Outcome>,
}

pub struct Run {
    kind: Kind,
    random: Random,
    clock: Arc<FakeClock>,
    turns: Arc<Turns>,
    storages: [SimulatedStorage; REPOSITORIES],
    observers: [Repository; REPOSITORIES],
    expected: Arc<Mutex<Expected>>,
    signing: SigningKey,
    slots: Vec<Slot>,
    begun: u64,
    trace: Vec<String>,
    /// Operations that ended well, for a look at whether the run was worth anything.
    pub done: u64,
}

/// Operations between two looks at everything.
const GROUP: u64 = 15;

/// A turn takes microseconds. One that never ends is a bug that shall be told and not waited for.
const HANGS: Duration = Duration::from_secs(60);

/// Opens with one worker, so that a process does one thing after the other.
pub async fn open(storage: MemoryStorage) -> Repository {
    let options = OpenOptions {
        threads: 1,
        ..OpenOptions::default()
    };
    Repository::open(Arc::new(storage), &PASSWORD.into(), &options)
        .await
        .unwrap()
}

impl Run {
    pub async fn new(seed: u64, kind: Kind) -> Self {
        let clock = FakeClock::new();
        let turns = Arc::new(Turns::default());
        let truths = [MemoryStorage::new(), MemoryStorage::new()];
        for truth in &truths {
            new_repository(Arc::new(truth.clone())).await;
        }
        let storage = |number: usize| {
            let seed = seed.wrapping_mul(2).wrapping_add(number as u64);
            SimulatedStorage::new(truths[number].clone(), Arc::clone(&clock), seed)
                .interleaved(Arc::<Turns>::clone(&turns))
        };
        let storages = [storage(0), storage(1)];
        let ended = crate::machine::Ended::default();
        let signing = SigningKey::generate(SignatureAlgorithm::Ed25519).unwrap();
        let mut slots = Vec::new();
        for (number, skew) in kind.skews.iter().enumerate() {
            let machine = Machine {
                name: format!("machine-{number}"),
                clock: SkewedClock::new(&clock, *skew),
                repositories: [open(truths[0].clone()).await, open(truths[1].clone()).await],
                storages: storages.clone(),
                faults: kind.faults.clone(),
                ended: Arc::clone(&ended),
                signing: (number < kind.signers).then(|| signing.clone()),
                heads: Arc::default(),
            };
            slots.push(Slot {
                machine,
                files: Files::new(),
                running: None,
            });
        }
        let observers = [open(truths[0].clone()).await, open(truths[1].clone()).await];
        Self {
            kind,
            random: Random::new(seed),
            clock,
            turns,
            storages,
            observers,
            expected: Arc::default(),
            signing,
            slots,
            begun: 0,
            trace: Vec::new(),
            done: 0,
        }
    }

    /// Begins so many operations; at the end of each group all of them end, and everything is looked at.
    pub async fn go(&mut self, steps: u64) -> Result<(), String> {
        while self.begun < steps {
            let slot = self.random.below(self.slots.len() as u64) as usize;
            let calls = match self.random.below(4) {
                0 => 1000,
                _ => 1 + self.random.below(10) as u32,
            };
            match &self.slots[slot].running {
                None => self.begin(slot, calls).await?,
                Some(running) if self.turns.is_asleep(&running.name) => {
                    if self.random.below(12) == 0 {
                        self.turn(slot, calls).await?;
                    }
                }
                Some(_) => self.turn(slot, calls).await?,
            }
            if self.begun % GROUP == GROUP - 1 && !self.settle().await? {
                return Ok(());
            }
        }
        self.settle().await.map(drop)
    }

    /// Lets everything end that has begun, and looks. Whether it goes on.
    async fn settle(&mut self) -> Result<bool, String> {
        while self.slots.iter().any(|slot| slot.running.is_some()) {
            let slot = self.random.below(self.slots.len() as u64) as usize;
            if self.slots[slot].running.is_some() {
                self.turn(slot, 20).await?;
            }
        }
        let goes_on = self.look().await?;
        // Old locks become stale, days pass for retention.
        self.clock
            .pass(Duration::from_secs(60 * self.random.below(600)));
        Ok(goes_on)
    }

    async fn begin(&mut self, slot: usize, calls: u32) -> Result<(), String> {
        self.begun += 1;
        if self.kind.clocks_jump && self.random.below(4) == 0 {
            let days = self.random.below(731) as i64 - 365;
            let skew = SignedDuration::from_hours(24 * days);
            self.slots[slot].machine.clock.jump(skew);
        }
        let repository = usize::from(self.random.below(4) == 0);
        let Slot { files, .. } = &mut self.slots[slot];
        let action = action(&mut self.random, files, &self.expected, self.begun);
        let machine = &self.slots[slot].machine;
        let name = format!("{}/{}", machine.name, self.begun);
        let at = machine.clock.now();
        self.trace.push(format!(
            "{name} at {at} in {repository}: {}",
            named(&action)
        ));
        let job = Job {
            process: machine.process(&name),
            repository,
            action,
            expected: Arc::clone(&self.expected),
            honest: self.kind.is_honest(),
            started: self.expected.lock().unwrap().moment(),
        };
        self.turns.give(&name, calls);
        let task = tokio::task::spawn_local(async move { job.run().await });
        self.slots[slot].running = Some(Running { name, task });
        self.wait(slot).await
    }

    async fn turn(&mut self, slot: usize, calls: u32) -> Result<(), String> {
        let running = self.slots[slot].running.as_ref().unwrap();
        self.turns.give(&running.name, calls);
        self.wait(slot).await
    }

    /// Until the turn is over or the operation has ended.
    async fn wait(&mut self, slot: usize) -> Result<(), String> {
        let running = self.slots[slot].running.as_mut().unwrap();
        let outcome = tokio::select! {
            biased;
            outcome = &mut running.task => outcome,
            () = self.turns.over() => return Ok(()),
            () = tokio::time::sleep(HANGS) => {
                return Err(format!("{} makes no call and does not end", running.name));
            }
        };
        self.turns.end();
        let name = self.slots[slot].running.take().unwrap().name;
        let outcome = outcome.map_err(|error| format!("{name} panicked: {error}"))?;
        match outcome {
            Outcome::Done => {
                self.done += 1;
                self.trace.push(format!("{name}: done"));
            }
            Outcome::Failed(error) => {
                self.trace
                    .push(format!("{name}: {:?}: {error}", error.kind()));
            }
            Outcome::Wrong(what) => return Err(format!("{name}: {what}")),
        }
        Ok(())
    }

    /// Whether every repository holds what it must. Where the storage lies it may not, but a check has to say so, and then
    /// there is nothing more to try.
    async fn look(&mut self) -> Result<bool, String> {
        for number in 0..REPOSITORIES {
            let truth = Arc::new(self.storages[number].truth().fork());
            let repository = self.observers[number].with_storage(truth);
            let locks = FakeHost::new("observer", 1).lock_options(&self.clock);
            // Every operation has ended: nothing changes it meanwhile.
            let expected = self.expected.lock().unwrap().clone();
            let read = read_all(&repository, number, &expected).await;
            let checked = check(&repository, locks).await;
            let is_honest = self.kind.is_honest();
            let is_reported = !matches!(&checked, Ok(report) if report.is_sound());
            match read {
                Ok(wrong) if wrong.is_empty() => {}
                Ok(wrong) if is_honest || !is_reported => {
                    return Err(format!(
                        "repository {number}: {wrong:#?}, and a check says {:?}",
                        checked.map(|report| report.errors)
                    ));
                }
                Err(error) if is_honest => return Err(format!("repository {number}: {error}")),
                Ok(_) | Err(_) => {
                    let mended = mend(&self.storages[number], &repository, number, &expected);
                    let what = |what| format!("repository {number}: {what}");
                    return mended.await.map(|()| false).map_err(what);
                }
            }
            if is_honest && is_reported {
                return Err(format!("repository {number}: a check says {checked:#?}"));
            }
            if is_honest {
                self.look_at_signatures(&repository, number, &expected)
                    .await?;
            }
        }
        Ok(true)
    }

    /// Whether what machines signed is accepted, and nobody is called a thief who has a key.
    async fn look_at_signatures(
        &self,
        repository: &Repository,
        number: usize,
        expected: &Expected,
    ) -> Result<(), String> {
        let machines = self.slots.iter().map(|slot| &slot.machine);
        let remembered: Vec<_> = machines
            .flat_map(|machine| machine.heads.lock().unwrap()[number].clone())
            .collect();
        let report = verify(repository, &self.signing, &remembered).await;
        let report = report.map_err(|error| format!("repository {number}: {error}"))?;
        let all_sign = self.kind.signers == self.slots.len();
        match expected.signatures(number, &report, all_sign) {
            None => Ok(()),
            Some(what) => Err(format!("repository {number}: {what}")),
        }
    }

    /// The calls to both repositories since the last look.
    pub fn calls(&self) -> [Vec<Traced>; REPOSITORIES] {
        self.storages.each_ref().map(SimulatedStorage::take_trace)
    }

    /// All that happened, the calls of the last processes too.
    pub fn trace(&self) -> String {
        let mut lines = self.trace.clone();
        for (number, calls) in self.calls().into_iter().enumerate() {
            let from = calls.len().saturating_sub(400);
            lines.push(format!("the last calls to repository {number}:"));
            let calls = calls[from..].iter();
            lines.extend(calls.map(|traced| format!("    {} {}", traced.client, traced.call)));
        }
        lines.join("\n")
    }
}

fn named(action: &Action) -> String {
    match action {
        Action::Backup { number, .. } => format!("backup {number}"),
        action => format!("{action:?}"),
    }
}

/// Runs something on one thread alone.
pub fn alone<T>(what: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, what)
}
