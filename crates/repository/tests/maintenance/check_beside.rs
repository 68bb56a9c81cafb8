//! A check beside a backup or a prune reports no damage that is none: false alarms make people repair what is whole.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt;
use strongroom_repository::check::ReadData;
use strongroom_repository::crypto::KdfParams;
use strongroom_repository::{ErrorKind, FileKind, Repository};
use strongroom_storage::{MemoryStorage, Storage, StoragePath};
use strongroom_testkit::engine::{key_owner, open_repository};
use strongroom_testkit::{Fault, FaultyStorage};

use crate::fixture::{Fixture, assert_sound, copy_file, in_memory, try_check};

/// What another process does to the repository.
type Change = Arc<dyn Fn(&MemoryStorage) + Send + Sync>;

/// Checks a repository to which something happens right before the call of a number; `None` once the check makes
/// fewer calls.
async fn check_while(
    repository: &Repository,
    whole: &MemoryStorage,
    call: usize,
    change: &Change,
) -> Option<strongroom_repository::Result<strongroom_repository::check::CheckReport>> {
    let shown = whole.fork();
    let (inner, change) = (shown.clone(), Arc::clone(change));
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let faulty = FaultyStorage::new(Arc::new(shown), move |asked| {
        count.fetch_max(asked.number + 1, Ordering::SeqCst);
        if asked.number == call {
            change(&inner);
        }
        Fault::None
    });
    let result = try_check(&repository.with_storage(Arc::new(faulty)), ReadData::All).await;
    (made.load(Ordering::SeqCst) > call).then_some(result)
}

async fn names(storage: &MemoryStorage) -> HashSet<StoragePath> {
    storage
        .list(None)
        .await
        .unwrap()
        .into_iter()
        .map(|file| file.path)
        .collect()
}

/// Everything that `after` has and lacks comes about, in the order in which backup and prune do it.
async fn change_to(before: &MemoryStorage, after: &MemoryStorage) -> Change {
    let (old, new) = (names(before).await, names(after).await);
    let added: Vec<StoragePath> = new.difference(&old).cloned().collect();
    let removed: Vec<StoragePath> = old.difference(&new).cloned().collect();
    let after = after.clone();
    Arc::new(move |storage| {
        // Memory never makes anybody wait.
        let done = async {
            for folder in ["data", "index", "snapshots"] {
                for path in added
                    .iter()
                    .filter(|path| path.as_str().starts_with(folder))
                {
                    copy_file(&after, storage, path).await;
                }
            }
            for folder in ["snapshots", "index", "data"] {
                for path in removed
                    .iter()
                    .filter(|path| path.as_str().starts_with(folder))
                {
                    storage.delete(path).await.unwrap();
                }
            }
        };
        done.now_or_never().unwrap();
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_beside_a_check_never_looks_like_damage() {
    let (fixture, _) = Fixture::two_snapshots(2);
    let before = in_memory(&fixture.path()).await;
    fixture.write("later", 6, 500_000);
    fixture.backup();
    let change = change_to(&before, &in_memory(&fixture.path()).await).await;
    let repository = open_repository(Arc::new(before.fork())).await;
    let mut call = 0;
    while let Some(result) = check_while(&repository, &before, call, &change).await {
        assert_sound(&result.unwrap(), &format!("backup at call {call}"));
        call += 1;
    }
    assert!(call > 15, "{call}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prune_beside_a_check_without_lock_never_looks_like_damage() {
    let (fixture, _) = Fixture::two_snapshots(2);
    fixture.restic.run(["forget", "--keep-last", "1"]).ok();
    let before = in_memory(&fixture.path()).await;
    fixture.restic.run(["prune", "--max-unused", "0"]).ok();
    never_looks_like_damage(&before, &in_memory(&fixture.path()).await).await;
}

/// The check has seen the snapshot, and what it needs is gone with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_forget_beside_a_check_without_lock_never_looks_like_damage() {
    let (fixture, _) = Fixture::two_snapshots(2);
    let before = in_memory(&fixture.path()).await;
    let prune = ["forget", "--keep-last", "1", "--prune", "--max-unused", "0"];
    fixture.restic.run(prune).ok();
    never_looks_like_damage(&before, &in_memory(&fixture.path()).await).await;
}

async fn never_looks_like_damage(before: &MemoryStorage, after: &MemoryStorage) {
    let change = change_to(before, after).await;
    let repository = open_repository(Arc::new(before.fork())).await;
    let (mut call, mut refused) = (0, 0);
    while let Some(result) = check_while(&repository, before, call, &change).await {
        match result {
            Ok(report) => assert_sound(&report, &format!("prune at call {call}")),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Locked, "{error}");
                refused += 1;
            }
        }
        call += 1;
    }
    assert!(call > 15 && refused > 0, "{call} {refused}");
}

/// A key that is removed meanwhile is no damage.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_goes_beside_a_check_never_looks_like_damage() {
    let (fixture, _) = Fixture::two_snapshots(2);
    let after = in_memory(&fixture.path()).await;
    let opened = open_repository(Arc::new(after.fork())).await;
    let kdf = KdfParams { n: 2, r: 1, p: 1 };
    let added = opened.add_key(&"another".into(), kdf, &key_owner()).await;
    let added = FileKind::Key.path(&added.unwrap()).unwrap();
    let before = after.fork();
    copy_file(&**opened.storage(), &before, &added).await;
    let change: Change = Arc::new(move |storage| {
        storage.delete(&added).now_or_never().unwrap().unwrap();
    });
    let repository = open_repository(Arc::new(before.fork())).await;
    let mut call = 0;
    while let Some(result) = check_while(&repository, &before, call, &change).await {
        assert_sound(&result.unwrap(), &format!("key removed at call {call}"));
        call += 1;
    }
    assert!(call > 15, "{call}");
}
