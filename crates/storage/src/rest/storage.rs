//! The calls of a storage.

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};

use super::client::{Extended, RestClient};
use super::protocol::{self, CONFIG, FOLDERS, MISSING_HEADER, STORED_HEADER, WRITE_HEADER};
use super::{failure, listing};
use crate::failure::Failure;
use crate::http::{HttpRequest, HttpResponse};
use crate::{
    ByteRange, Capabilities, Class, ErrorKind, FileInfo, Operation, Result, Storage, StoragePath,
    WriteMode,
};

/// No file has a byte behind this place: servers count in 64 bits with a sign.
const LAST_ANYWHERE: u64 = i64::MAX as u64 - 1;

/// Result of a step that does not know yet which call it belongs to.
type Step<T> = std::result::Result<T, Failure>;

/// A repository on a server of restic's REST protocol. See the module for what it promises.
#[derive(Debug)]
pub(crate) struct RestStorage {
    client: RestClient,
    location: String,
    connections: usize,
}

impl RestStorage {
    /// The storage behind a client; asks nothing yet.
    pub(crate) fn new(client: RestClient, location: String, connections: usize) -> Self {
        Self {
            client,
            location,
            connections,
        }
    }

    /// Whether the server is one of ours; asks it where no answer has told yet.
    async fn is_extended(&self) -> Step<bool> {
        if self.client.extended() == Extended::Unknown {
            let asked = self.client.send(self.client.request("HEAD", CONFIG));
            let answer = asked.await?;
            if self.client.extended() == Extended::Unknown {
                return Err(failure::of(answer).await);
            }
            answer.discard().await;
        }
        Ok(self.client.extended() == Extended::Yes)
    }

    /// A request on a file; `None` where the server cannot have such a file.
    async fn on(&self, method: &'static str, path: &StoragePath) -> Step<Option<HttpRequest>> {
        if self.is_extended().await? {
            return Ok(Some(self.client.on_any_file(method, path)));
        }
        if path.as_str() == CONFIG {
            return Ok(Some(self.client.request(method, CONFIG)));
        }
        let wire = protocol::to_wire(path);
        Ok(wire.map(|wire| self.client.on_file(method, wire)))
    }

    async fn head(&self, path: &StoragePath) -> Step<u64> {
        let request = self.on("HEAD", path).await?.ok_or_else(no_such_file)?;
        let response = good(self.client.send(request).await?).await?;
        response.length().ok_or_else(|| {
            let message = "the server does not say how large the file is";
            Failure::new(ErrorKind::Unsupported, message)
        })
    }

    async fn read_whole(&self, path: &StoragePath) -> Step<Bytes> {
        let request = self.on("GET", path).await?.ok_or_else(no_such_file)?;
        good(self.client.send(request).await?).await?.read().await
    }

    async fn read_range(&self, path: &StoragePath, range: ByteRange) -> Step<Bytes> {
        let end = range.offset.checked_add(range.length);
        let last = end.and_then(|end| end.checked_sub(1));
        let Some(last) = last.filter(|last| range.length > 0 && *last <= LAST_ANYWHERE) else {
            // Nothing can be asked for by a range of no bytes, and still the file has to be long enough. And there are
            // servers that do not understand a number which no file reaches.
            let size_bytes = self.head(path).await?;
            return range
                .check(size_bytes)
                .map(|()| Bytes::new())
                .map_err(outside);
        };
        let request = self.on("GET", path).await?.ok_or_else(no_such_file)?;
        let request = request.header("range", format!("bytes={}-{last}", range.offset));
        let response = self.client.send(request).await?;
        match response.status() {
            206 => {
                let total = response.header("content-range").and_then(total_of);
                if let Some(size_bytes) = total {
                    range.check(size_bytes).map_err(outside)?;
                }
                response.read_exactly(range.length).await
            }
            200 => {
                if let Some(size_bytes) = response.length() {
                    range.check(size_bytes).map_err(outside)?;
                }
                let data = response.read_first(last.saturating_add(1)).await?;
                range.check(data.len() as u64).map_err(outside)?;
                let start = usize::try_from(range.offset).unwrap_or(data.len());
                Ok(data.slice(start..))
            }
            _ => Err(failure::of(response).await),
        }
    }

