//! Crash points: an operation is stopped at each of its changes to the storage, in every way that a stop can look, and
//! the repository is judged each time.
//!
//! Only writes and deletes are points. A stop after a call that changes nothing leaves what the change before it left.
//!
//! What must hold at every point, whatever the operation:
//! - A password opens the repository, and every snapshot that the operation does not remove is there and whole to its
//!   last blob. One that it changes is there in its old form or in its new one.
//! - No snapshot is there that is not whole, but where the storage lost a write and called it done.
//! - A check finds no error but in the file that was torn, and that it finds.
//! - The operation run again by another process goes to its end, and gives what an undisturbed one gives. Where a torn
//!   file stands in its way it says so, and goes on once that file is gone.
//! - Where it is signed, every snapshot that was reported is one that a restore takes which demands signatures, and
//!   nothing looks like tampering; the next run that signs goes on with the chain.
//! - The real restic agrees, on a sample.

mod end;
mod judge;
mod signed;
mod survey;

use std::collections::BTreeSet;
use std::sync::Arc;

use strongroom_repository::lock::LockOptions;
use strongroom_repository::signature::{Link, SigningKey};
use strongroom_repository::{Error, ErrorKind, Result};
use strongroom_storage::{MemoryStorage, Operation, Storage, StoragePath};

pub use end::End;
use end::Ending;
use judge::Judge;
use survey::Survey;

use crate::engine::{FakeClock, FakeHost, PASSWORD};
use crate::{Random, RecordingStorage, Restic, on_disk};

/// What an operation is given: as one process it sees the storage, and it locks as one.
#[derive(Debug)]
pub struct Attempt {
    /// The repository's files; calls fail when the process is to be dead.
    pub storage: Arc<dyn Storage>,
    /// Who the process is.
    pub locks: LockOptions,
}

/// An operation that is to be stopped everywhere.
#[derive(Debug)]
pub struct CrashPoints<'a> {
    /// What it is, for messages.
    pub name: &'a str,
    /// The files before it.
    pub start: MemoryStorage,
    /// One of them opens the repository at every moment.
    pub passwords: &'a [&'a str],
    /// Changes at which each end is tried, at most: beyond it a sample that always has the first and the last ones.
    pub changes_max: usize,
    /// How many bytes of packs the next run may store beyond those that are missing; `None` if it need not go on from
    /// where the other stopped.
    pub sent_again_max_bytes: Option<u64>,
    /// Whether it leaves no waste behind, its own or that of the one that was stopped.
    pub tidies: bool,
    /// Signs what the operation does, and has signed what is there before it.
    pub signing: Option<SigningKey>,
}

/// At one point in so many the real restic checks the repository: it takes longer than all the rest.
const RESTIC_EVERY: usize = 40;

/// How many points were judged, for a test to see that it did something.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tried {
    /// Changes that the undisturbed operation makes.
    pub changes: usize,
    /// Points that were judged.
    pub points: usize,
    /// Points at which the real restic was asked, too.
    pub asked_restic: usize,
}

/// An undisturbed run.
struct Finished {
    survey: Survey,
    changes: usize,
    pack_bytes: u64,
}

impl<'a> CrashPoints<'a> {
    /// An operation on a repository with [`PASSWORD`].
    pub fn new(name: &'a str, start: &MemoryStorage) -> Self {
        Self {
            name,
            start: start.clone(),
            passwords: &[PASSWORD],
            changes_max: 30,
            sent_again_max_bytes: None,
            tidies: false,
            signing: None,
        }
    }

    /// Stops the operation everywhere and judges what is left. Prints the seed.
    #[allow(clippy::print_stdout)]
    pub async fn run(&self, operation: impl AsyncFn(Attempt) -> Result<()>) -> Tried {
        let seed = Random::fresh_seed();
        println!("{}: SEED={seed}", self.name);
        let mut random = Random::new(seed);
        let before = self.survey(&self.start, &[]).await;
        let finished = self.undisturbed(&operation).await;
        let mut tried = Tried {
            changes: finished.changes,
            ..Tried::default()
        };
        for end in End::ALL {
            for change in self.sample(finished.changes, &mut random) {
                let ending = Ending::new(end, change, finished.changes, &mut random);
                let left = self.point(&operation, &ending, &before, &finished).await;
                tried.points += 1;
                if let Some((left, password)) = left
                    && tried.points % RESTIC_EVERY == 1
                {
                    ask_restic(&left, &password).await;
                    tried.asked_restic += 1;
                }
            }
        }
        println!("{}: {tried:?}", self.name);
        tried
    }

    async fn undisturbed(&self, operation: &impl AsyncFn(Attempt) -> Result<()>) -> Finished {
        let storage = self.start.fork();
        let packs_before = pack_bytes(&storage).await;
        let recording = RecordingStorage::new(Arc::new(storage.clone()));
        let done = operation(attempt(Arc::new(recording.clone()), process(1))).await;
        done.unwrap_or_else(|error| panic!("{} undisturbed: {error}", self.name));
        let changes =
            recording.count(Operation::Write, "") + recording.count(Operation::Delete, "");
        assert!(changes > 0, "{}: nothing to stop", self.name);
        let survey = self.survey(&storage, &[]).await;
        survey.assert_sound(&format!("{} undisturbed", self.name));
        Finished {
            survey,
            changes,
            pack_bytes: pack_bytes(&storage).await.saturating_sub(packs_before),
        }
    }

