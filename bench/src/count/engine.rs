//! Allocations, and calls to the storage, of the engine's operations on small trees.
//!
//! What an operation costs once (a runtime, contexts of zstd, buffers that go round) is no matter. So each is run over a tree and over one
//! that is larger, and the difference is divided by what the larger one has more.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use secrecy::SecretString;
use strongroom_repository::Repository;
use strongroom_repository::check::{CheckOptions, ReadData};
use strongroom_repository::crypto::KdfParams;
use strongroom_repository::format::RepositoryVersion;
use strongroom_repository::lock::Access;
use strongroom_repository::progress::Silent;
use strongroom_repository::prune::{MaxUnused, PruneOptions};
use strongroom_repository::repository::{CreateOptions, Settings};
use strongroom_storage::{LocalStorage, Operation};
use strongroom_testkit::engine::{FakeClock, FakeHost, PASSWORD, key_owner};
use strongroom_testkit::engine_backup::{backup, try_restore};
use strongroom_testkit::{Call, RecordingStorage};
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;

use super::{Figure, Tolerance};
use crate::corpus::text::Vocabulary;
use crate::corpus::{large_files, small_files};
use crate::micro::input;

const SEED: u64 = 1;

/// Small files of the smaller and of the larger tree.
const FILES: [u64; 2] = [1000, 4000];

/// MiB of the one large file of the smaller and of the larger tree.
const MIB: [u64; 2] = [32, 128];

/// What the scheduler decides (how blobs are spread over packs, when a buffer grows) moves allocations a little from run to run.
const ALLOCATIONS: Tolerance = Tolerance {
    part: 0.05,
    least: 0.1,
};

/// A pack more or less.
const CALLS: Tolerance = Tolerance {
    part: 0.03,
    least: 2.5,
};

/// What lies between the ends of packs, and nonces that compress no better.
const BYTES: Tolerance = Tolerance {
    part: 0.02,
    least: 0.0,
};

/// What an operation did.
struct Done {
    operation: &'static str,
    allocations: u64,
    calls: Vec<Call>,
}

/// Counts.
pub fn count(work: &Path, allocations: fn() -> u64) -> Result<Vec<Figure>> {
    let words = Vocabulary::new(SEED);
    let small = |name: &str, files: u64| -> Result<Vec<Done>> {
        let (tree, half) = (work.join(name), work.join(format!("{name}-half")));
        small_files::write_all(&tree, SEED, &words, 0..files)?;
        small_files::write_all(&half, SEED, &words, (0..files).step_by(2))?;
        run(
            &work.join(format!("{name}-repository")),
            &tree,
            Some(&half),
            allocations,
        )
    };
    let large = |name: &str, mib: u64| -> Result<Vec<Done>> {
        let tree = work.join(name);
        fs::create_dir_all(&tree)?;
        large_files::write_random(&tree.join("large"), SEED, 0, mib << 20)?;
        run(
            &work.join(format!("{name}-repository")),
            &tree,
            None,
            allocations,
        )
    };
    let small = [small("small-0", FILES[0])?, small("small-1", FILES[1])?];
    let large = [large("large-0", MIB[0])?, large("large-1", MIB[1])?];
    let mut figures = each("small file", FILES, &small);
    figures.extend(each("MiB of a large file", MIB, &large));
    for done in &small[1] {
        figures.extend(calls(&format!("{} small files", FILES[1]), done));
    }
    for done in &large[1] {
        figures.extend(calls(&format!("{} MiB in one file", MIB[1]), done));
    }
    Ok(figures)
}

/// Allocations for each of what the larger tree has more.
fn each(of: &str, amounts: [u64; 2], [fewer, more]: &[Vec<Done>; 2]) -> Vec<Figure> {
    let pairs = fewer.iter().zip(more);
    pairs
        .map(|(fewer, more)| Figure {
            name: format!("allocations: {}, each {of}", fewer.operation),
            value: (more.allocations as f64 - fewer.allocations as f64)
                / (amounts[1] - amounts[0]) as f64,
            tolerance: ALLOCATIONS,
        })
        .collect()
}

