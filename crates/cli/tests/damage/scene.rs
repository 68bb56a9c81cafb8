//! A repository with two snapshots, and where in it what lies.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;
use strongroom_repository::crypto::KdfParams;
use strongroom_repository::format::{BlobKind, Id};
use strongroom_repository::index::Index;
use strongroom_repository::lock::Access;
use strongroom_repository::progress::Silent;
use strongroom_repository::repository::OpenOptions;
use strongroom_repository::{FileKind, Repository};
use strongroom_storage::LocalStorage;
use strongroom_testkit::engine::{FakeClock, FakeHost, key_owner};
use strongroom_testkit::{Random, strongroom};
use tokio_util::sync::CancellationToken;

use crate::action::{self, Action, Place};
use crate::vault::{Vault, copy};

/// A kind of file of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    Config,
    Key,
    Index,
    PackHeader,
    PackData,
    PackTree,
    Snapshot,
    Lock,
    Cache,
}

impl Object {
    pub const ALL: [Self; 9] = [
        Self::Config,
        Self::Key,
        Self::Index,
        Self::PackHeader,
        Self::PackData,
        Self::PackTree,
        Self::Snapshot,
        Self::Lock,
        Self::Cache,
    ];

    /// As the document says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => "`config`",
            Self::Key => "key",
            Self::Index => "index",
            Self::PackHeader => "header of a pack",
            Self::PackData => "pack of data",
            Self::PackTree => "pack of trees",
            Self::Snapshot => "snapshot",
            Self::Lock => "lock",
            Self::Cache => "cache",
        }
    }

    /// The folder whose files make up an earlier state.
    fn folder(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Key => "keys",
            Self::Index => "index",
            Self::PackHeader | Self::PackData | Self::PackTree => "data",
            Self::Snapshot => "snapshots",
            Self::Lock => "locks",
            Self::Cache => "cache",
        }
    }
}

/// The files of the first snapshot, and those that the second has, too.
pub const FILES: [&str; 4] = ["keep/a", "keep/b", "new/c", "new/d"];
pub const FILES_BEFORE: usize = 2;

/// A home with the repository `vault`, its earlier state `before`, its cache `cache`, and `source`.
pub struct Scene {
    pub vault: Vault,
    files: [Files; 2],
    other_config: PathBuf,
}

/// The files that one backup brought.
struct Files {
    key: Id,
    index: Id,
    data: Id,
    tree: Id,
    snapshot: Id,
    lock: Id,
    /// Where a data blob, a tree, and the header of the pack of data lie: the first byte and how many.
    blob: (usize, usize),
    root: (usize, usize),
    header: (usize, usize),
}

impl Scene {
    pub fn new() -> Self {
        let vault = Vault::new(strongroom!());
        std::fs::remove_dir_all(vault.path("source")).unwrap();
        let mut random = Random::new(3);
        let mut write = |name: &str| {
            let path = vault.path("source").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, random.bytes(3000)).unwrap();
        };
        let cached = ["--cache-dir", "cache"];
        write(FILES[0]);
        write(FILES[1]);
        vault
            .run(&[&["backup", "source"][..], &cached].concat())
            .ok();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let first = runtime.block_on(Files::newest(&vault, &[], 1));
        copy(&vault.path("vault"), &vault.path("before"));
        copy(&vault.path("cache"), &vault.path("cache-before"));
        write(FILES[2]);
        write(FILES[3]);
        vault
            .run(&[&["backup", "source"][..], &cached].concat())
            .ok();
        vault.run(&[&["ls", "latest"][..], &cached].concat()).ok();
        let second = runtime.block_on(Files::newest(&vault, &[&first], 2));
        let other = Vault::new(strongroom!());
        let other_config = vault.path("other-config");
        std::fs::copy(other.path("vault/config"), &other_config).unwrap();
        Self {
            vault,
            files: [first, second],
            other_config,
        }
    }

    /// A copy of the repository and its cache in a folder of their own, damaged. The file that was damaged, if one can
    /// be named.
    pub fn damaged(&self, folder: &Path, object: Object, action: Action) -> Option<String> {
        copy(&self.vault.path("vault"), &folder.join("vault"));
        // What is damaged in the repository may be whole in the cache: that is another row. Locks are, too.
        if object == Object::Cache {
            copy(&self.vault.path("cache"), &folder.join("cache"));
        }
        self.remove_lock(folder, 0);
        if object != Object::Lock {
            self.remove_lock(folder, 1);
        }
        if action == Action::Older {
            self.set_back(folder, object);
            return None;
        }
        if object == Object::Cache {
            for path in files_below(&folder.join("cache")) {
                let length = std::fs::metadata(&path).unwrap().len() as usize;
                let place = place(0, length);
                if length > 0 {
                    action::damage(&path, &self.other_config, &place, action);
                }
            }
            return None;
        }
        let vault = folder.join("vault");
        let (path, other) = self.pair(&vault, object);
        let (first, length) = match object {
            Object::PackData => self.files[0].blob,
            Object::PackTree => self.files[1].root,
            Object::PackHeader => self.files[0].header,
            _ => (0, std::fs::metadata(&path).unwrap().len() as usize),
        };
        let mut place = place(first, length);
        if object == Object::PackHeader {
            place.cut_to = first + length - 1;
        }
        match (object, action) {
            (Object::PackHeader, Action::Swap) => {
                let theirs = std::fs::read(&other).unwrap();
                let theirs = theirs[theirs.len() - length..].to_vec();
                action::change(&path, |content| content[first..].copy_from_slice(&theirs));
            }
            _ => action::damage(&path, &other, &place, action),
        }
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    }

    fn remove_lock(&self, folder: &Path, backup: usize) {
        let path = FileKind::Lock.path(&self.files[backup].lock).unwrap();
        std::fs::remove_file(folder.join("vault").join(path.as_str())).unwrap();
    }

    /// The file that is damaged, and another of its kind in the repository that is whole. Of packs of data the first snapshot's: both snapshots need it.
    fn pair(&self, vault: &Path, object: Object) -> (PathBuf, PathBuf) {
        let [first, second] = &self.files;
        let (kind, one, other) = match object {
            Object::Config => return (vault.join("config"), self.other_config.clone()),
            Object::Key => (FileKind::Key, first.key, second.key),
            Object::Index => (FileKind::Index, second.index, first.index),
            Object::PackHeader | Object::PackData => (FileKind::Pack, first.data, second.data),
            Object::PackTree => (FileKind::Pack, second.tree, first.tree),
            Object::Snapshot => (FileKind::Snapshot, second.snapshot, first.snapshot),
            Object::Lock => (FileKind::Lock, second.lock, first.lock),
            Object::Cache => unreachable!("all of its files"),
        };
        let path = |vault: &Path, id: &Id| vault.join(kind.path(id).unwrap().as_str());
        (path(vault, &one), path(&self.vault.path("vault"), &other))
    }

    /// Puts the files of a kind back to where they were before the second backup.
    fn set_back(&self, folder: &Path, object: Object) {
        let (now, before) = match object {
            Object::Cache => (folder.join("cache"), self.vault.path("cache-before")),
            _ => {
                let before = self.vault.path("before").join(object.folder());
                (folder.join("vault").join(object.folder()), before)
            }
        };
        if object == Object::Config {
            std::fs::remove_file(&now).unwrap();
            std::fs::copy(before, now).unwrap();
            return;
        }
        let gone = match object {
            Object::PackTree => Some(self.files[1].tree),
            Object::PackHeader | Object::PackData => Some(self.files[1].data),
            _ => None,
        };
        if let Some(id) = gone {
            let path = FileKind::Pack.path(&id).unwrap();
            std::fs::remove_file(folder.join("vault").join(path.as_str())).unwrap();
            return;
        }
        std::fs::remove_dir_all(&now).unwrap();
        copy(&before, &now);
    }
}