    /// What is there, as somebody finds it who has seen these heads of the chain before.
    async fn survey(&self, storage: &MemoryStorage, remembered: &[Link]) -> Survey {
        let mut survey = Survey::take(storage, self.passwords).await;
        if let Some(key) = &self.signing {
            let (repository, _) = survey::open(storage, self.passwords).await.unwrap();
            survey.signatures = Some(signed::verify(&repository, key, remembered).await);
        }
        survey
    }

    /// The first and last changes and some between.
    fn sample(&self, changes: usize, random: &mut Random) -> BTreeSet<usize> {
        if changes <= self.changes_max {
            return (0..changes).collect();
        }
        let edge = self.changes_max / 3;
        let mut sample: BTreeSet<usize> = (0..edge).chain(changes - edge..changes).collect();
        while sample.len() < self.changes_max {
            sample.insert(random.below(changes as u64) as usize);
        }
        sample
    }

    /// Stops the operation once, judges, runs it again, judges again. What is left and the password to it, if it is
    /// free of errors.
    async fn point(
        &self,
        operation: &impl AsyncFn(Attempt) -> Result<()>,
        ending: &Ending,
        before: &Survey,
        finished: &Finished,
    ) -> Option<(MemoryStorage, String)> {
        let left = self.start.fork();
        let packs_before = pack_bytes(&left).await;
        let first = process(1);
        let (storage, hit) = ending.storage(Arc::new(left.clone()));
        let result = operation(attempt(storage, first.process(1))).await;
        first.die();
        let hit = hit.path();
        let at = hit.as_ref().map_or("", StoragePath::as_str);
        let judge = Judge {
            before,
            after: &finished.survey,
            passwords: self.passwords,
            tidies: self.tidies,
            when: format!("{}: {ending} {at}", self.name),
        };
        let when = &judge.when;
        let mut heads = before.heads();
        let survey = self.survey(&left, &heads).await;
        judge.stopped(&survey, ending.end, hit.as_ref());
        let reported = result.is_ok();
        judge.signatures(&survey, ending.end, hit.as_ref(), reported, false);
        heads.extend(survey.heads());
        let stored = pack_bytes(&left).await.saturating_sub(packs_before);

        let recording = RecordingStorage::new(Arc::new(left.clone()));
        let again = attempt(Arc::new(recording.clone()), first.process(2));
        let mut refused = None;
        match operation(again).await {
            Ok(()) => {}
            Err(error) if may_be_in_the_way(ending.end, hit.as_ref(), &error) => {
                // What a person does, or a repair, once told of a file that cannot be read.
                let path = hit.as_ref().unwrap_or_else(|| panic!("{when}: {error}"));
                let name = path.file_name();
                let told = error.to_string();
                assert!(
                    told.contains(&name[..name.len().min(8)]) || path.as_str() == "config",
                    "{when}: the error does not name {path}: {told}"
                );
                left.delete(path).await.unwrap();
                let third = attempt(Arc::new(left.clone()), first.process(3));
                let done = operation(third).await;
                done.unwrap_or_else(|error| panic!("{when}: without {path}: {error}"));
            }
            Err(error) if ending.end.is_lie() => refused = Some(error),
            Err(error) => panic!("{when}: the next run: {error}"),
        }
        if let Some(slack) = self.sent_again_max_bytes
            && ending.end.leaves_what_was_stored(hit.as_ref())
            && result.is_err()
        {
            let sent = recording.bytes(Operation::Write, "data");
            let missing = finished.pack_bytes.saturating_sub(stored);
            assert!(
                sent <= missing + slack,
                "{when}: {stored} bytes of packs were stored, {missing} missing, and yet {sent} sent"
            );
        }
        let survey = self.survey(&left, &heads).await;
        judge.finished(&survey, ending.end, hit.as_ref(), refused);
        judge.signatures(&survey, ending.end, hit.as_ref(), reported, true);
        if let Some(key) = &self.signing {
            judge.chain_goes_on(&left.fork(), key, &survey).await;
        }
        let password = survey.password.clone().filter(|_| survey.is_sound());
        password.map(|password| (left, password))
    }
}

/// Whether the error may come from a file that cannot be read: a torn one, or a config that was cut short. (What else a
/// storage has cut short and called done takes more than the removal of that file.)
fn may_be_in_the_way(end: End, hit: Option<&StoragePath>, error: &Error) -> bool {
    let is_short_config = end == End::Short && hit.is_some_and(|path| path.as_str() == "config");
    let kinds = [
        ErrorKind::Damaged,
        ErrorKind::Locked,
        ErrorKind::RepositoryExists,
        ErrorKind::Refused,
        ErrorKind::Signature,
    ];
    (end == End::Torn || is_short_config) && kinds.contains(&error.kind())
}

fn process(pid: u32) -> FakeHost {
    FakeHost::new("testhost", pid)
}

fn attempt(storage: Arc<dyn Storage>, host: FakeHost) -> Attempt {
    Attempt {
        storage,
        locks: host.lock_options(&FakeClock::new()),
    }
}

async fn ask_restic(storage: &MemoryStorage, password: &str) {
    let (dir, _) = on_disk(storage).await;
    let restic = Restic::new(dir.path().join("repository"), password);
    restic.run(["unlock", "--remove-all"]).ok();
    restic.check_read_data();
}

async fn pack_bytes(storage: &dyn Storage) -> u64 {
    let files = storage.list(None).await.unwrap_or_default();
    let packs = files
        .iter()
        .filter(|file| file.path.as_str().starts_with("data/"));
    packs.map(|file| file.size_bytes).sum()
}
