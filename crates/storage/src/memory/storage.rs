//! The calls of a storage on one map behind a mutex.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    ByteRange, Capabilities, Class, ErrorKind, FileInfo, Operation, Result, Storage, StorageError,
    StoragePath, WriteMode,
};

type Files = BTreeMap<StoragePath, Bytes>;

/// Files in memory. Clones share them.
#[derive(Clone)]
pub struct MemoryStorage {
    /// `None` until it was created.
    files: Arc<Mutex<Option<Files>>>,
}

impl MemoryStorage {
    /// An empty storage that can be written to at once.
    pub fn new() -> Self {
        Self {
            files: Arc::new(Mutex::new(Some(Files::new()))),
        }
    }

    /// A storage that does not exist before [`Storage::create`].
    pub fn missing() -> Self {
        Self {
            files: Arc::new(Mutex::new(None)),
        }
    }

    /// A storage with a copy of all files of this one, independent of it from now on.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            files: Arc::new(Mutex::new(self.lock().clone())),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Files>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(
        &self,
        operation: Operation,
        path: Option<&StoragePath>,
        work: impl FnOnce(&mut Files) -> std::result::Result<T, (ErrorKind, String)>,
    ) -> Result<T> {
        let result = match self.lock().as_mut() {
            Some(files) => work(files),
            None => Err((
                ErrorKind::NotFound,
                "the storage was not created".to_owned(),
            )),
        };
        result.map_err(|(kind, message)| {
            StorageError::new(kind, operation, self.location(), path, message)
        })
    }
}

impl Default for MemoryStorage {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for MemoryStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let files = self.lock().as_ref().map(BTreeMap::len);
        f.debug_struct("MemoryStorage")
            .field("files", &files)
            .finish()
    }
}

fn no_such_file() -> (ErrorKind, String) {
    (ErrorKind::NotFound, "no such file".to_owned())
}

fn cut(data: &Bytes, range: ByteRange) -> std::result::Result<Bytes, (ErrorKind, String)> {
    range
        .check(data.len() as u64)
        .map_err(|message| (ErrorKind::RangeOutside, message))?;
    // Fits: the range lies inside the data.
    let start = range.offset as usize;
    Ok(data.slice(start..start + range.length as usize))
}

#[async_trait]
impl Storage for MemoryStorage {
    fn location(&self) -> String {
        "memory:".to_owned()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            atomic_new: true,
            atomic_replace: true,
            connections: 4,
            local: true,
            own_folders: true,
            must_be_created: true,
            confirms_writes: true,
            whole_files: true,
        }
    }

    async fn create(&self) -> Result<()> {
        self.lock().get_or_insert_default();
        Ok(())
    }

    async fn list(&self, folder: Option<&StoragePath>) -> Result<Vec<FileInfo>> {
        let prefix = folder.map_or_else(String::new, |folder| format!("{folder}/"));
        self.with(Operation::List, folder, |files| {
            let inside = files
                .iter()
                .filter(|(path, _)| path.as_str().starts_with(&prefix));
            Ok(inside
                .map(|(path, data)| FileInfo {
                    path: path.clone(),
                    size_bytes: data.len() as u64,
                })
                .collect())
        })
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        self.with(Operation::Stat, Some(path), |files| {
            let data = files.get(path).ok_or_else(no_such_file)?;
            Ok(FileInfo {
                path: path.clone(),
                size_bytes: data.len() as u64,
            })
        })
    }

    async fn read(&self, path: &StoragePath, range: Option<ByteRange>, _: Class) -> Result<Bytes> {
        self.with(Operation::Read, Some(path), |files| {
            let data = files.get(path).ok_or_else(no_such_file)?;
            range.map_or_else(|| Ok(data.clone()), |range| cut(data, range))
        })
    }

    async fn write(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        _: Class,
    ) -> Result<()> {
        self.with(Operation::Write, Some(path), |files| {
            if mode == WriteMode::New && files.contains_key(path) {
                return Err((
                    ErrorKind::AlreadyExists,
                    "a file of that name exists".to_owned(),
                ));
            }
            files.insert(path.clone(), data);
            Ok(())
        })
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        self.with(Operation::Delete, Some(path), |files| {
            files.remove(path).map(drop).ok_or_else(no_such_file)
        })
    }
}
