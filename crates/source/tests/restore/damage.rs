//! Damage of the repository: exactly what it touches is told, the rest comes back, and nothing half-right gets a name.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use strongroom_repository::format::{BlobKind, Id};
use strongroom_repository::index::Location;
use strongroom_repository::restore::{RestoreOptions, RestoreReport, is_partial_name};
use strongroom_repository::{ErrorKind, FileKind, Repository};
use strongroom_storage::{ErrorKind as StorageKind, LocalStorage, Operation, Retry};
use strongroom_testkit::engine::open_repository;
use strongroom_testkit::engine_backup::backup;
use strongroom_testkit::{Fault, FaultyStorage, Random};

use crate::{Vault, names, write};

/// Files of random content, several blobs each, and small ones.
async fn vault() -> Vault {
    Vault::ours(|source| {
        let mut random = Random::new(21);
        for n in 0..3 {
            write(source, &format!("big/{n}"), random.bytes(6 << 20));
        }
        for n in 0..40 {
            write(source, &format!("small/{n}"), random.bytes(3000 + n));
        }
        let shared = random.bytes(5000);
        write(source, "copy/a", &shared);
        write(source, "copy/b", &shared);
    })
    .await
}

fn allow_partial() -> RestoreOptions {
    RestoreOptions {
        allow_partial: true,
        ..RestoreOptions::default()
    }
}

fn touched(report: &RestoreReport) -> BTreeSet<String> {
    let paths = report.problems.iter().map(|problem| &problem.path);
    paths
        .map(|path| String::from_utf8(path.clone()).unwrap())
        .collect()
}

impl Vault {
    /// The blobs of a file of the source, by its path.
    async fn blobs(&self, path: &str) -> Vec<Id> {
        let (folder, name) = path.split_once('/').unwrap();
        let root = self
            .repository
            .load_tree(&self.index, &self.tree)
            .await
            .unwrap();
        let folder = root.find(folder.as_bytes()).unwrap().subtree.unwrap();
        let tree = self
            .repository
            .load_tree(&self.index, &folder)
            .await
            .unwrap();
        tree.find(name.as_bytes()).unwrap().content.clone().unwrap()
    }

    fn locate(&self, blob: &Id) -> Location {
        self.index.locate(BlobKind::Data, blob).unwrap()
    }

    fn pack_path(&self, pack: &Id) -> PathBuf {
        let path = FileKind::Pack.path(pack).unwrap();
        self.folder.path().join("vault").join(path.as_str())
    }