/// Calls of each kind that was called at all, and the bytes that went.
fn calls(of: &str, done: &Done) -> Vec<Figure> {
    let mut figures = Vec::new();
    for operation in [
        Operation::List,
        Operation::Stat,
        Operation::Read,
        Operation::Write,
        Operation::Delete,
    ] {
        let calls = done.calls.iter().filter(|call| call.operation == operation);
        let (mut count, mut bytes) = (0_u64, 0);
        for call in calls {
            count += 1;
            bytes += call.bytes;
        }
        let mut add = |what: &str, value: u64, tolerance| {
            if value > 0 {
                figures.push(Figure {
                    name: format!("storage: {}, {of}, {operation}{what}", done.operation),
                    value: value as f64,
                    tolerance,
                });
            }
        };
        add("", count, CALLS);
        add(" bytes", bytes, BYTES);
    }
    figures
}

/// Takes a new repository through every operation.
fn run(
    folder: &Path,
    tree: &Path,
    half: Option<&Path>,
    allocations: fn() -> u64,
) -> Result<Vec<Done>> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let storage = RecordingStorage::new(Arc::new(LocalStorage::new(folder)));
    runtime.block_on(async {
        let options = CreateOptions {
            version: RepositoryVersion::V2,
            kdf: KdfParams { n: 2, r: 1, p: 1 },
            owner: key_owner(),
            polynomial: Some(input::polynomial()?),
            settings: Settings::default(),
            threads: 2,
        };
        let password = SecretString::from(PASSWORD);
        let storage_of_it = Arc::new(storage.clone());
        let repository = Repository::create(storage_of_it, &password, &options).await?;
        let mut counter = Counter {
            storage,
            allocations,
            begun: 0,
            done: Vec::new(),
        };
        operations(&repository, folder, tree, half, &mut counter).await?;
        Ok(counter.done)
    })
}

struct Counter {
    storage: RecordingStorage,
    allocations: fn() -> u64,
    begun: u64,
    done: Vec<Done>,
}

impl Counter {
    fn begin(&mut self) {
        self.storage.take();
        self.begun = (self.allocations)();
    }

    fn end(&mut self, operation: &'static str) {
        let allocations = (self.allocations)() - self.begun;
        self.done.push(Done {
            operation,
            allocations,
            calls: self.storage.take(),
        });
    }
}

async fn operations(
    repository: &Repository,
    folder: &Path,
    tree: &Path,
    half: Option<&Path>,
    counter: &mut Counter,
) -> Result<()> {
    counter.begin();
    let first = backup(repository, tree, None).await;
    counter.end("first backup");
    let id = first.snapshot_id.context("a snapshot")?;
    counter.begin();
    backup(repository, tree, Some(id)).await;
    counter.end("unchanged backup");

    counter.begin();
    let index = repository.load_index(&Silent).await?;
    let target = folder.with_extension("restored");
    let report = try_restore(repository, &index, first.snapshot.tree, &target).await?;
    counter.end("restore");
    ensure!(report.is_complete(), "the restore is not complete");

    for (name, read_data) in [
        ("check", ReadData::Nothing),
        ("check of all data", ReadData::All),
    ] {
        let options = CheckOptions {
            read_data,
            paths_max: 100,
            locks: FakeHost::new("testhost", 1).lock_options(&FakeClock::new()),
        };
        counter.begin();
        let report = repository
            .check(&options, &Silent, &CancellationToken::new())
            .await?;
        counter.end(name);
        ensure!(report.is_sound(), "the repository is not sound: {report:?}");
    }
    match half {
        Some(half) => prune(repository, half, counter).await,
        None => Ok(()),
    }
}

/// Every second file stays, so each pack of data has to be written anew.
async fn prune(repository: &Repository, half: &Path, counter: &mut Counter) -> Result<()> {
    let old = repository.load_snapshots(&Silent).await?;
    backup(repository, half, None).await;
    counter.begin();
    let options = PruneOptions {
        max_unused: MaxUnused::Percent(0.0),
        forgotten: old.iter().map(|file| file.id).collect(),
        ..PruneOptions::default()
    };
    let cancel = CancellationToken::new();
    let locks = FakeHost::new("testhost", 1).lock_options(&FakeClock::new());
    let lock = repository.lock(Access::Exclusive, &locks, &cancel).await?;
    for file in &old {
        repository
            .delete_file(strongroom_repository::FileKind::Snapshot, &file.id)
            .await?;
    }
    let plan = repository.plan_prune(&options, &Silent, &cancel).await?;
    repository.prune(plan, &lock, &Silent, &cancel).await?;
    lock.release().await?;
    counter.end("forget and prune of half");
    Ok(())
}
