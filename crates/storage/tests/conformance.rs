//! Every kind of storage here against the suite of promises.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::sync::Arc;

use std::num::NonZeroUsize;
use std::time::Duration;

use strongroom_storage::{
    CacheSettings, CacheStorage, ErrorKind, LimitStorage, LocalStorage, MemoryStorage, Retry,
    RetryPolicy, RetryStorage, TimeLimits, TimeoutStorage,
};
use strongroom_testkit::storage_suite;
use strongroom_testkit::storage_suite::Fixture;
use strongroom_testkit::{Fault, FaultyStorage, RecordingStorage};

async fn in_memory() -> Fixture {
    Fixture::new(Arc::new(MemoryStorage::missing()), ())
}

fn local_below(parent: &Path) -> Fixture {
    let folder = tempfile::tempdir_in(parent).unwrap();
    let storage = LocalStorage::new(folder.path().join("a/repository"));
    Fixture::new(Arc::new(storage), folder)
}

/// The file system that temporary files are on here: ext4, most often.
async fn on_disk() -> Fixture {
    local_below(&std::env::temp_dir())
}

async fn on_tmpfs() -> Fixture {
    local_below(Path::new("/dev/shm"))
}

async fn limited() -> Fixture {
    in_memory()
        .await
        .wrap(|inner| Arc::new(LimitStorage::new(inner, NonZeroUsize::MIN)))
}

async fn timed() -> Fixture {
    on_disk()
        .await
        .wrap(|inner| Arc::new(TimeoutStorage::new(inner, TimeLimits::default())))
}

async fn cached() -> Fixture {
    let cache = tempfile::tempdir().unwrap();
    let settings = CacheSettings::default();
    let local = on_disk().await;
    let inner = local.storage.clone();
    let storage = CacheStorage::new(inner, cache.path(), "name", settings).unwrap();
    Fixture::new(Arc::new(storage), (cache, local))
}

async fn recorded() -> Fixture {
    in_memory()
        .await
        .wrap(|inner| Arc::new(RecordingStorage::new(inner)))
}

/// Over a line that loses every third answer, a storage must keep its promises all the same.
async fn retried() -> Fixture {
    let lost = Fault::FailAfter(ErrorKind::Unreachable, Retry::Later);
    let policy = RetryPolicy {
        first_pause: Duration::ZERO,
        longest_pause: Duration::ZERO,
        total: Duration::from_secs(60),
    };
    in_memory().await.wrap(|inner| {
        let faulty = FaultyStorage::every(inner, |asked| asked.number % 3 == 1, lost);
        Arc::new(RetryStorage::new(Arc::new(faulty), policy))
    })
}

storage_suite!(through_limit, limited);
storage_suite!(through_timeout, timed);
storage_suite!(through_cache, cached);
storage_suite!(through_recording, recorded);
storage_suite!(through_retry, retried);
storage_suite!(memory, in_memory);
storage_suite!(local_on_disk, on_disk);
storage_suite!(local_on_tmpfs, on_tmpfs);
