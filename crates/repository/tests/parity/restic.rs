//! A repository that the real restic made, used, and judges in the end.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use strongroom_repository::parity::recover::{self, RecoverOptions};
use strongroom_repository::parity::{self, ParityOptions};
use strongroom_repository::progress::Silent;
use strongroom_storage::LocalStorage;
use strongroom_testkit::engine::{PASSWORD, open_repository};
use strongroom_testkit::{Random, Restic};
use tempfile::TempDir;

use crate::vault::{self, exclusive};

struct Scene {
    dir: TempDir,
    restic: Restic,
    storage: LocalStorage,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let restic = Restic::new(dir.path().join("vault"), PASSWORD);
        restic.init();
        std::fs::create_dir(dir.path().join("source")).unwrap();
        let storage = LocalStorage::new(dir.path().join("vault"));
        let scene = Self {
            dir,
            restic,
            storage,
        };
        for seed in 0..6 {
            scene.backup(seed);
        }
        scene
    }

    fn source(&self) -> PathBuf {
        self.dir.path().join("source")
    }

    fn backup(&self, seed: u64) {
        let bytes = Random::new(seed).bytes(900_000);
        std::fs::write(self.source().join(format!("file{seed}")), bytes).unwrap();
        self.restic.backup(&[&self.source()]);
    }

    fn pack(&self, at: usize) -> PathBuf {
        let packs = self.restic.list("packs");
        let name = &packs[at];
        self.dir
            .path()
            .join("vault/data")
            .join(&name[..2])
            .join(name)
    }

    fn one_of(&self, folder: &str) -> PathBuf {
        let folder = self.dir.path().join("vault").join(folder);
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|f| f.unwrap().path())
            .collect();
        files.sort();
        files.remove(0)
    }
}

fn damage(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 1;
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// What the whole thing is for: no other program can bring these back.
#[tokio::test(flavor = "multi_thread")]
async fn damaged_and_lost_files_of_a_restic_repository_come_back_and_restic_is_content() {
    let scene = Scene::new();
    let repository = open_repository(Arc::new(scene.storage.clone())).await;
    vault::make(&repository, &exclusive(20)).await.unwrap();
    // restic goes on as if nothing was there.
    scene.restic.check_read_data();
    let before = vault::files(&scene.storage, "").await;
    // A damaged pack, a lost index file, a lost and a damaged snapshot, all keys and `config`.
    damage(&scene.pack(0), 40);
    std::fs::remove_file(scene.one_of("index")).unwrap();
    std::fs::remove_file(scene.one_of("snapshots")).unwrap();
    damage(&scene.one_of("snapshots"), 40);
    std::fs::remove_file(scene.one_of("keys")).unwrap();
    std::fs::remove_file(scene.dir.path().join("vault/config")).unwrap();
    let options = RecoverOptions {
        read_data: true,
        missing: true,
        ..RecoverOptions::default()
    };
    let plan = vault::plan(&scene.storage, &options).await;
    let report = vault::execute(&scene.storage, &plan).await;
    assert_eq!((report.recovered.len(), report.failed.len()), (6, 0));
    assert_eq!(vault::files(&scene.storage, "").await, before);
    scene.restic.check_read_data();
    let target = scene.dir.path().join("target");
    scene
        .restic
        .restore_folder("latest", &scene.source(), &target);
    for seed in 0..6 {
        let name = format!("file{seed}");
        let back = std::fs::read(target.join(&name)).unwrap();
        assert_eq!(back, std::fs::read(scene.source().join(&name)).unwrap());
    }
}

/// restic removes packs, index files and snapshots and knows nothing of parity: to bring these back would undo it.
#[tokio::test(flavor = "multi_thread")]
async fn what_restics_prune_removed_is_not_brought_back_and_our_prune_lets_it_go() {
    let scene = Scene::new();
    let repository = open_repository(Arc::new(scene.storage.clone())).await;
    vault::make(&repository, &exclusive(20)).await.unwrap();
    std::fs::remove_file(scene.source().join("file0")).unwrap();
    scene.backup(100);
    scene.restic.forget_prune(["--keep-last", "1"]);
    let pruned = vault::files(&scene.storage, "").await;
    let status = parity::status(&scene.storage).await.unwrap();
    assert!(!status.missing.is_empty());
    // With what the index says, and without a password.
    let needed = recover::needed(&repository, &Silent).await.unwrap();
    for needed in [Some(needed), None] {
        let options = RecoverOptions {
            read_data: true,
            needed,
            ..RecoverOptions::default()
        };
        let plan = vault::plan(&scene.storage, &options).await;
        assert_eq!(plan.to_recover().count(), 0);
        assert!(!plan.items().is_empty());
    }
    let accepted = ParityOptions {
        accept_missing: true,
        exclusive: true,
        percent: None,
    };
    vault::keep(&repository, &accepted).await.unwrap();
    let status = parity::status(&scene.storage).await.unwrap();
    assert_eq!((status.missing.len(), status.files_unprotected), (0, 0));
    assert_eq!(vault::files(&scene.storage, "").await, pruned);
    scene.restic.check_read_data();
}