    /// Flips one bit in the middle of a blob as it lies in its pack.
    fn flip(&self, blob: &Id) {
        let location = self.locate(blob);
        let path = self.pack_path(&location.pack);
        let mut content = std::fs::read(&path).unwrap();
        content[(location.offset + location.length / 2) as usize] ^= 4;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, content).unwrap();
    }

    fn same(&self, path: &str) -> bool {
        let target = std::fs::read(self.target().join(path));
        target.is_ok_and(|content| content == std::fs::read(self.source().join(path)).unwrap())
    }

    fn with_storage(&self, storage: FaultyStorage) -> Repository {
        self.repository.with_storage(Arc::new(storage))
    }

    fn local(&self) -> Arc<LocalStorage> {
        Arc::new(LocalStorage::new(self.folder.path().join("vault")))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t28_a_flipped_bit_is_told_for_the_files_it_touches_and_no_others() {
    let vault = vault().await;
    let big = vault.blobs("big/1").await;
    vault.flip(big.last().unwrap());
    vault.flip(&vault.blobs("copy/a").await[0]);
    let lost = BTreeSet::from(["/big/1", "/copy/a", "/copy/b"].map(str::to_owned));
    write(&vault.target(), "big/1", "what was there before");
    for options in [RestoreOptions::default(), allow_partial()] {
        let report = vault.restore(&options).await.unwrap();
        assert_eq!(touched(&report), lost);
        assert!(!report.is_complete());
        assert!(
            report
                .problems
                .iter()
                .all(|problem| problem.kind == ErrorKind::Damaged)
        );
        // t29: the old file stays, nothing new appears, no partial file is left.
        let old = std::fs::read(vault.target().join("big/1")).unwrap();
        assert_eq!(old, b"what was there before");
        assert_eq!(names(&vault.target().join("big")), ["0", "1", "2"]);
        assert!(names(&vault.target().join("copy")).is_empty());
        assert!(vault.same("big/0") && vault.same("big/2"));
        assert!((0..40).all(|n| vault.same(&format!("small/{n}"))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t28_a_missing_pack_is_known_before_anything_is_written() {
    let vault = vault().await;
    let pack = vault.locate(&vault.blobs("small/7").await[0]).pack;
    let mut lost = BTreeSet::new();
    for folder in ["big", "small", "copy"] {
        for name in names(&vault.source().join(folder)) {
            let path = format!("{folder}/{name}");
            let blobs = vault.blobs(&path).await;
            if blobs.iter().any(|blob| vault.locate(blob).pack == pack) {
                lost.insert(format!("/{path}"));
            }
        }
    }
    std::fs::remove_file(vault.pack_path(&pack)).unwrap();
    let plan = vault.plan(&RestoreOptions::default()).await.unwrap();
    assert_eq!(plan.problems.len(), lost.len());
    let refused = vault.execute(plan).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Damaged);
    assert!(!vault.target().exists());

    let report = vault.restore(&allow_partial()).await.unwrap();
    assert_eq!(touched(&report), lost);
    for folder in ["big", "small", "copy"] {
        for name in names(&vault.source().join(folder)) {
            let path = format!("{folder}/{name}");
            let whole = !lost.contains(&format!("/{path}"));
            assert_eq!(vault.same(&path), whole, "{path}");
            assert_eq!(vault.target().join(&path).exists(), whole, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_that_was_cut_off_counts_for_the_blobs_behind_the_cut() {
    let vault = vault().await;
    let blobs = vault.blobs("big/1").await;
    let location = vault.locate(blobs.last().unwrap());
    let path = vault.pack_path(&location.pack);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_len((location.offset + location.length - 1).into())
        .unwrap();
    let report = vault.restore(&allow_partial()).await.unwrap();
    assert!(touched(&report).contains("/big/1"));
    assert!(!vault.target().join("big/1").exists());
    let expected: usize = ["big", "small", "copy"]
        .iter()
        .map(|dir| names(&vault.source().join(dir)).len())
        .sum();
    let found: usize = ["big", "small", "copy"]
        .iter()
        .map(|dir| names(&vault.target().join(dir)).len())
        .sum();
    assert_eq!(found + touched(&report).len(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_copy_of_a_damaged_blob_is_used() {
    let vault = vault().await;
    // The same data stored by a writer that knows nothing of the first: every blob is there twice.
    let index_folder = vault.folder.path().join("vault/index");
    let hidden = vault.folder.path().join("index");
    std::fs::rename(&index_folder, &hidden).unwrap();
    std::fs::create_dir(&index_folder).unwrap();
    let alone = open_repository(vault.local()).await;
    let _ = backup(&alone, &vault.source(), None).await;
    for name in names(&hidden) {
        std::fs::rename(hidden.join(&name), index_folder.join(&name)).unwrap();
    }
    let vault = vault.again().await;
    let blob = *vault.blobs("big/1").await.last().unwrap();
    assert_eq!(vault.index.locate_all(BlobKind::Data, &blob).count(), 2);
    vault.flip(&blob);
    vault.restore_all().await;
    assert!(vault.same("big/1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_tree_is_told_and_deletes_nothing() {
    let vault = vault().await;
    let root = vault
        .repository
        .load_tree(&vault.index, &vault.tree)
        .await
        .unwrap();
    let small = root.find(b"small").unwrap().subtree.unwrap();
    let location = vault.index.locate(BlobKind::Tree, &small).unwrap();
    let path = vault.pack_path(&location.pack);
    let mut content = std::fs::read(&path).unwrap();
    content[location.offset as usize + 20] ^= 1;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&path, content).unwrap();
    write(&vault.target(), "small/mine", "x");
    write(&vault.target(), "big/mine", "x");
    let options = RestoreOptions {
        delete: true,
        ..allow_partial()
    };
    let report = vault.restore(&options).await.unwrap();
    assert_eq!(touched(&report), BTreeSet::from(["/small".to_owned()]));
    assert!(vault.target().join("small/mine").exists() && vault.target().join("big/mine").exists());
    assert_eq!(report.deletions_withheld, 1);
    assert!(vault.same("big/0"));
    let strict = vault.restore(&RestoreOptions::default()).await.unwrap_err();
    assert_eq!(strict.kind(), ErrorKind::Damaged);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_fails_midway_leaves_nothing_half_written() {
    let mut vault = vault().await;
    // One call after the other fails, until a restore gets through.
    for calls in 0.. {
        assert!(calls < 200, "the restore never ends");
        let good = vault.repository.clone();
        let mut reads = 0;
        let faulty = FaultyStorage::new(vault.local(), move |asked| {
            reads += usize::from(asked.is(Operation::Read, "data/"));
            if reads > calls {
                Fault::Fail(StorageKind::Unreachable, Retry::Never)
            } else {
                Fault::None
            }
        });
        vault.repository = vault.with_storage(faulty);
        let report = vault.restore(&RestoreOptions::default()).await;
        vault.repository = good;
        for folder in ["big", "small", "copy"] {
            let dir = vault.target().join(folder);
            let there = if dir.exists() {
                names(&dir)
            } else {
                Vec::new()
            };
            // What is unfinished has a partial name, with which the next restore goes on.
            let there = there
                .iter()
                .filter(|name| !is_partial_name(name.as_bytes()));
            for name in there {
                assert!(
                    vault.same(&format!("{folder}/{name}")),
                    "{folder}/{name} after {calls}"
                );
            }
        }
        match report {
            Err(error) => assert_eq!(error.kind(), ErrorKind::Storage),
            Ok(report) if report.is_complete() => break,
            Ok(report) => assert_eq!(report.stopped.unwrap().kind(), ErrorKind::Storage),
        }
        std::fs::remove_dir_all(vault.target()).ok();
    }
}
