//! One call that backs a directory up, for tests of what comes after.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use strongroom_repository::backup::{BackupOptions, BackupReport, Source};
use strongroom_repository::format::{Id, Time};
use strongroom_repository::index::Index;
use strongroom_repository::lock::Access;
use strongroom_repository::progress::{Progress, Silent};
use strongroom_repository::restore::{RestoreOptions, RestoreReport, plan_restore};
use strongroom_repository::{Repository, Result};
use strongroom_source::files::target::DirectoryTarget;
use strongroom_source::files::{Files, Options};
use tokio_util::sync::CancellationToken;

use crate::engine::{FakeClock, FakeHost};

/// What a snapshot says of itself when a test has no wishes.
pub fn backup_options(source: &dyn Source) -> BackupOptions {
    BackupOptions {
        time: Time::utc(Timestamp::now()),
        hostname: "testhost".into(),
        username: "tester".into(),
        uid: 1000,
        gid: 1000,
        paths: source.paths(),
        excludes: Vec::new(),
        tags: Vec::new(),
        program_version: "test".into(),
        parent: None,
        ignore_ctime: false,
        ignore_inode: false,
        skip_if_unchanged: false,
        all_or_nothing: false,
        dry_run: false,
    }
}

/// The source that reads a directory by its absolute path, with UTC for a time zone.
pub fn directory(path: &Path) -> Files {
    let options = Options::new(path.to_path_buf(), TimeZone::UTC);
    Files::new(&[path.as_os_str().as_bytes().to_vec()], options).unwrap()
}

/// Backs a directory up, by its absolute path, compared with a parent.
pub async fn backup(repository: &Repository, path: &Path, parent: Option<Id>) -> BackupReport {
    try_backup(repository, path, parent, &CancellationToken::new())
        .await
        .unwrap()
}

/// The same where it may fail.
pub async fn try_backup(
    repository: &Repository,
    path: &Path,
    parent: Option<Id>,
    cancel: &CancellationToken,
) -> Result<BackupReport> {
    let source = directory(path);
    let lock_options = FakeHost::new("testhost", 1).lock_options(&FakeClock::new());
    let lock = repository
        .lock(Access::Append, &lock_options, cancel)
        .await?;
    let index = Arc::new(repository.load_index(&Silent).await?);
    let options = BackupOptions {
        parent,
        ..backup_options(&source)
    };
    let progress: Arc<dyn Progress> = Arc::new(Silent);
    let report = repository
        .backup(&index, source.root(), options, &lock, &progress, cancel)
        .await;
    lock.release().await?;
    report
}

/// Restores what is below a tree into a directory, as a user without wishes does.
pub async fn try_restore(
    repository: &Repository,
    index: &Index,
    tree: Id,
    directory: &Path,
) -> Result<RestoreReport> {
    let target = Arc::new(DirectoryTarget::new(directory));
    let options = RestoreOptions::default();
    let cancel = CancellationToken::new();
    let plan = plan_restore(repository, index, tree, target, &options, &Silent, &cancel).await?;
    plan.execute(repository, index, &Silent, &cancel).await
}
