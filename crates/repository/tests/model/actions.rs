//! What a process does: one operation, as a command carries it out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::tz::TimeZone;
use strongroom_repository::backup::{BackupOptions, Source};
use strongroom_repository::clock::Clock;
use strongroom_repository::crypto::KdfParams;
use strongroom_repository::forget::{
    AgeBy, Calendar, Count, ForgetOptions, ForgetPlan, Policy, plan_forget, plan_forget_named,
};
use strongroom_repository::format::{Id, Time};
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::pin::Pin;
use strongroom_repository::progress::{Progress, Silent};
use strongroom_repository::prune::PruneOptions;
use strongroom_repository::repository::SnapshotFile;
use strongroom_repository::snapshots::{GroupBy, SnapshotFilter};
use strongroom_repository::trash::plan_undelete;
use strongroom_repository::{ErrorKind, Repository, Result};
use strongroom_testkit::engine::key_owner;
use strongroom_testkit::engine_backup::backup_options;
use tokio_util::sync::CancellationToken;

use crate::expected::{Expected, Moment, Number, number_of, program_version};
use crate::machine::Process;
use crate::tree::{Files, TreeSource};

/// An operation with all that is chosen about it. Numbers that pick something count round what there is.
#[derive(Debug, Clone)]
pub enum Action {
    Backup {
        files: Arc<Files>,
        number: Number,
    },
    ForgetPolicy {
        last: u32,
    },
    ForgetNamed {
        pick: usize,
    },
    /// As `ForgetNamed`, but it can be brought back for two days.
    Trash {
        pick: usize,
    },
    Undelete {
        pick: usize,
    },
    Prune(PruneOptions),
    /// From the other repository.
    Copy {
        pick: usize,
    },
    Check,
    Restore {
        pick: usize,
    },
    Tag {
        pick: usize,
        tag: String,
    },
    /// For so many days, or for good.
    Pin {
        pick: usize,
        days: Option<u64>,
    },
    Unpin {
        pick: usize,
    },
    /// Leaves out what has this name.
    Rewrite {
        pick: usize,
        without: String,
        forget: bool,
    },
    RepairIndex,
    RepairPacks,
    RepairSnapshots,
    Parity {
        exclusive: bool,
    },
    /// One statement in place of many, where this machine signs.
    Compact,
    Unlock,
    AddKey,
    RemoveKey {
        pick: usize,
    },
}

/// How an operation ended.
#[derive(Debug)]
pub enum Outcome {
    Done,
    Failed(strongroom_repository::Error),
    /// It did what must not be.
    Wrong(String),
}

/// An operation on its way.
pub struct Job {
    pub process: Process,
    pub repository: usize,
    pub action: Action,
    pub expected: Arc<Mutex<Expected>>,
    /// Whether the storage keeps its promises, so that nothing may ever be found damaged.
    pub honest: bool,
    pub started: Moment,
}

impl Job {
    pub async fn run(&self) -> Outcome {
        let wrong = Mutex::new(None);
        let access = match self.action {
            Action::Backup { .. }
            | Action::Copy { .. }
            | Action::AddKey
            | Action::Rewrite { forget: false, .. }
            | Action::Parity { exclusive: false }
            | Action::Undelete { .. } => Some(Access::Append),
            Action::Check | Action::Restore { .. } => Some(Access::Read),
            Action::Unlock => None,
            _ => Some(Access::Exclusive),
        };
        let result = match access {
            None => self.unlock().await,
            Some(access) => self.locked(access, &wrong).await,
        };
        self.process.end();
        match (wrong.into_inner().unwrap(), result) {
            (Some(wrong), _) => Outcome::Wrong(wrong),
            (None, Ok(())) => Outcome::Done,
            (None, Err(error)) => Outcome::Failed(error),
        }
    }

    pub fn repository(&self) -> &Repository {
        &self.process.repositories[self.repository]
    }

    async fn unlock(&self) -> Result<()> {
        let locks = self.process.locks();
        self.repository().unlock(&locks, false).await.map(drop)
    }

    async fn locked(&self, access: Access, wrong: &Mutex<Option<String>>) -> Result<()> {
        let cancel = CancellationToken::new();
        let locks = self.process.locks();
        let lock = self.repository().lock(access, &locks, &cancel).await?;
        let result = self.act(&lock, wrong).await;
        self.process.remember();
        if let Err(error) = &result {
            let is_bad = matches!(error.kind(), ErrorKind::Damaged | ErrorKind::Internal);
            // Who reads without a lock, or has lost it, may find anything.
            if self.honest && is_bad && lock.is_held() && lock.verify().await.is_ok() {
                *wrong.lock().unwrap() = Some(format!("on a storage without faults: {error}"));
            }
        }
        let _ = lock.release().await;
        result
    }

