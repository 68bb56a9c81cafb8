//! The machines of a run, and the processes that work on them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strongroom_repository::Repository;
use strongroom_repository::format;
use strongroom_repository::lock::{Host, Identity, LockOptions};
use strongroom_repository::signature::{Link, Signer, SigningKey};
use strongroom_storage::{RetryPolicy, RetryStorage};
use strongroom_testkit::{Faults, SimulatedClient, SimulatedStorage, SkewedClock};

use crate::expected::REPOSITORIES;

/// The processes of all machines that have ended, by what makes them unique.
pub type Ended = Arc<Mutex<BTreeSet<String>>>;

/// A machine with its own clock and its own opened repositories.
#[derive(Clone)]
pub struct Machine {
    pub name: String,
    pub clock: Arc<SkewedClock>,
    pub repositories: [Repository; REPOSITORIES],
    pub storages: [SimulatedStorage; REPOSITORIES],
    pub faults: Faults,
    pub ended: Ended,
    /// Signs what its processes do.
    pub signing: Option<SigningKey>,
    /// The heads of the chains that it has seen.
    pub heads: Arc<Mutex<[Vec<Link>; REPOSITORIES]>>,
}

/// A process: what carries out one operation.
#[derive(Clone)]
pub struct Process {
    pub name: String,
    pub machine: Machine,
    pub repositories: [Repository; REPOSITORIES],
    clients: [SimulatedClient; REPOSITORIES],
    host: Arc<SimulatedHost>,
}

impl Machine {
    /// Starts a process with a name of its own.
    pub fn process(&self, name: &str) -> Process {
        let clients = self
            .storages
            .each_ref()
            .map(|storage| storage.client(name, &self.faults));
        let repository = |number: usize| {
            let client: Arc<SimulatedClient> = Arc::new(clients[number].clone());
            let policy = RetryPolicy {
                first_pause: Duration::ZERO,
                longest_pause: Duration::ZERO,
                ..RetryPolicy::default()
            };
            let storage = RetryStorage::new(client, policy).with_jitter(|_| Duration::ZERO);
            let repository = self.repositories[number].with_storage(Arc::new(storage));
            let Some(key) = &self.signing else {
                return repository;
            };
            let remembered = self.heads.lock().unwrap()[number].clone();
            let clock: Arc<SkewedClock> = Arc::clone(&self.clock);
            let signer = Signer::new(key.clone(), Vec::new(), remembered, clock);
            repository.with_signer(Arc::new(signer))
        };
        Process {
            name: name.to_owned(),
            machine: self.clone(),
            repositories: [repository(0), repository(1)],
            clients,
            host: Arc::new(SimulatedHost {
                machine: self.name.clone(),
                process: name.to_owned(),
                ended: Arc::clone(&self.ended),
            }),
        }
    }
}

impl Process {
    pub fn locks(&self) -> LockOptions {
        let host: Arc<SimulatedHost> = Arc::clone(&self.host);
        let clock: Arc<SkewedClock> = Arc::clone(&self.machine.clock);
        LockOptions {
            host,
            clock,
            retry_for: Duration::ZERO,
            disabled: false,
        }
    }

    /// The heads that its machine has seen.
    pub fn remembered(&self, repository: usize) -> Vec<Link> {
        self.machine.heads.lock().unwrap()[repository].clone()
    }

    /// Keeps what its signers have seen.
    pub fn remember(&self) {
        let mut heads = self.machine.heads.lock().unwrap();
        for (number, repository) in self.repositories.iter().enumerate() {
            let seen = repository.signer().map(Signer::heads).unwrap_or_default();
            if !seen.is_empty() {
                heads[number] = seen;
            }
        }
    }

    /// The process is killed: no call of it is carried out any more.
    pub fn kill(&self) {
        self.clients.iter().for_each(SimulatedClient::kill);
    }

    /// The process ends, and with it what its tasks may still have been about to do.
    pub fn end(&self) {
        self.kill();
        self.machine.ended.lock().unwrap().insert(self.name.clone());
    }
}

/// Every process is number 1 on its machine, as in containers; what tells them apart is the rest of the identity.
#[derive(Debug)]
struct SimulatedHost {
    machine: String,
    process: String,
    ended: Ended,
}

impl Host for SimulatedHost {
    fn identity(&self) -> Identity {
        Identity {
            hostname: self.machine.clone(),
            username: "tester".into(),
            uid: 0,
            gid: 0,
            pid: 1,
            process: self.process.clone(),
        }
    }

    fn is_dead(&self, lock: &format::Lock) -> bool {
        lock.hostname == self.machine && self.ended.lock().unwrap().contains(&lock.process)
    }
}
