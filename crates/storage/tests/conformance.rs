//! Every kind of storage here against the suite of promises.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::sync::Arc;

use strongroom_storage::{LocalStorage, MemoryStorage};
use strongroom_testkit::storage_suite;
use strongroom_testkit::storage_suite::Fixture;

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

storage_suite!(memory, in_memory);
storage_suite!(local_on_disk, on_disk);
storage_suite!(local_on_tmpfs, on_tmpfs);