    async fn list_folder(&self, folder: &'static str) -> Step<Vec<FileInfo>> {
        let request = self.client.request("GET", &format!("{folder}/"));
        let request = request.header("accept", protocol::VERSION_2);
        let response = self.client.send(request).await?;
        if response.status() == 404 {
            response.discard().await;
            return Ok(Vec::new());
        }
        let body = good(response).await?.read().await?;
        let (mut files, without_size) = listing::of_folder(folder, &body)?;
        let sizes = stream::iter(without_size).map(async |path| match self.head(&path).await {
            Ok(size_bytes) => Ok(Some(FileInfo { path, size_bytes })),
            Err(failure) if failure.kind == ErrorKind::NotFound => Ok(None),
            Err(failure) => Err(failure),
        });
        let sizes: Vec<_> = sizes
            .buffer_unordered(self.connections)
            .try_collect()
            .await?;
        files.extend(sizes.into_iter().flatten());
        Ok(files)
    }

    /// Everything that the protocol knows and that lies below the folder.
    async fn list_known(&self, below: Option<&StoragePath>) -> Step<Vec<FileInfo>> {
        let first = below.map(|folder| folder.as_str().split('/').next().unwrap_or_default());
        let mut files = Vec::new();
        for folder in FOLDERS {
            if first.is_none_or(|first| first == folder) {
                files.extend(self.list_folder(folder).await?);
            }
        }
        match below {
            Some(folder) => files.retain(|file| file.path.is_below(folder)),
            None => {
                let config = StoragePath::new(CONFIG).map_err(|_| no_such_file())?;
                if let Some(size_bytes) = self.size_if_there(&config).await? {
                    let path = config;
                    files.push(FileInfo { path, size_bytes });
                }
            }
        }
        Ok(files)
    }

