//! The calls of a storage.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use data_encoding::BASE64;
use futures::stream::{self, StreamExt, TryStreamExt};
use md5::{Digest, Md5};
use tokio::sync::Semaphore;

use super::blocks::{self, Block};
use super::client::{AzureClient, AzureRequest};
use super::location::AzureLocation;
use super::options::{AzureOptions, Tiers};
use super::{failure, listing};
use crate::failure::Failure;
use crate::http::{HttpClient, HttpResponse};
use crate::key_prefix::KeyPrefix;
use crate::{
    ByteRange, Capabilities, Class, ErrorKind, FileInfo, Operation, Result, Storage, StoragePath,
    WriteMode, ranged,
};

/// Blobs of a page of a listing: the most that the service gives.
const PAGE: &str = "5000";

/// Result of a step that does not know yet which call it belongs to.
type Step<T> = std::result::Result<T, Failure>;

/// A path in a container. See the module for what it promises.
#[derive(Debug)]
pub(crate) struct AzureStorage {
    client: AzureClient,
    location: String,
    prefix: KeyPrefix,
    connections: usize,
    block_bytes: usize,
    tiers: Tiers,
    /// Blocks on their way, of all files together.
    sending: Semaphore,
}

impl AzureStorage {
    /// The storage at an address; asks nothing yet. `nearby` reaches what is near, or soon finds out that there is nothing.
    pub(crate) fn new(
        http: HttpClient,
        nearby: HttpClient,
        location: &AzureLocation,
        options: AzureOptions,
    ) -> Self {
        let (connections, block_bytes) = (options.connections, options.block_bytes);
        let tiers = options.tiers;
        Self {
            client: AzureClient::new(http, nearby, location, options),
            location: location.to_string(),
            prefix: location.prefix().clone(),
            connections,
            block_bytes,
            tiers,
            sending: Semaphore::new(connections),
        }
    }

    fn on(&self, method: &'static str, path: &StoragePath) -> AzureRequest {
        AzureRequest::on_blob(method, self.prefix.key(path))
    }

    /// The answer, unless it is an error.
    async fn good(&self, request: AzureRequest) -> Step<HttpResponse> {
        let response = self.client.send(request).await?;
        match response.status() {
            200..=299 => Ok(response),
            _ => Err(failure::of(response).await),
        }
    }

    async fn done(&self, request: AzureRequest) -> Step<()> {
        self.good(request).await?.discard().await;
        Ok(())
    }

    async fn make_container(&self) -> Step<()> {
        let made = self.client.send(AzureRequest::on_container("PUT")).await?;
        let is_there = failure::code(&made) == Some("ContainerAlreadyExists");
        if is_there || (200..300).contains(&made.status()) {
            made.discard().await;
            return Ok(());
        }
        let failure = failure::of(made).await;
        // Who may write into a container need not have the right to make one, or to learn that there is one already.
        let is_there =
            failure.kind == ErrorKind::PermissionDenied && self.page(None, None, "1").await.is_ok();
        match is_there {
            true => Ok(()),
            false => Err(failure),
        }
    }

    async fn page(
        &self,
        folder: Option<&StoragePath>,
        marker: Option<String>,
        most: &str,
    ) -> Step<(Vec<FileInfo>, Option<String>)> {
        let mut request = AzureRequest::on_container("GET")
            .query("comp", "list")
            .query("maxresults", most);
        let prefix = self.prefix.of_folder(folder);
        if !prefix.is_empty() {
            request = request.query("prefix", prefix);
        }
        if let Some(marker) = marker {
            request = request.query("marker", marker);
        }
        let body = self.good(request).await?.read().await?;
        listing::of_page(&self.prefix, &body)
    }

    async fn list_files(&self, folder: Option<&StoragePath>) -> Step<Vec<FileInfo>> {
        let (mut files, mut marker) = (Vec::new(), None);
        loop {
            let (page, next) = self.page(folder, marker.clone(), PAGE).await?;
            files.extend(page);
            match next {
                None => return Ok(files),
                Some(_) if next == marker => {
                    let message = "the service gives the same page of the listing twice";
                    return Err(Failure::passing(ErrorKind::Mismatch, message));
                }
                next => marker = next,
            }
        }
    }

    async fn head(&self, path: &StoragePath) -> Step<u64> {
        let response = self.good(self.on("HEAD", path)).await?;
        if response.header("x-ms-meta-hdi_isfolder") == Some("true") {
            return Err(Failure::new(ErrorKind::NotFound, "it is a folder"));
        }
        response.length().ok_or_else(|| {
            let message = "the service does not say how large the file is";
            Failure::passing(ErrorKind::Mismatch, message)
        })
    }

    async fn read_range(&self, path: &StoragePath, range: ByteRange) -> Step<Bytes> {
        let Some(header) = ranged::header(range) else {
            return ranged::by_size(range, self.head(path).await?);
        };
        let request = self.on("GET", path).header("x-ms-range", header);
        ranged::read(self.good(request).await?, range).await
    }

