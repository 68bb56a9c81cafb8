//! Restores of whole repositories into real directories: what comes back is what was backed up, what is damaged is
//! told, and nothing is written where it should not be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conflicts;
mod crash;
mod damage;
mod existing;
mod forged;
mod full_disk;
mod options;
mod resume;
mod round_trip;
mod unprivileged;
mod work;

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strongroom_repository::format::{BlobKind, Id, Tree};
use strongroom_repository::index::Index;
use strongroom_repository::progress::Silent;
use strongroom_repository::restore::{
    RestoreOptions, RestorePlan, RestoreReport, RestoreSummary, plan_restore,
};
use strongroom_repository::{Repository, Result};
use strongroom_source::files::target::DirectoryTarget;
use strongroom_storage::LocalStorage;
use strongroom_testkit::engine::{PASSWORD, new_repository, open_repository};
use strongroom_testkit::engine_backup::backup;
use strongroom_testkit::{CompareOptions, Restic};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A repository that holds one tree.
struct Vault {
    folder: Folder,
    repository: Repository,
    index: Index,
    /// The tree of the folder that was backed up.
    tree: Id,
}

/// The folder of a vault, removed in the end if it is this process's.
struct Folder(PathBuf, #[allow(dead_code)] Option<TempDir>);

impl Folder {
    fn path(&self) -> &Path {
        &self.0
    }
}

impl From<TempDir> for Folder {
    fn from(folder: TempDir) -> Self {
        Self(folder.path().to_path_buf(), Some(folder))
    }
}

impl Vault {
    /// Our own backup of what `grow` puts into a folder.
    async fn ours(grow: impl FnOnce(&Path)) -> Self {
        Self::ours_at(tempfile::tempdir().unwrap(), grow).await
    }

    async fn ours_at(folder: TempDir, grow: impl FnOnce(&Path)) -> Self {
        let source = folder.path().join("source");
        std::fs::create_dir(&source).unwrap();
        grow(&source);
        let storage = Arc::new(LocalStorage::new(folder.path().join("vault")));
        let repository = new_repository(storage).await;
        let report = backup(&repository, &source, None).await;
        assert_eq!(report.figures.errors, 0);
        Self::open(folder, repository).await
    }

    /// The same below a folder.
    async fn ours_in(folder: &Path, grow: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir_in(folder).unwrap();
        Self::ours_at(folder, grow).await
    }

    /// restic's backup of it.
    async fn of_restic(version: u32, grow: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        std::fs::create_dir(&source).unwrap();
        grow(&source);
        let restic = Restic::new(folder.path().join("vault"), PASSWORD);
        restic.init_version(version);
        restic.backup(&[&source]);
        let storage = Arc::new(LocalStorage::new(folder.path().join("vault")));
        Self::open(folder, open_repository(storage).await).await
    }

    /// What another process has made.
    async fn existing(folder: &Path, repository: Repository) -> Self {
        Self::open(Folder(folder.to_path_buf(), None), repository).await
    }

    async fn open(folder: impl Into<Folder>, repository: Repository) -> Self {
        let folder = folder.into();
        let index = repository.load_index(&Silent).await.unwrap();
        let newest = repository
            .load_snapshots(&Silent)
            .await
            .unwrap()
            .pop()
            .unwrap();
        let mut tree = newest.snapshot.tree;
        for name in folder.path().join("source").components().skip(1) {
            let nodes = repository.load_tree(&index, &tree).await.unwrap();
            let node = nodes.find(name.as_os_str().as_bytes()).unwrap();
            tree = node.subtree.unwrap();
        }
        Self {
            folder,
            repository,
            index,
            tree,
        }
    }

    /// As another process would open it, after its files were changed.
    async fn again(self) -> Self {
        let storage = Arc::new(LocalStorage::new(self.folder.path().join("vault")));
        let repository = open_repository(storage).await;
        let index = repository.load_index(&Silent).await.unwrap();
        Self {
            repository,
            index,
            ..self
        }
    }

    /// With another tree in place of the one that was backed up.
    async fn with_tree(self, tree: &Tree) -> Self {
        let plain = tree.encode().unwrap();
        let tree = forged::store(&self.repository, &[(BlobKind::Tree, plain)]).await[0];
        Self {
            tree,
            ..self.again().await
        }
    }

    fn source(&self) -> PathBuf {
        self.folder.path().join("source")
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join("target")
    }

    async fn plan(&self, options: &RestoreOptions) -> Result<RestorePlan> {
        self.plan_tree(self.tree, options).await
    }

    async fn plan_tree(&self, tree: Id, options: &RestoreOptions) -> Result<RestorePlan> {
        let target = Arc::new(DirectoryTarget::new(self.target()));
        let cancel = CancellationToken::new();
        let repository = &self.repository;
        plan_restore(
            repository,
            &self.index,
            tree,
            target,
            options,
            &Silent,
            &cancel,
        )
        .await
    }

    async fn execute(&self, plan: RestorePlan) -> Result<RestoreReport> {
        let cancel = CancellationToken::new();
        plan.execute(&self.repository, &self.index, &Silent, &cancel)
            .await
    }

    async fn restore(&self, options: &RestoreOptions) -> Result<RestoreReport> {
        self.execute(self.plan(options).await?).await
    }

    /// Restores everything and expects nothing to go wrong.
    async fn restore_all(&self) -> RestoreSummary {
        let report = self.restore(&RestoreOptions::default()).await.unwrap();
        assert!(report.is_complete(), "{report:#?}");
        assert_eq!(
            (report.owners_withheld, report.extended_attributes_withheld),
            (0, 0)
        );
        report.summary
    }
}

/// The folder itself is the target's and gets no attributes.
fn below_root() -> CompareOptions {
    CompareOptions {
        root: false,
        ..CompareOptions::default()
    }
}

fn write(root: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
