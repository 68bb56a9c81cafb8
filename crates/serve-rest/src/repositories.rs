//! The repositories below the root.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use strongroom_storage::rest::protocol::{CONFIG, FOLDERS};
use strongroom_storage::{LocalStorage, Storage, StoragePath};

/// The folder of our own files in a repository.
const OURS: &str = "strongroom";

/// Opens repositories, each once, so that what a storage remembers between calls is kept.
#[derive(Debug)]
pub(crate) struct Repositories {
    root: PathBuf,
    opened: Mutex<HashMap<PathBuf, Arc<LocalStorage>>>,
}

/// Why a repository cannot be made somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InTheWay {
    /// The place lies inside another repository.
    Above,
    /// The place holds something that is no part of a repository, such as another one.
    Below,
}

impl Repositories {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self {
            root,
            opened: Mutex::default(),
        }
    }

    fn folder(&self, repository: Option<&StoragePath>) -> PathBuf {
        match repository {
            Some(path) => self.root.join(path.as_str()),
            None => self.root.clone(),
        }
    }

    /// The repository's storage. Those that exist are remembered; a stranger's invented names are not.
    pub(crate) fn open(&self, repository: Option<&StoragePath>) -> Arc<LocalStorage> {
        let folder = self.folder(repository);
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = opened.get(&folder) {
            return Arc::clone(known);
        }
        let storage = Arc::new(LocalStorage::new(&folder));
        if folder.is_dir() {
            opened.insert(folder, Arc::clone(&storage));
        }
        storage
    }

    /// Whether the repository has been made.
    pub(crate) fn exists(&self, repository: Option<&StoragePath>) -> bool {
        self.folder(repository).is_dir()
    }

    /// Makes a repository's folder. One never lies inside another: a listing of the outer one would show the files of the
    /// inner one.
    pub(crate) async fn create(
        &self,
        repository: Option<&StoragePath>,
    ) -> strongroom_storage::Result<Result<(), InTheWay>> {
        if let Some(in_the_way) = self.in_the_way(repository) {
            return Ok(Err(in_the_way));
        }
        let storage = LocalStorage::new(self.folder(repository));
        storage.create().await.map(Ok)
    }

    fn in_the_way(&self, repository: Option<&StoragePath>) -> Option<InTheWay> {
        let folder = self.folder(repository);
        let above = folder.ancestors().skip(1);
        let mut above = above.take_while(|above| above.starts_with(&self.root));
        let is_repository =
            |folder: &std::path::Path| folder.join(CONFIG).exists() || folder.join("keys").exists();
        if above.any(is_repository) {
            return Some(InTheWay::Above);
        }
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let is_part = |name: &str| name == CONFIG || name == OURS || FOLDERS.contains(&name);
        let mut names = entries.map(|entry| entry.file_name());
        let strange = names.any(|name| {
            let name = name.to_string_lossy();
            // Temporary files of a write that was interrupted, and what file systems put into their roots.
            !(is_part(&name) || name.contains('~') || name == "lost+found")
        });
        strange.then_some(InTheWay::Below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository inside another shows up in its listings, and a prune of the outer one removes it.
    #[tokio::test]
    async fn one_never_lies_inside_another() {
        let root = tempfile::tempdir().unwrap();
        let repositories = Repositories::new(root.path().to_owned());
        let path = |text: &str| StoragePath::new(text).unwrap();
        let (outer, inner) = (path("ada"), path("ada/photos"));
        let create = async |path: &StoragePath| repositories.create(Some(path)).await.unwrap();
        assert_eq!(create(&inner).await, Ok(()));
        assert_eq!(create(&inner).await, Ok(()), "again");
        assert_eq!(create(&outer).await, Err(InTheWay::Below));
        fs::write(root.path().join("ada/photos/config"), b"x").unwrap();
        let deeper = path("ada/photos/old");
        assert_eq!(create(&deeper).await, Err(InTheWay::Above));
        assert!(!repositories.exists(Some(&deeper)));
        assert_eq!(create(&path("bob")).await, Ok(()));
    }
}