    async fn act(&self, lock: &Lock, wrong: &Mutex<Option<String>>) -> Result<()> {
        let found = match &self.action {
            Action::Backup { files, number } => {
                return self.backup(lock, files, *number).await;
            }
            Action::Prune(options) => return self.prune(lock, options).await,
            Action::Copy { pick } => return self.copy(lock, *pick).await,
            Action::Tag { pick, tag } => return self.tag(lock, *pick, tag).await,
            Action::AddKey => return self.add_key().await,
            Action::RemoveKey { pick } => return self.remove_key(*pick).await,
            Action::Unlock => return Ok(()),
            Action::Pin { pick, days } => return self.pin(lock, *pick, *days).await,
            Action::Unpin { pick } => return self.unpin(lock, *pick).await,
            Action::Rewrite {
                pick,
                without,
                forget,
            } => return self.rewrite(lock, *pick, without, *forget).await,
            Action::Compact => return self.compact(lock).await,
            Action::RepairIndex => self.repair_index(lock).await?,
            Action::RepairPacks => self.repair_packs(lock).await?,
            Action::RepairSnapshots => self.repair_snapshots(lock).await?,
            Action::Parity { exclusive } => self.parity(lock, *exclusive).await?,
            Action::ForgetPolicy { last } => self.forget_policy(lock, *last).await?,
            Action::ForgetNamed { pick } => self.forget_named(lock, *pick, false).await?,
            Action::Trash { pick } => self.forget_named(lock, *pick, true).await?,
            Action::Undelete { pick } => self.undelete(lock, *pick).await?,
            Action::Check => self.check().await?,
            Action::Restore { pick } => self.restore(*pick).await?,
        };
        *wrong.lock().unwrap() = found;
        Ok(())
    }

    async fn backup(&self, lock: &Lock, files: &Arc<Files>, number: Number) -> Result<()> {
        let repository = self.repository();
        let index = Arc::new(repository.load_index_to_write(lock, &Silent).await?);
        let machine = &self.process.machine;
        let snapshots = repository.load_snapshots(&Silent).await?;
        let parent = snapshots.iter().rev();
        let parent = parent
            .filter(|file| file.snapshot.hostname == machine.name)
            .map(|file| file.id)
            .next();
        let source = TreeSource(Arc::clone(files));
        let options = BackupOptions {
            time: Time::utc(machine.clock.now()),
            hostname: machine.name.clone(),
            program_version: program_version(number),
            parent,
            ..backup_options(&source)
        };
        let progress: Arc<dyn Progress> = Arc::new(Silent);
        let cancel = CancellationToken::new();
        let report = repository
            .backup(&index, source.root(), options, lock, &progress, &cancel)
            .await?;
        self.stored(self.repository, number);
        self.signed(report.snapshot_id);
        Ok(())
    }

    /// Called with nothing to wait for in between: whoever removes it did so before, or will do so after.
    pub fn stored(&self, repository: usize, number: Number) {
        let mut expected = self.expected.lock().unwrap();
        expected.stored(repository, number, self.started);
    }

    async fn forget_policy(&self, lock: &Lock, last: u32) -> Result<Option<String>> {
        let options = ForgetOptions {
            filter: SnapshotFilter::default(),
            group_by: GroupBy {
                host: true,
                ..GroupBy::NOTHING
            },
            policy: Policy {
                last: Count::AtMost(last),
                daily: Count::AtMost(2),
                ..Policy::default()
            },
            calendar: Calendar::Zone(TimeZone::UTC),
            age_by: AgeBy::default(),
            now: self.process.machine.clock.now(),
            allow_remove_all: false,
        };
        let plan = plan_forget(self.repository(), &options, &Silent).await?;
        self.forget(lock, plan).await
    }

    async fn forget_named(
        &self,
        lock: &Lock,
        pick: usize,
        into_trash: bool,
    ) -> Result<Option<String>> {
        let repository = self.repository();
        let snapshots = repository.load_snapshots(&Silent).await?;
        let Some(file) = picked(&snapshots, pick) else {
            return Ok(None);
        };
        let now = self.process.machine.clock.now();
        let plan = plan_forget_named(vec![file.clone()]);
        let mut plan = plan.end_pins(repository, now, &Silent).await?;
        if into_trash {
            let keep_for = "2d".parse().unwrap();
            plan = plan.into_trash(repository, keep_for, now, &Silent).await?;
        }
        self.forget(lock, plan).await
    }

