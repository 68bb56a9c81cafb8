//! What a storage that lied has cost, brought back as far as it can be: by parity and repairs what is still there in some
//! form, and by backups of the same files what is not.

use std::sync::Arc;

use strongroom_repository::Repository;
use strongroom_repository::backup::Source;
use strongroom_repository::check::FindingKind;
use strongroom_repository::format::Time;
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::parity::recover::{self, RecoverOptions};
use strongroom_repository::progress::{Progress, Silent};
use strongroom_repository::repair::{IndexRepairOptions, PacksToRepair, SnapshotsRepairOptions};
use strongroom_repository::workers::Workers;
use strongroom_storage::{Storage, StoragePath};
use strongroom_testkit::SimulatedStorage;
use strongroom_testkit::engine::{FakeClock, FakeHost};
use strongroom_testkit::engine_backup::backup_options;
use tokio_util::sync::CancellationToken;

use crate::expected::{Expected, program_version};
use crate::tree::{Files, TreeSource};
use crate::verify::{Wrong, check, read_all};

/// A copy of the storage that is honest from now on is repaired. Fails if that makes anything worse, or if something is
/// not back although all that was ever backed up was backed up again.
pub async fn mend(
    storage: &SimulatedStorage,
    repository: &Repository,
    number: usize,
    expected: &Expected,
) -> Result<(), String> {
    let left = storage.truth().fork();
    let locks = StoragePath::new("locks").unwrap();
    for file in left.list(Some(&locks)).await.unwrap() {
        left.delete(&file.path).await.unwrap();
    }
    let repository = repository.with_storage(Arc::new(left.clone()));
    let before = wrong(&repository, number, expected).await?;
    let parity = recovered(&left).await;
    parity.map_err(|error| format!("parity: {error}"))?;
    refuse_worse(&before, &wrong(&repository, number, expected).await?)?;
    let options = FakeHost::new("mender", 1).lock_options(storage.clock());
    let cancel = CancellationToken::new();
    let lock = repository.lock(Access::Exclusive, &options, &cancel);
    let lock = lock.await.map_err(|error| format!("lock: {error}"))?;
    let repaired = repaired(&repository, &lock, storage.clock()).await;
    repaired.map_err(|error| format!("repair: {error}"))?;
    refuse_worse(&before, &wrong(&repository, number, expected).await?)?;
    let mut all = expected.clone();
    // There are no backups of nothing.
    for files in expected.contents().filter(|files| !files.is_empty()) {
        let backed_up = back_up(&repository, &lock, files, &mut all).await;
        backed_up.map_err(|error| format!("a backup after a repair: {error}"))?;
    }
    let lacks = wrong(&repository, number, &all).await?;
    let still = lacks
        .iter()
        .find(|(number, what)| what.starts_with("snapshot") && !expected.was_rewritten(**number));
    if let Some((number, what)) = still {
        return Err(format!(
            "backup {number} was backed up again, and yet {what}"
        ));
    }
    let aside = put_aside(&repository, &lock, storage.clock()).await;
    aside.map_err(|error| format!("repair snapshots: {error}"))?;
    lock.release().await.unwrap();
    let report = check(&repository, options).await;
    let report = report.map_err(|error| format!("check: {error}"))?;
    // Keys and the trash have no repair.
    let stays = |kind: &FindingKind| {
        matches!(
            kind,
            FindingKind::Key { .. }
                | FindingKind::TrashUnreadable { .. }
                | FindingKind::TrashIncomplete { .. }
                | FindingKind::TrashDamaged { .. }
        )
    };
    match report.errors.iter().find(|error| !stays(&error.kind)) {
        None => Ok(()),
        Some(error) => Err(format!("after all repairs {error:?}")),
    }
}

async fn wrong(
    repository: &Repository,
    number: usize,
    expected: &Expected,
) -> Result<Wrong, String> {
    let read = read_all(repository, number, expected).await;
    read.map_err(|error| error.to_string())
}

fn refuse_worse(before: &Wrong, after: &Wrong) -> Result<(), String> {
    match after
        .iter()
        .find(|(number, _)| !before.contains_key(number))
    {
        None => Ok(()),
        Some((number, what)) => Err(format!("a repair has cost backup {number}: {what}")),
    }
}

/// Where there is parity.
async fn recovered(storage: &dyn Storage) -> strongroom_repository::Result<()> {
    let (workers, cancel) = (Workers::new(1).unwrap(), CancellationToken::new());
    let options = RecoverOptions {
        read_data: true,
        ..RecoverOptions::default()
    };
    let plan = recover::plan(storage, &workers, &options, &Silent, &cancel).await?;
    let now = jiff::Timestamp::UNIX_EPOCH;
    let done = plan.execute(storage, &workers, None, now, &Silent, &cancel);
    done.await.map(drop)
}

async fn repaired(
    repository: &Repository,
    lock: &Lock,
    clock: &FakeClock,
) -> strongroom_repository::Result<()> {
    let cancel = CancellationToken::new();
    let options = IndexRepairOptions {
        read_all_packs: true,
    };
    let now = strongroom_repository::clock::Clock::now(clock);
    let plan = repository.plan_repair_index(options, &Silent, &cancel);
    let plan = plan.await?;
    repository
        .repair_index(plan, now, lock, &Silent, &cancel)
        .await?;
    let which = PacksToRepair::ReadAll;
    let plan = repository.plan_repair_packs(&which, 10, &Silent, &cancel);
    let plan = plan.await?;
    repository
        .repair_packs(plan, now, lock, &Silent, &cancel)
        .await?;
    Ok(())
}

async fn back_up(
    repository: &Repository,
    lock: &Lock,
    files: &Arc<Files>,
    expected: &mut Expected,
) -> strongroom_repository::Result<()> {
    let source = TreeSource(Arc::clone(files));
    let options = strongroom_repository::backup::BackupOptions {
        time: Time::utc("2030-01-01T00:00:00Z".parse().unwrap()),
        program_version: program_version(expected.begin(files)),
        ..backup_options(&source)
    };
    let index = Arc::new(repository.load_index_to_write(lock, &Silent).await?);
    let (progress, cancel): (Arc<dyn Progress>, _) = (Arc::new(Silent), CancellationToken::new());
    repository
        .backup(&index, source.root(), options, lock, &progress, &cancel)
        .await
        .map(drop)
}

/// What cannot be read, and what lacks what was never in a backup of this form.
async fn put_aside(
    repository: &Repository,
    lock: &Lock,
    clock: &FakeClock,
) -> strongroom_repository::Result<()> {
    let cancel = CancellationToken::new();
    let options = SnapshotsRepairOptions {
        forget: true,
        ..SnapshotsRepairOptions::default()
    };
    let plan = repository.plan_repair_snapshots(&options, &Silent, &cancel);
    let plan = plan.await?;
    let now = strongroom_repository::clock::Clock::now(clock);
    let repaired = repository.repair_snapshots(plan, now, lock, &Silent, &cancel);
    repaired.await.map(drop)
}
