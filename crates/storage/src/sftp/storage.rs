//! The calls of a storage, each over a session with the server.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::client::Client;
use super::folders::{self, Modes};
use super::place::Place;
use super::pool::{CALLS_A_SESSION, Pool, Turn};
use super::publish::Decided;
use super::reasons::{absent, file_type, unchanged};
use super::removals::Removals;
use super::reply::FileType;
use super::request::Request;
use super::{SftpLocation, read, walk, write};
use crate::failure::Failure;
use crate::{
    ByteRange, Capabilities, Class, ErrorKind, FileInfo, Operation, Result, Storage, StoragePath,
    WriteMode,
};

/// A folder on a server as a storage. Cheap to clone. See the module for what it promises.
#[derive(Debug, Clone)]
pub struct SftpStorage {
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    location: SftpLocation,
    place: Arc<Place>,
    pool: Arc<Pool>,
    connections: usize,
    modes: OnceLock<Modes>,
    removals: Removals,
    /// Temporary files that a listing found and the next write or deletion removes.
    stale: Mutex<Vec<String>>,
    /// Set once a new file was named by looking first, or on a server that has no other way.
    looks_for_new: AtomicBool,
    /// The same for a file that replaces another.
    looks_to_replace: AtomicBool,
}

impl SftpStorage {
    /// Touches nothing yet.
    pub(super) fn new(location: &SftpLocation, pool: Pool, sessions: usize) -> Self {
        let state = State {
            location: location.clone(),
            place: Arc::new(location.place().clone()),
            pool: Arc::new(pool),
            connections: sessions.saturating_mul(CALLS_A_SESSION),
            modes: OnceLock::new(),
            removals: Removals::default(),
            stale: Mutex::default(),
            looks_for_new: AtomicBool::new(false),
            looks_to_replace: AtomicBool::new(false),
        };
        Self {
            state: Arc::new(state),
        }
    }

    fn at<T>(
        &self,
        operation: Operation,
        path: Option<&StoragePath>,
        result: std::result::Result<T, Failure>,
    ) -> Result<T> {
        result.map_err(|failure| failure.at(operation, self.location(), path))
    }
}

type Outcome<T> = std::result::Result<T, Failure>;

impl State {
    /// A session for a call. What its server cannot do is known from here on.
    async fn turn(&self) -> Outcome<Turn> {
        let turn = self.pool.turn().await?;
        let features = turn.client().features();
        if !features.link {
            self.looks_for_new.store(true, Ordering::Relaxed);
        }
        if !features.rename_replacing {
            self.looks_to_replace.store(true, Ordering::Relaxed);
        }
        Ok(turn)
    }

    async fn create(&self) -> Outcome<()> {
        let turn = self.turn().await?;
        folders::make_root(turn.client(), &self.place).await
    }

    async fn list(&self, folder: Option<&StoragePath>) -> Outcome<Vec<FileInfo>> {
        let turn = self.turn().await?;
        let found = walk::walk(turn.client(), &self.place, folder).await?;
        let mut stale = self.stale.lock().unwrap_or_else(PoisonError::into_inner);
        stale.extend(found.stale);
        Ok(found.files)
    }

    async fn stat(&self, path: &StoragePath) -> Outcome<FileInfo> {
        let turn = self.turn().await?;
        let size_bytes = read::size(turn.client(), &self.place, path).await?;
        Ok(FileInfo {
            path: path.clone(),
            size_bytes,
        })
    }

    async fn read(&self, path: &StoragePath, range: Option<ByteRange>) -> Outcome<Bytes> {
        let turn = self.turn().await?;
        read::read(turn.client(), &self.place, path, range).await
    }

    async fn write(&self, path: &StoragePath, data: &Bytes, mode: WriteMode) -> Outcome<()> {
        let turn = self.turn().await?;
        let client = turn.client();
        self.remove_stale(client).await?;
        let job = write::Job {
            client,
            place: &self.place,
            path,
            modes: self.modes(client).await?,
            mode,
        };
        if job.run(data).await? == Decided::ByLooking {
            let looks = match mode {
                WriteMode::New => &self.looks_for_new,
                WriteMode::Replace => &self.looks_to_replace,
            };
            looks.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn modes(&self, client: &Client) -> Outcome<Modes> {
        if let Some(modes) = self.modes.get() {
            return Ok(*modes);
        }
        let modes = Modes::of(client, &self.place).await?;
        Ok(*self.modes.get_or_init(|| modes))
    }

    /// Only those who change something anyway do this, never one who just reads.
    async fn remove_stale(&self, client: &Client) -> Outcome<()> {
        let stale = std::mem::take(&mut *self.stale.lock().unwrap_or_else(PoisonError::into_inner));
        for name in stale {
            // Whether it works is of no concern to the call; the next listing sees what is left.
            client.ask(Request::Remove(&name)).await?;
        }
        Ok(())
    }

    async fn remove_folder(&self, folder: &StoragePath) -> Outcome<()> {
        let turn = self.turn().await?;
        let client = turn.client();
        let name = self.place.of(folder);
        let removed = client.ask(Request::RemoveFolder(&name)).await?;
        let Err(fault) = removed.done().await else {
            return Ok(());
        };
        match absent(client, &self.place, folder, fault).await {
            failure if failure.kind == ErrorKind::NotFound => Ok(()),
            failure => Err(failure),
        }
    }

    async fn delete(&self, path: &StoragePath) -> Outcome<()> {
        let turn = self.turn().await?;
        let client = turn.client();
        self.remove_stale(client).await?;
        self.removals.before(client, path).await?;
        let name = self.place.of(path);
        let removed = client.ask(Request::Remove(&name)).await?;
        let Err(fault) = removed.done().await else {
            self.removals.after(&self.place, path).await;
            return Ok(());
        };
        if fault.says_nothing() {
            match file_type(client, &name).await? {
                Some(FileType::Folder) => {
                    return Err(Failure::new(ErrorKind::NotFound, "not a regular file"));
                }
                Some(_) => return Err(unchanged(client, &self.place, 0, fault).await),
                None => {}
            }
        }
        Err(absent(client, &self.place, path, fault).await)
    }
}

#[async_trait]
impl Storage for SftpStorage {
    fn location(&self) -> String {
        self.state.location.to_string()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            atomic_new: !self.state.looks_for_new.load(Ordering::Relaxed),
            atomic_replace: !self.state.looks_to_replace.load(Ordering::Relaxed),
            connections: self.state.connections,
            local: false,
            own_folders: true,
            must_be_created: true,
            confirms_writes: true,
            whole_files: true,
        }
    }

    async fn create(&self) -> Result<()> {
        self.at(Operation::Create, None, self.state.create().await)
    }

    async fn list(&self, folder: Option<&StoragePath>) -> Result<Vec<FileInfo>> {
        self.at(Operation::List, folder, self.state.list(folder).await)
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        self.at(Operation::Stat, Some(path), self.state.stat(path).await)
    }

    async fn read(&self, path: &StoragePath, range: Option<ByteRange>, _: Class) -> Result<Bytes> {
        let read = self.state.read(path, range).await;
        self.at(Operation::Read, Some(path), read)
    }

    async fn write(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        _: Class,
    ) -> Result<()> {
        let written = self.state.write(path, &data, mode).await;
        self.at(Operation::Write, Some(path), written)
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        self.at(Operation::Delete, Some(path), self.state.delete(path).await)
    }

    async fn remove_empty_folder(&self, folder: &StoragePath) -> Result<()> {
        let removed = self.state.remove_folder(folder).await;
        self.at(Operation::Delete, Some(folder), removed)
    }
}
