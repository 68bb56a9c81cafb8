//! Targets that are nearly full: what has room is restored, what has not is refused before anything is written, and
//! where the plan could not know, the restore says that it is not complete.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strongroom_repository::progress::Silent;
use strongroom_repository::restore::{RestoreOptions, RestorePlan, RestoreReport, plan_restore};
use strongroom_repository::{ErrorKind, Result};
use strongroom_source::files::target::DirectoryTarget;
use strongroom_testkit::{Random, SmallDisk, assert_same_trees};
use tokio_util::sync::CancellationToken;

use crate::{Vault, below_root, names, write};

const MIB: u64 = 1 << 20;

/// A small disk with a target on it, and something to restore there.
struct Scene {
    disk: SmallDisk,
    vault: Vault,
}

impl Scene {
    /// `None` where nobody may mount.
    async fn new(disk_bytes: u64, grow: impl FnOnce(&Path)) -> Option<Self> {
        let disk = SmallDisk::new(disk_bytes)?;
        let vault = Vault::ours(grow).await;
        Some(Self { disk, vault })
    }

    fn target(&self) -> PathBuf {
        self.disk.path().join("target")
    }

    async fn plan(&self, options: &RestoreOptions) -> RestorePlan {
        let target = Arc::new(DirectoryTarget::new(self.target()));
        let vault = &self.vault;
        let cancel = CancellationToken::new();
        let (repository, index) = (&vault.repository, &vault.index);
        let plan = plan_restore(
            repository, index, vault.tree, target, options, &Silent, &cancel,
        );
        plan.await.unwrap()
    }

    async fn restore(&self, options: &RestoreOptions) -> Result<RestoreReport> {
        self.vault.execute(self.plan(options).await).await
    }

    async fn restore_all(&self) {
        let report = self.restore(&RestoreOptions::default()).await.unwrap();
        assert!(report.is_complete(), "{report:#?}");
        assert_same_trees(&self.vault.source(), &self.target(), &below_root());
    }

    /// Refused before anything is written, though not by much.
    async fn assert_refused(&self) {
        let plan = self.plan(&RestoreOptions::default()).await;
        let lacking = plan.totals.lacking_bytes();
        assert!(lacking > 0 && lacking < 16 * MIB, "{:?}", plan.totals);
        let before = self.target().exists().then(|| names(&self.target()));
        let refused = self.vault.execute(plan).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NoSpace);
        let after = self.target().exists().then(|| names(&self.target()));
        assert_eq!(after, before);
    }

    /// Stopped in the middle for want of space, and said so.
    async fn assert_stopped(&self, options: &RestoreOptions) -> RestoreReport {
        let report = self.restore(options).await.unwrap();
        let stopped = report
            .stopped
            .as_ref()
            .map(strongroom_repository::Error::kind);
        assert_eq!(stopped, Some(ErrorKind::NoSpace), "{report:#?}");
        assert!(!report.is_complete());
        report
    }
}

/// What others have on the disk counts; when it is gone, there is room.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_free_decides_and_not_what_the_disk_has() {
    let random = |source: &Path| write(source, "f", Random::new(51).bytes(4 << 20));
    let Some(scene) = Scene::new(8 * MIB, random).await else {
        return;
    };
    let filler = scene.disk.fill(3 * MIB);
    scene.assert_refused().await;
    std::fs::remove_file(filler).unwrap();
    scene.restore_all().await;
}

/// A file of zeros is a hole: a disk that it does not fit on by its length takes it.
#[tokio::test(flavor = "multi_thread")]
async fn holes_need_no_space() {
    let zeros = |source: &Path| {
        let file = std::fs::File::create(source.join("zeros")).unwrap();
        file.set_len(64 * MIB).unwrap();
    };
    let Some(scene) = Scene::new(8 * MIB, zeros).await else {
        return;
    };
    scene.restore_all().await;
}

