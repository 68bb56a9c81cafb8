//! A repository, a clock and a machine that a test holds in its hand.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use strongroom_repository::Repository;
use strongroom_repository::clock::Clock;
use strongroom_repository::crypto::{KdfParams, KeyOwner};
use strongroom_repository::format::{self, RepositoryVersion, Time};
use strongroom_repository::lock::{Host, Identity, LockOptions};
use strongroom_repository::repository::{CreateOptions, OpenOptions, Settings};
use strongroom_storage::Storage;

/// The password of every repository made here.
pub const PASSWORD: &str = "correct horse";

/// Makes a repository whose key costs next to nothing to derive.
pub async fn new_repository(storage: Arc<dyn Storage>) -> Repository {
    let options = CreateOptions {
        version: RepositoryVersion::V2,
        kdf: KdfParams { n: 2, r: 1, p: 1 },
        owner: key_owner(),
        polynomial: None,
        settings: Settings::default(),
        threads: 2,
    };
    Repository::create(storage, &SecretString::from(PASSWORD), &options)
        .await
        .unwrap()
}

/// Opens what [`new_repository`] made, as another process would.
pub async fn open_repository(storage: Arc<dyn Storage>) -> Repository {
    let options = OpenOptions {
        threads: 2,
        ..OpenOptions::default()
    };
    Repository::open(storage, &SecretString::from(PASSWORD), &options)
        .await
        .unwrap()
}

/// An owner for keys.
pub fn key_owner() -> KeyOwner {
    KeyOwner {
        created: Time::utc(Timestamp::UNIX_EPOCH),
        username: "tester".into(),
        hostname: "testhost".into(),
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct FakeClock(Mutex<Timestamp>);

impl FakeClock {
    /// A clock that shows 2026-01-01.
    pub fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new("2026-01-01T00:00:00Z".parse().unwrap())))
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// A machine whose processes live and die as the test says.
#[derive(Debug, Default)]
pub struct FakeHost {
    name: String,
    dead: Arc<Mutex<HashSet<u32>>>,
    pid: u32,
}

impl FakeHost {
    /// A machine with one process.
    pub fn new(name: &str, pid: u32) -> Self {
        Self {
            name: name.into(),
            pid,
            ..Self::default()
        }
    }

    /// Another process on the same machine.
    pub fn process(&self, pid: u32) -> Self {
        Self {
            name: self.name.clone(),
            pid,
            dead: Arc::clone(&self.dead),
        }
    }

    /// This process dies, as far as the others can see.
    pub fn die(&self) {
        self.dead.lock().unwrap().insert(self.pid);
    }

    /// Options to lock with.
    pub fn lock_options(self, clock: &Arc<FakeClock>) -> LockOptions {
        LockOptions {
            host: Arc::new(self),
            clock: Arc::<FakeClock>::clone(clock),
            retry_for: Duration::ZERO,
            disabled: false,
        }
    }
}

impl Host for FakeHost {
    fn identity(&self) -> Identity {
        Identity {
            hostname: self.name.clone(),
            username: "tester".into(),
            uid: 1000,
            gid: 1000,
            pid: self.pid,
            process: format!("{}/{}", self.name, self.pid),
        }
    }

    fn is_dead(&self, lock: &format::Lock) -> bool {
        let pid = u32::try_from(lock.pid).unwrap();
        !lock.process.is_empty()
            && lock.hostname == self.name
            && self.dead.lock().unwrap().contains(&pid)
    }
}