    async fn size_if_there(&self, path: &StoragePath) -> Step<Option<u64>> {
        match self.head(path).await {
            Ok(size_bytes) => Ok(Some(size_bytes)),
            Err(failure) if failure.kind == ErrorKind::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn list_files(&self, below: Option<&StoragePath>) -> Step<Vec<FileInfo>> {
        if !self.is_extended().await? {
            return self.list_known(below).await;
        }
        let folder = below.map_or(String::new(), |folder| format!("{folder}/"));
        let parts = format!("{}/{folder}", protocol::FILES_FOLDER);
        let response = self.client.send(self.client.request("GET", &parts)).await?;
        if response.status() == 404 && response.header(MISSING_HEADER).is_none() {
            response.discard().await;
            return Ok(Vec::new());
        }
        listing::of_files(&good(response).await?.read().await?)
    }

    /// Our servers decide, and confirm in one request: what arrives damaged they do not take.
    async fn write_to_ours(&self, path: &StoragePath, data: Bytes, mode: WriteMode) -> Step<()> {
        let stored = protocol::stored(&data);
        let mode = match mode {
            WriteMode::New => "new",
            WriteMode::Replace => "replace",
        };
        let request = self.client.on_any_file("POST", path);
        let request = request
            .header(WRITE_HEADER, format!("{mode} {stored}"))
            .body(data);
        let response = good(self.client.send(request).await?).await?;
        let is_confirmed = response.header(STORED_HEADER) == Some(&stored);
        response.discard().await;
        match is_confirmed {
            true => Ok(()),
            false => {
                let message = "the server does not confirm what it was sent";
                Err(Failure::passing(ErrorKind::Mismatch, message))
            }
        }
    }

    /// Any other server is asked before; that it may answer a write to an existing name with 403 is part of the protocol.
    async fn write_to_any(&self, path: &StoragePath, data: Bytes, mode: WriteMode) -> Step<()> {
        if mode == WriteMode::New && self.size_if_there(path).await?.is_some() {
            return Err(exists());
        }
        let refused = match self.post(path, data.clone()).await {
            Err(failure) if failure.kind == ErrorKind::PermissionDenied => failure,
            done => return done,
        };
        match (self.size_if_there(path).await?, mode) {
            (None, _) => Err(refused),
            (Some(_), WriteMode::New) => Err(exists()),
            (Some(_), WriteMode::Replace) => {
                self.remove(path).await?;
                self.post(path, data).await
            }
        }
    }

    async fn post(&self, path: &StoragePath, data: Bytes) -> Step<()> {
        let request = self
            .on("POST", path)
            .await?
            .ok_or_else(not_of_the_protocol)?;
        good(self.client.send(request.body(data)).await?)
            .await?
            .discard()
            .await;
        Ok(())
    }

    async fn remove(&self, path: &StoragePath) -> Step<()> {
        let request = self.on("DELETE", path).await?.ok_or_else(no_such_file)?;
        good(self.client.send(request).await?)
            .await?
            .discard()
            .await;
        Ok(())
    }
}

/// The answer, unless it is an error.
async fn good(response: HttpResponse) -> Step<HttpResponse> {
    match response.status() {
        200..=299 => Ok(response),
        _ => Err(failure::of(response).await),
    }
}

/// The size behind the `/` of `Content-Range`.
fn total_of(content_range: &str) -> Option<u64> {
    content_range.rsplit('/').next()?.trim().parse().ok()
}

fn no_such_file() -> Failure {
    Failure::new(ErrorKind::NotFound, "there is no such file")
}

fn exists() -> Failure {
    Failure::new(ErrorKind::AlreadyExists, "a file of that name exists")
}

fn not_of_the_protocol() -> Failure {
    let message = "a server of restic's protocol takes no file of that name";
    Failure::new(ErrorKind::Unsupported, message)
}

fn outside(message: String) -> Failure {
    Failure::new(ErrorKind::RangeOutside, message)
}

#[async_trait]
impl Storage for RestStorage {
    fn location(&self) -> String {
        self.location.clone()
    }

    fn capabilities(&self) -> Capabilities {
        let is_ours = self.client.extended() == Extended::Yes;
        Capabilities {
            atomic_new: is_ours,
            atomic_replace: is_ours,
            connections: self.connections,
            local: false,
            own_folders: is_ours,
            must_be_created: is_ours,
            confirms_writes: is_ours,
            whole_files: is_ours,
        }
    }

    async fn create(&self) -> Result<()> {
        let create = async {
            let response = self.client.send(self.client.create()).await?;
            good(response).await?.discard().await;
            Ok(())
        };
        let done: Step<()> = create.await;
        done.map_err(|failure| failure.at(Operation::Create, self.location(), None))
    }

    async fn list(&self, folder: Option<&StoragePath>) -> Result<Vec<FileInfo>> {
        let listed = self.list_files(folder).await;
        listed.map_err(|failure| failure.at(Operation::List, self.location(), folder))
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        let size_bytes = self.head(path).await;
        let size_bytes = size_bytes
            .map_err(|failure| failure.at(Operation::Stat, self.location(), Some(path)))?;
        let path = path.clone();
        Ok(FileInfo { path, size_bytes })
    }

    async fn read(&self, path: &StoragePath, range: Option<ByteRange>, _: Class) -> Result<Bytes> {
        let read = match range {
            Some(range) => self.read_range(path, range).await,
            None => self.read_whole(path).await,
        };
        read.map_err(|failure| failure.at(Operation::Read, self.location(), Some(path)))
    }

    async fn write(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        _: Class,
    ) -> Result<()> {
        let written = match self.is_extended().await {
            Ok(true) => self.write_to_ours(path, data, mode).await,
            Ok(false) => self.write_to_any(path, data, mode).await,
            Err(failure) => Err(failure),
        };
        written.map_err(|failure| failure.at(Operation::Write, self.location(), Some(path)))
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        let removed = self.remove(path).await;
        removed.map_err(|failure| failure.at(Operation::Delete, self.location(), Some(path)))
    }

    fn clock_ahead_s(&self) -> Option<i64> {
        self.client.clock_ahead_s()
    }
}