pub fn place(first: usize, length: usize) -> Place {
    Place {
        flip_at: first + length / 2,
        cut_to: first + length / 2,
    }
}

impl Files {
    /// What is there beyond the files of earlier backups; adds a key and a lock to it.
    async fn newest(vault: &Vault, known: &[&Self], pid: u32) -> Self {
        let storage = Arc::new(LocalStorage::new(vault.path("vault")));
        let password = SecretString::from("try-me");
        let options = OpenOptions::default();
        let repository = Repository::open(storage, &password, &options)
            .await
            .unwrap();
        let index = repository.load_index(&Silent).await.unwrap();
        let key = match known {
            [] => repository.key_id(),
            _ => {
                let (password, owner) = (SecretString::from("other"), key_owner());
                let cheap = KdfParams { n: 2, r: 1, p: 1 };
                let added = repository.add_key(&password, cheap, &owner).await;
                added.unwrap()
            }
        };
        // A lock of a machine that nobody can ask, and that has not been written anew for months.
        let locks = FakeHost::new("elsewhere", pid).lock_options(&FakeClock::new());
        let cancel = CancellationToken::new();
        let lock = repository.lock(Access::Append, &locks, &cancel).await;
        drop(lock.unwrap());
        let new = async |kind: FileKind, known: Vec<Id>| {
            let files = repository.list(kind).await.unwrap();
            let mut new = files.into_iter().filter(|file| !known.contains(&file.id));
            let found = new.next().unwrap();
            (found.id, found.size_bytes as usize)
        };
        let snapshot = new(
            FileKind::Snapshot,
            known.iter().map(|one| one.snapshot).collect(),
        )
        .await
        .0;
        let root = repository.load_snapshot(&snapshot).await.unwrap().tree;
        let (data, tree, blob, blobs_end) = packs(&index, known, &root);
        let files = repository.list(FileKind::Pack).await.unwrap();
        let size = files
            .iter()
            .find(|file| file.id == data)
            .unwrap()
            .size_bytes as usize;
        Self {
            key,
            index: new(FileKind::Index, known.iter().map(|one| one.index).collect())
                .await
                .0,
            data,
            tree: tree.0,
            snapshot,
            lock: new(FileKind::Lock, known.iter().map(|one| one.lock).collect())
                .await
                .0,
            blob,
            root: tree.1,
            header: (blobs_end, size - blobs_end),
        }
    }
}

type Stretch = (usize, usize);

/// The new pack of data, the pack of the root tree and where that lies, the first new blob, and where the blobs end.
fn packs(index: &Index, known: &[&Files], root: &Id) -> (Id, (Id, Stretch), Stretch, usize) {
    let tree = index.locate(BlobKind::Tree, root).unwrap();
    let is_new = |pack: &Id| known.iter().all(|files| files.data != *pack);
    let mut blobs: Vec<_> = index
        .blobs(BlobKind::Data)
        .map(|blob| blob.location)
        .collect();
    blobs.retain(|location| is_new(&location.pack));
    blobs.sort_by_key(|location| location.offset);
    let (first, last) = (blobs[0], blobs[blobs.len() - 1]);
    let stretch = |offset: u32, length: u32| (offset as usize, length as usize);
    (
        first.pack,
        (tree.pack, stretch(tree.offset, tree.length)),
        stretch(first.offset, first.length),
        (last.offset + last.length) as usize,
    )
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}