    /// What is in the trash is whole until it is due.
    async fn undelete(&self, lock: &Lock, pick: usize) -> Result<Option<String>> {
        let (repository, cancel) = (self.repository(), CancellationToken::new());
        let (entries, _) = repository.load_trash(&Silent).await?;
        let Some(entry) = picked(&entries, pick).cloned() else {
            return Ok(None);
        };
        let number = number_of(&entry.snapshot).expect("all snapshots are of the model");
        self.touch([entry.record.snapshot]);
        let plan = plan_undelete(repository, vec![entry], &Silent, &cancel).await?;
        let report = plan.execute(repository, lock, &cancel).await?;
        if !report.restored.is_empty() {
            self.stored(self.repository, number);
            self.signed(report.restored.iter().copied());
        }
        let lacks = self.honest && !report.left.is_empty();
        Ok(lacks.then(|| format!("backup {number} is in the trash and lacks something")))
    }

    async fn forget(&self, lock: &Lock, plan: ForgetPlan) -> Result<Option<String>> {
        let is_pinned = |file: &&SnapshotFile| {
            let pin = Pin::of(&file.snapshot.tags);
            pin.is_some_and(|pin| pin.until.is_none())
        };
        let pinned = plan.remove().find(is_pinned);
        let wrong = pinned.map(|file| format!("{:?} is pinned and is to go", file.snapshot));
        for number in plan.remove().filter_map(|file| number_of(&file.snapshot)) {
            self.expected.lock().unwrap().doom(self.repository, number);
        }
        self.touch(plan.remove().map(|file| file.id));
        let cancel = CancellationToken::new();
        plan.execute(self.repository(), lock, &Silent, &cancel)
            .await?;
        Ok(wrong)
    }

    async fn prune(&self, lock: &Lock, options: &PruneOptions) -> Result<()> {
        let (repository, cancel) = (self.repository(), CancellationToken::new());
        let options = PruneOptions {
            now: self.process.machine.clock.now(),
            ..options.clone()
        };
        let plan = repository.plan_prune(&options, &Silent, &cancel).await?;
        repository
            .prune(plan, lock, &Silent, &cancel)
            .await
            .map(drop)
    }

    async fn copy(&self, lock: &Lock, pick: usize) -> Result<()> {
        let cancel = CancellationToken::new();
        let source = &self.process.repositories[1 - self.repository];
        let source_lock = source
            .lock(Access::Read, &self.process.locks(), &cancel)
            .await?;
        let result = self.copy_from(source, lock, pick).await;
        let _ = source_lock.release().await;
        let is_damaged = |error: &strongroom_repository::Error| error.kind() == ErrorKind::Damaged;
        match result {
            // A source that is read without a lock may lose anything meanwhile.
            Err(error) if is_damaged(&error) && self.honest => Ok(()),
            result => result,
        }
    }

    async fn copy_from(&self, source: &Repository, lock: &Lock, pick: usize) -> Result<()> {
        let (repository, cancel) = (self.repository(), CancellationToken::new());
        let snapshots = source.load_snapshots(&Silent).await?;
        let from = pick % (snapshots.len() + 1);
        let chosen: Vec<SnapshotFile> = snapshots.into_iter().skip(from).take(3).collect();
        let numbers: BTreeMap<Id, Number> = chosen
            .iter()
            .filter_map(|file| Some((file.id, number_of(&file.snapshot)?)))
            .collect();
        let plan = repository
            .plan_copy(source, chosen, &Silent, &cancel)
            .await?;
        let report = repository
            .copy(source, plan, lock, &Silent, &cancel)
            .await?;
        for copied in report.snapshots {
            self.stored(self.repository, numbers[&copied.source]);
            self.signed([copied.destination]);
        }
        Ok(())
    }

    async fn add_key(&self) -> Result<()> {
        let kdf = KdfParams { n: 2, r: 1, p: 1 };
        let password = "another password".into();
        let owner = key_owner();
        let added = self.repository().add_key(&password, kdf, &owner).await;
        added.map(drop)
    }

    async fn remove_key(&self, pick: usize) -> Result<()> {
        let keys = self.repository().list_keys().await?;
        let others: Vec<_> = keys.iter().filter(|key| !key.current).collect();
        match picked(&others, pick) {
            Some(key) => {
                let removed = self.repository().remove_key(&key.id.to_hex()).await;
                removed.map(drop)
            }
            None => Ok(()),
        }
    }
}

pub fn picked<T>(all: &[T], pick: usize) -> Option<&T> {
    all.get(pick.checked_rem(all.len())?)
}
