//! The calls of a storage, each on a blocking thread.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::failure::Failure;
use super::folders::{self, Modes};
use super::publish::Decided;
use super::removals::Removals;
use super::{read, walk, write};
use crate::{
    Buffers, ByteRange, Capabilities, Class, ErrorKind, FileInfo, Operation, Result, Storage,
    StoragePath, WriteMode,
};

/// Blocking calls that a disk still gains from; on one spinning disk more only makes it seek.
const CONNECTIONS: usize = 4;

/// A directory as a storage. Cheap to clone. See the module for what it promises.
#[derive(Debug, Clone)]
pub struct LocalStorage {
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    root: PathBuf,
    modes: OnceLock<Modes>,
    removals: Removals,
    memory: Buffers,
    /// Temporary files that a listing found and the next write or deletion removes.
    stale: Mutex<Vec<PathBuf>>,
    /// Set once a write had to look before it renamed.
    decides_by_looking: AtomicBool,
}

impl LocalStorage {
    /// The storage in this directory; touches nothing yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let state = State {
            root: root.into(),
            modes: OnceLock::new(),
            removals: Removals::default(),
            memory: read::memory(),
            stale: Mutex::default(),
            decides_by_looking: AtomicBool::new(false),
        };
        Self {
            state: Arc::new(state),
        }
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.state.root
    }

    async fn blocking<T, W>(
        &self,
        operation: Operation,
        path: Option<&StoragePath>,
        work: W,
    ) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&State) -> std::result::Result<T, Failure> + Send + 'static,
    {
        let state = Arc::clone(&self.state);
        tokio::task::spawn_blocking(move || work(&state))
            .await
            .unwrap_or_else(|_| {
                Err(Failure::new(
                    ErrorKind::Io,
                    "the call was stopped with the program",
                ))
            })
            .map_err(|failure| failure.at(operation, self.location(), path))
    }
}

impl State {
    fn file(&self, path: &StoragePath) -> PathBuf {
        self.root.join(path.as_str())
    }

    fn write(
        &self,
        path: &StoragePath,
        data: &[u8],
        mode: WriteMode,
        abandoned: &AtomicBool,
    ) -> std::result::Result<(), Failure> {
        self.remove_stale();
        let modes = *self.modes.get_or_init(|| Modes::of(&self.root));
        let job = write::Job {
            root: &self.root,
            path,
            modes,
            mode,
            abandoned,
        };
        if job.run(data)? == Decided::ByLooking {
            self.decides_by_looking.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn list(&self, folder: Option<&StoragePath>) -> std::result::Result<Vec<FileInfo>, Failure> {
        let found = walk::walk(&self.root, folder)?;
        self.stale
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(found.stale);
        Ok(found.files)
    }

    /// Only those who change something anyway do this, never one who just reads.
    fn remove_stale(&self) {
        for stale in std::mem::take(&mut *self.stale.lock().unwrap_or_else(PoisonError::into_inner))
        {
            let _ = fs::remove_file(stale);
        }
    }

    fn delete(&self, path: &StoragePath) -> std::result::Result<(), Failure> {
        self.remove_stale();
        let file = self.file(path);
        self.removals.before(path)?;
        // Asked first, since unlink on a folder is EISDIR here and EPERM there.
        if fs::symlink_metadata(&file).map_err(read::absent)?.is_dir() {
            return Err(Failure::new(ErrorKind::NotFound, "not a regular file"));
        }
        fs::remove_file(&file).map_err(read::absent)?;
        self.removals
            .after(path, file.parent().unwrap_or(&self.root));
        Ok(())
    }
}

/// Tells the blocking thread that nobody waits any more.
struct AbandonOnDrop(Arc<AtomicBool>);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[async_trait]
impl Storage for LocalStorage {
    fn location(&self) -> String {
        format!("local:{}", self.state.root.display())
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            atomic_new: !self.state.decides_by_looking.load(Ordering::Relaxed),
            atomic_replace: true,
            connections: CONNECTIONS,
            local: true,
            own_folders: true,
            must_be_created: true,
            confirms_writes: true,
            whole_files: true,
        }
    }

    async fn create(&self) -> Result<()> {
        self.blocking(Operation::Create, None, |state| {
            Ok(folders::make_root(&state.root)?)
        })
        .await
    }

    async fn list(&self, folder: Option<&StoragePath>) -> Result<Vec<FileInfo>> {
        let owned = folder.cloned();
        self.blocking(Operation::List, folder, move |state| {
            state.list(owned.as_ref())
        })
        .await
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        let owned = path.clone();
        let stat = move |state: &State| {
            let size_bytes = read::size(&state.file(&owned))?;
            Ok(FileInfo {
                path: owned,
                size_bytes,
            })
        };
        self.blocking(Operation::Stat, Some(path), stat).await
    }

    async fn read(&self, path: &StoragePath, range: Option<ByteRange>, _: Class) -> Result<Bytes> {
        let owned = path.clone();
        self.blocking(Operation::Read, Some(path), move |state| {
            read::read(&state.file(&owned), range, &state.memory)
        })
        .await
    }

    async fn write(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        _: Class,
    ) -> Result<()> {
        let owned = path.clone();
        let abandoned = Arc::new(AtomicBool::new(false));
        let _guard = AbandonOnDrop(Arc::clone(&abandoned));
        let write = move |state: &State| state.write(&owned, &data, mode, &abandoned);
        self.blocking(Operation::Write, Some(path), write).await
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        let owned = path.clone();
        self.blocking(Operation::Delete, Some(path), move |state| {
            state.delete(&owned)
        })
        .await
    }

    async fn remove_empty_folder(&self, folder: &StoragePath) -> Result<()> {
        let owned = folder.clone();
        let remove = move |state: &State| match fs::remove_dir(state.file(&owned)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        };
        self.blocking(Operation::Delete, Some(folder), remove).await
    }
}
