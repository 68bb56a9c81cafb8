//! Restoring over what is there.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use strongroom_repository::ErrorKind;
use strongroom_repository::pattern::PatternSet;
use strongroom_repository::progress::{Amount, Progress, Silent};
use strongroom_repository::restore::{
    Overwrite, RestoreOptions, Selection, is_partial_name, plan_restore,
};
use strongroom_source::files::target::DirectoryTarget;
use strongroom_testkit::{Corpus, Random, SmallDisk, assert_same_trees};
use tokio_util::sync::CancellationToken;

use crate::{Vault, below_root, names, write};

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn include(pattern: &str) -> Selection {
    Selection::Include(PatternSet::parse([pattern], [""; 0]).unwrap())
}

fn with_delete() -> RestoreOptions {
    RestoreOptions {
        delete: true,
        ..RestoreOptions::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t30_a_tree_in_disorder_becomes_the_snapshot() {
    let vault = Vault::ours(|source| {
        Corpus::new(31).grow(source).unwrap();
        for name in [
            "changed",
            "cut",
            "grown",
            "was-link",
            "was-dir",
            "read-only",
            "linked",
        ] {
            write(source, name, format!("content of {name}"));
        }
        write(source, "dir/inside", "x");
        write(source, "dir-was-file/inside", "x");
        symlink("changed", source.join("link")).unwrap();
        symlink("changed", source.join("link-was-file")).unwrap();
        symlink("changed", source.join("link-was-dir")).unwrap();
        mode(&source.join("dir"), 0o555);
        mode(&source.join("read-only"), 0o444);
    })
    .await;
    vault.restore_all().await;
    let target = vault.target();
    let outside = vault.folder.path().join("outside");
    write(&outside, "precious", "precious");
    write(&target, "changed", "CONTENT of changed");
    write(&target, "cut", "content");
    write(&target, "grown", "content of grown and more");
    mode(&target.join("read-only"), 0o600);
    write(&target, "read-only", "new");
    mode(&target.join("read-only"), 0o400);
    for name in [
        "was-link",
        "was-dir",
        "link-was-file",
        "link-was-dir",
        "link",
        "linked",
    ] {
        std::fs::remove_file(target.join(name)).unwrap();
    }
    symlink(outside.join("precious"), target.join("was-link")).unwrap();
    symlink(&outside, target.join("link")).unwrap();
    std::fs::create_dir(target.join("was-dir")).unwrap();
    std::fs::create_dir(target.join("link-was-dir")).unwrap();
    write(&target, "link-was-file", "file");
    std::fs::hard_link(outside.join("precious"), target.join("linked")).unwrap();
    std::fs::remove_dir_all(target.join("dir-was-file")).unwrap();
    write(&target, "dir-was-file", "file");
    std::fs::remove_dir_all(target.join("dir")).unwrap();
    symlink(&outside, target.join("dir")).unwrap();
    vault.restore_all().await;
    assert_same_trees(&vault.source(), &target, &below_root());
    assert_eq!(names(&outside), ["precious"]);
    assert_eq!(
        std::fs::read(outside.join("precious")).unwrap(),
        b"precious"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_not_empty_gives_way_only_with_delete() {
    let vault = Vault::ours(|source| write(source, "f", "file")).await;
    write(&vault.target(), "f/deep/inside", "somebody's");
    let plan = vault.plan(&RestoreOptions::default()).await.unwrap();
    assert_eq!(plan.problems[0].path, b"/f");
    assert_eq!(
        vault.execute(plan).await.unwrap_err().kind(),
        ErrorKind::Target
    );
    let partial = RestoreOptions {
        allow_partial: true,
        ..RestoreOptions::default()
    };
    assert!(!vault.restore(&partial).await.unwrap().is_complete());
    assert!(vault.target().join("f/deep/inside").exists());

    let report = vault.restore(&with_delete()).await.unwrap();
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!(report.summary.files_deleted, 2);
    assert_eq!(std::fs::read(vault.target().join("f")).unwrap(), b"file");
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_removes_what_the_snapshot_has_not_and_nothing_else() {
    let vault = Vault::ours(|source| {
        write(source, "a/keep", "x");
        write(source, "b/keep", "x");
    })
    .await;
    let outside = vault.folder.path().join("outside");
    write(&outside, "precious", "x");
    let clutter = || {
        write(&vault.target(), "a/extra/deep/er", "x");
        write(&vault.target(), "b/extra", "x");
        write(&vault.target(), "extra", "x");
        let _ = symlink(&outside, vault.target().join("a/link"));
    };
    clutter();
    let only_a = RestoreOptions {
        selection: include("/a"),
        ..with_delete()
    };
    let report = vault.restore(&only_a).await.unwrap();
    assert!(report.is_complete());
    assert_eq!(report.summary.files_deleted, 4);
    assert_eq!(names(&vault.target().join("a")), ["keep"]);
    assert_eq!(names(&vault.target()), ["a", "b", "extra"]);
    assert_eq!(names(&vault.target().join("b")), ["extra"]);

    clutter();
    let plan = vault.plan(&with_delete()).await.unwrap();
    assert_eq!(plan.totals.deleted, 6);
    let report = vault.execute(plan).await.unwrap();
    assert!(report.is_complete());
    assert_same_trees(&vault.source(), &vault.target(), &below_root());
    assert_eq!(names(&outside), ["precious"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_pattern_excludes_is_not_deleted_either() {
    let vault = Vault::ours(|source| write(source, "a/file", "x")).await;
    write(&vault.target(), "a/extra/log.keep", "x");
    write(&vault.target(), "a/extra/other", "x");
    let exclude = Selection::Exclude(PatternSet::parse(["*.keep"], [""; 0]).unwrap());
    let options = RestoreOptions {
        selection: exclude,
        ..with_delete()
    };
    assert!(vault.restore(&options).await.unwrap().is_complete());
    assert_eq!(names(&vault.target().join("a/extra")), ["log.keep"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn overwrite_decides_what_happens_to_existing_files() {
    let vault = Vault::ours(|source| {
        for name in ["same-time", "older", "newer", "missing"] {
            write(source, name, "snapshot");
        }
        write(source, "blocked/inside", "snapshot");
    })
    .await;
    let set_up = || {
        let _ = std::fs::remove_dir_all(vault.target());
        for name in ["same-time", "older", "newer"] {
            write(&vault.target(), name, "existing");
            let time = std::fs::metadata(vault.source().join(name))
                .unwrap()
                .modified()
                .unwrap();
            let hour = std::time::Duration::from_secs(3600);
            let time = match name {
                "older" => time - hour,
                "newer" => time + hour,
                _ => time,
            };
            let file = std::fs::File::options()
                .write(true)
                .open(vault.target().join(name));
            file.unwrap().set_modified(time).unwrap();
        }
        // A file where the snapshot has a folder.
        write(&vault.target(), "blocked", "existing");
    };
    let restored = async |overwrite| {
        set_up();
        let options = RestoreOptions {
            overwrite,
            ..RestoreOptions::default()
        };
        let report = vault.restore(&options).await.unwrap();
        assert!(report.is_complete(), "{report:#?}");
        let mut names: Vec<&str> =
            ["same-time", "older", "newer", "missing", "blocked/inside"].to_vec();
        names.retain(|name| {
            std::fs::read(vault.target().join(name)).is_ok_and(|content| content == b"snapshot")
        });
        names
    };
    let all = ["same-time", "older", "newer", "missing", "blocked/inside"];
    assert_eq!(restored(Overwrite::Always).await, all);
    assert_eq!(restored(Overwrite::IfChanged).await, all[1..]);
    assert_eq!(restored(Overwrite::IfNewer).await, ["older", "missing"]);
    assert_eq!(restored(Overwrite::Never).await, ["missing"]);
    // A folder is never made over a file that stays.
    assert_eq!(
        std::fs::read(vault.target().join("blocked")).unwrap(),
        b"existing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_a_file_is_refused() {
    let vault = Vault::ours(|source| write(source, "f", "file")).await;
    std::fs::write(vault.target(), "a file").unwrap();
    let refused = vault.plan(&RestoreOptions::default()).await.err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::Target);
    assert_eq!(std::fs::read(vault.target()).unwrap(), b"a file");
}

#[tokio::test(flavor = "multi_thread")]
async fn t30_an_immutable_file_is_told_and_the_rest_is_restored() {
    let vault = Vault::ours(|source| {
        write(source, "fixed", "snapshot");
        write(source, "other", "snapshot");
    })
    .await;
    write(&vault.target(), "fixed", "existing");
    let chattr = |flag: &str| {
        Command::new("chattr")
            .arg(flag)
            .arg(vault.target().join("fixed"))
            .status()
    };
    assert!(chattr("+i").unwrap().success());
    let report = vault.restore(&RestoreOptions::default()).await;
    assert!(chattr("-i").unwrap().success());
    let report = report.unwrap();
    assert_eq!(report.problems.len(), 1);
    assert!(
        report.problems[0].message.contains("immutable"),
        "{report:?}"
    );
    assert_eq!(names(&vault.target()), ["fixed", "other"]);
    assert_eq!(
        std::fs::read(vault.target().join("fixed")).unwrap(),
        b"existing"
    );
}

/// Cancels when a number of bytes has been restored.
pub struct CancelsAt(
    pub u64,
    pub std::sync::atomic::AtomicU64,
    pub CancellationToken,
);

impl Progress for CancelsAt {
    fn advance(&self, amount: Amount) {
        let before = self
            .1
            .fetch_add(amount.bytes, std::sync::atomic::Ordering::Relaxed);
        if before + amount.bytes >= self.0 {
            self.2.cancel();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_restore_leaves_whole_files_only_and_the_next_goes_on() {
    let vault = Vault::ours(|source| {
        let mut random = Random::new(32);
        for n in 0..8 {
            write(source, &format!("d/{n}"), random.bytes(5 << 20));
        }
        mode(&source.join("d"), 0o555);
    })
    .await;
    let cancel = CancellationToken::new();
    let progress = CancelsAt(12 << 20, Default::default(), cancel.clone());
    let plan = vault.plan(&RestoreOptions::default()).await.unwrap();
    let report = plan
        .execute(&vault.repository, &vault.index, &progress, &cancel)
        .await
        .unwrap();
    assert_eq!(
        report.stopped.as_ref().unwrap().kind(),
        ErrorKind::Cancelled
    );
    assert!(!report.is_complete() && report.summary.files_restored < 9);
    let mut done = names(&vault.target().join("d"));
    done.retain(|name| !is_partial_name(name.as_bytes()));
    assert!(done.len() < 8);
    for name in &done {
        let same = std::fs::read(vault.target().join("d").join(name)).unwrap()
            == std::fs::read(vault.source().join("d").join(name)).unwrap();
        assert!(same, "{name}");
    }
    let dir = std::fs::metadata(vault.target().join("d")).unwrap();
    assert_eq!(dir.mode() & 0o7777, 0o555);
    let summary = vault.restore_all().await;
    assert_eq!(summary.files_skipped, done.len() as u64);
    assert_same_trees(&vault.source(), &vault.target(), &below_root());
}

#[tokio::test(flavor = "multi_thread")]
async fn too_little_space_is_refused_before_and_cleaned_up_after() {
    let Some(disk) = SmallDisk::new(8 << 20) else {
        return;
    };
    let vault = Vault::ours(|source| {
        let mut random = Random::new(33);
        for n in 0..10 {
            write(source, &format!("{n}"), random.bytes(2 << 20));
        }
    })
    .await;
    let target = disk.path().join("target");
    let restore = async |ignore_free_space| {
        let options = RestoreOptions {
            ignore_free_space,
            ..RestoreOptions::default()
        };
        let target = Arc::new(DirectoryTarget::new(&target));
        let cancel = CancellationToken::new();
        let (repository, index) = (&vault.repository, &vault.index);
        let plan = plan_restore(
            repository, index, vault.tree, target, &options, &Silent, &cancel,
        );
        let plan = plan.await.unwrap();
        assert!(plan.totals.needed_bytes >= 20 << 20 && plan.totals.lacking_bytes() > 10 << 20);
        plan.execute(repository, index, &Silent, &cancel).await
    };
    assert_eq!(restore(false).await.unwrap_err().kind(), ErrorKind::NoSpace);
    assert!(!target.exists());
    let report = restore(true).await.unwrap();
    assert_eq!(report.stopped.unwrap().kind(), ErrorKind::NoSpace);
    for name in names(&target) {
        let content = std::fs::read(target.join(&name)).unwrap();
        assert!(
            content == std::fs::read(vault.source().join(&name)).unwrap(),
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_disk_is_told() {
    let Some(disk) = SmallDisk::new(4 << 20) else {
        return;
    };
    let vault = Vault::ours(|source| write(source, "f", "x")).await;
    disk.make_read_only();
    let target = Arc::new(DirectoryTarget::new(disk.path().join("target")));
    let cancel = CancellationToken::new();
    let options = RestoreOptions::default();
    let (repository, index) = (&vault.repository, &vault.index);
    let plan = plan_restore(
        repository, index, vault.tree, target, &options, &Silent, &cancel,
    );
    let refused = plan
        .await
        .unwrap()
        .execute(repository, index, &Silent, &cancel)
        .await;
    disk.make_writable();
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Target);
}