    /// A whole file, compared with the MD5 that the service keeps of it, where it does.
    async fn read_whole(&self, path: &StoragePath) -> Step<Bytes> {
        let response = self.good(self.on("GET", path)).await?;
        let expected = response.header("content-md5").map(str::to_owned);
        let data = response.read().await?;
        match expected.is_none_or(|expected| expected == md5_of(&data)) {
            true => Ok(data),
            false => {
                let message = "what came is not what the service keeps a checksum of";
                Err(Failure::passing(ErrorKind::Mismatch, message))
            }
        }
    }

    /// What decides about the blob, on the request that makes it appear.
    fn final_headers(&self, request: AzureRequest, mode: WriteMode, class: Class) -> AzureRequest {
        let request = match self.tiers.of(class) {
            Some(tier) => request.header("x-ms-access-tier", tier),
            None => request,
        };
        match mode {
            WriteMode::New => request.header("if-none-match", "*"),
            WriteMode::Replace => request,
        }
    }

    async fn put(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        class: Class,
    ) -> Step<()> {
        let (md5, size_bytes) = (md5_of(&data), data.len() as u64);
        let request = self
            .on("PUT", path)
            .header("x-ms-blob-type", "BlockBlob")
            .header("content-type", "application/octet-stream")
            .header("content-md5", &md5)
            .body(data);
        let response = self.good(self.final_headers(request, mode, class)).await?;
        let confirmed = response.header("content-md5").map(|said| said == md5);
        response.discard().await;
        match confirmed {
            Some(true) => Ok(()),
            Some(false) => Err(not_confirmed()),
            None => self.confirm_size(path, size_bytes).await,
        }
    }

    async fn put_in_blocks(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        class: Class,
    ) -> Step<()> {
        let blocks = blocks::cut(&data, self.block_bytes);
        let there = self.waiting_blocks(path).await?;
        let is_there = |block: &&Block| there.get(&block.name) == Some(&(block.data.len() as u64));
        let missing: Vec<_> = blocks
            .iter()
            .filter(|block| !is_there(block))
            .cloned()
            .collect();
        let sends = stream::iter(missing).map(|block| self.put_block(path, block));
        let sends = sends.buffer_unordered(self.connections);
        sends.try_collect::<()>().await?;
        let list = blocks::list(&blocks);
        let request = self
            .on("PUT", path)
            .query("comp", "blocklist")
            .header("content-type", "application/xml")
            .header("content-md5", md5_of(&list))
            .header("x-ms-blob-content-type", "application/octet-stream")
            .body(list);
        self.done(self.final_headers(request, mode, class)).await?;
        self.confirm_size(path, data.len() as u64).await
    }

    /// The blocks that an earlier write of this file has sent before it broke off.
    async fn waiting_blocks(&self, path: &StoragePath) -> Step<BTreeMap<String, u64>> {
        let request = self.on("GET", path).query("comp", "blocklist");
        let request = request.query("blocklisttype", "uncommitted");
        let response = self.client.send(request).await?;
        if failure::code(&response) == Some("BlobNotFound") {
            response.discard().await;
            return Ok(BTreeMap::new());
        }
        match response.status() {
            200 => listing::of_blocks(&response.read().await?),
            _ => Err(failure::of(response).await),
        }
    }

    async fn put_block(&self, path: &StoragePath, block: Block) -> Step<()> {
        // Never closed.
        let _turn = self.sending.acquire().await;
        let request = self
            .on("PUT", path)
            .query("comp", "block")
            .query("blockid", block.name)
            .header("content-type", "application/octet-stream")
            .header("content-md5", md5_of(&block.data))
            .body(block.data);
        self.done(request).await
    }

    async fn confirm_size(&self, path: &StoragePath, size_bytes: u64) -> Step<()> {
        match self.head(path).await? == size_bytes {
            true => Ok(()),
            false => Err(not_confirmed()),
        }
    }
}

fn md5_of(data: &[u8]) -> String {
    BASE64.encode(&Md5::digest(data))
}

fn not_confirmed() -> Failure {
    let message = "the service does not confirm what it was sent";
    Failure::passing(ErrorKind::Mismatch, message)
}

#[async_trait]
impl Storage for AzureStorage {
    fn location(&self) -> String {
        self.location.clone()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            atomic_new: true,
            atomic_replace: true,
            connections: self.connections,
            local: false,
            own_folders: true,
            must_be_created: true,
            whole_files: true,
            confirms_writes: true,
        }
    }

    async fn create(&self) -> Result<()> {
        let made = self.make_container().await;
        made.map_err(|failure| failure.at(Operation::Create, self.location(), None))
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
        class: Class,
    ) -> Result<()> {
        let written = match data.len() <= self.block_bytes {
            true => self.put(path, data, mode, class).await,
            false => self.put_in_blocks(path, data, mode, class).await,
        };
        written.map_err(|failure| failure.at(Operation::Write, self.location(), Some(path)))
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        let removed = self.done(self.on("DELETE", path)).await;
        removed.map_err(|failure| failure.at(Operation::Delete, self.location(), Some(path)))
    }
}