/// A file of one byte takes a block.
#[tokio::test(flavor = "multi_thread")]
async fn small_files_take_blocks() {
    let many = |source: &Path| {
        for n in 0..800 {
            write(source, &format!("{n}"), "x");
        }
    };
    let Some(scene) = Scene::new(8 * MIB, many).await else {
        return;
    };
    let filler = scene.disk.fill(2 * MIB);
    scene.assert_refused().await;
    std::fs::remove_file(filler).unwrap();
    scene.restore_all().await;
}

/// A file that is replaced by other content lies there twice until the new one is whole. Then the old one makes room for
/// the next, so many of them need no more than a few at a time.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_replaced_is_there_twice_but_not_all_at_once() {
    let many = |source: &Path| {
        for n in 0..12 {
            write(source, &format!("{n:02}"), Random::new(n).bytes(1 << 20));
        }
    };
    let Some(scene) = Scene::new(28 * MIB, many).await else {
        return;
    };
    for n in 0..12 {
        let old = Random::new(100 + n).bytes(1 << 20);
        write(&scene.target(), &format!("{n:02}"), old);
    }
    let filler = scene.disk.fill(4 * MIB);
    scene.assert_refused().await;
    std::fs::remove_file(filler).unwrap();
    scene.disk.fill(10 * MIB);
    scene.restore_all().await;
}

/// A large file that is mostly right is mended where it lies: a disk without room for a second one is enough.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_is_mended_in_place_on_a_disk_without_room() {
    let content = Random::new(52).bytes(70 << 20);
    let large = |source: &Path| write(source, "large", &content);
    let Some(scene) = Scene::new(90 * MIB, large).await else {
        return;
    };
    let mut old = content.clone();
    old[40 << 20..41 << 20].fill(7);
    write(&scene.target(), "large", &old);
    scene.disk.fill(6 * MIB);
    scene.restore_all().await;
}

/// A file system has room for so many entries, however small they are; no plan knows that.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_without_room_for_more_entries_is_told_and_completed_later() {
    let make: [fn(&Path); 3] = [
        |path| drop(std::fs::File::create(path).unwrap()),
        |path| std::fs::create_dir(path).unwrap(),
        |path| symlink("nowhere", path).unwrap(),
    ];
    for make in make {
        let many = |source: &Path| (0..400).for_each(|n| make(&source.join(n.to_string())));
        let Some(scene) = Scene::new(MIB, many).await else {
            return;
        };
        let report = scene.assert_stopped(&RestoreOptions::default()).await;
        assert!(report.summary.files_restored < 400, "{report:#?}");
        let there = names(&scene.target()).len();
        assert!(there < 400);
        for name in names(&scene.target()) {
            assert!(name.parse::<u32>().is_ok(), "{name} was left behind");
        }
    }
}

/// What the snapshot does not have goes last, and so not at all where not everything has come back.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_deleted_for_a_restore_that_finds_no_room() {
    let random = |source: &Path| write(source, "f", Random::new(53).bytes(4 << 20));
    let Some(scene) = Scene::new(8 * MIB, random).await else {
        return;
    };
    write(&scene.target(), "surplus", "precious");
    scene.disk.fill(2 * MIB);
    let options = RestoreOptions {
        delete: true,
        ignore_free_space: true,
        ..RestoreOptions::default()
    };
    let report = scene.assert_stopped(&options).await;
    assert_eq!(report.deletions_withheld, 1);
    assert_eq!(names(&scene.target()), ["surplus"]);
}

/// Whoever makes room on a full disk does not know what the files of a restore are that was given up.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_goes_when_the_disk_is_full() {
    let many = |source: &Path| {
        for n in 0..6 {
            write(source, &n.to_string(), Random::new(n).bytes(6 << 20));
        }
    };
    let Some(scene) = Scene::new(16 * MIB, many).await else {
        return;
    };
    let options = RestoreOptions {
        ignore_free_space: true,
        ..RestoreOptions::default()
    };
    let report = scene.assert_stopped(&options).await;
    assert_eq!(report.files_unfinished, 0);
    for name in names(&scene.target()) {
        assert!(name.len() == 1, "{name} was left behind");
    }
}
