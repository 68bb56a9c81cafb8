//! The calls of a storage.

use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;

use super::abilities::{Abilities, Condition};
use super::client::S3Client;
use super::request::S3Request;
use super::uploads::Uploads;
use super::{S3Options, Step};
use crate::{
    ByteRange, Capabilities, Class, FileInfo, Operation, Result, Storage, StoragePath, WriteMode,
};

/// A bucket, or a part of one. See the module for what it promises.
#[derive(Debug)]
pub(crate) struct S3Storage {
    pub(super) client: Arc<S3Client>,
    pub(super) options: S3Options,
    pub(super) abilities: Abilities,
    pub(super) uploads: Uploads,
    location: String,
}

impl S3Storage {
    /// The storage behind a client; asks nothing yet.
    pub(super) fn new(client: S3Client, options: S3Options, location: String) -> Self {
        let client = Arc::new(client);
        Self {
            abilities: Abilities::new(client.endpoint().is_aws()),
            uploads: Uploads::new(Arc::clone(&client)),
            client,
            options,
            location,
        }
    }

    /// Whether a file goes in one request. One with a lock does wherever it can, but with AWS: Ceph 18 (and moto) take the lock of
    /// an upload in parts, say nothing, and do not keep it.
    fn goes_in_one(&self, size_bytes: usize) -> bool {
        const MOST_IN_ONE: u64 = 5 << 30;
        let is_short = size_bytes / 2 <= self.options.part_bytes;
        let locks = self.options.lock.is_some() && !self.client.endpoint().is_aws();
        is_short || locks && size_bytes as u64 <= MOST_IN_ONE
    }

    /// Makes the bucket, where there is none. Whoever may not make buckets can still use one.
    async fn create_bucket(&self) -> Step<()> {
        let look = S3Request::on_bucket("GET")
            .query("list-type", "2")
            .query("max-keys", "1")
            .query("prefix", self.client.prefix_of(None));
        match self.client.send(&look).await {
            Ok(response) => {
                response.discard().await;
                return Ok(());
            }
            Err(refusal) if refusal.code == "NoSuchBucket" => {}
            Err(refusal) => return Err(refusal.into()),
        }
        let endpoint = self.client.endpoint();
        let region = endpoint.region();
        let mut request = S3Request::on_bucket("PUT");
        if self.options.lock.is_some() {
            request = request.header("x-amz-bucket-object-lock-enabled", "true");
        }
        let says_where = endpoint.is_aws() || endpoint.names_region();
        if says_where && !["us-east-1", "auto"].contains(&region.as_str()) {
            request = request.document(format!(
                "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
            ));
        }
        match self.client.send(&request).await {
            Ok(response) => response.discard().await,
            Err(refusal) if refusal.code == "BucketAlreadyOwnedByYou" => {}
            Err(refusal) => {
                let mut failure: crate::failure::Failure = refusal.into();
                let bucket = endpoint.bucket();
                failure.message = format!("make the bucket {bucket}: {}", failure.message);
                return Err(failure);
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Storage for S3Storage {
    fn location(&self) -> String {
        self.location.clone()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            atomic_new: self.abilities.condition() == Condition::Kept,
            atomic_replace: true,
            connections: self.options.connections,
            local: false,
            own_folders: true,
            must_be_created: self.client.bucket_is_missing(),
            whole_files: true,
            confirms_writes: self.abilities.confirms(),
        }
    }

    async fn create(&self) -> Result<()> {
        let done = self.create_bucket().await;
        done.map_err(|failure| failure.at(Operation::Create, self.location(), None))
    }

    async fn list(&self, folder: Option<&StoragePath>) -> Result<Vec<FileInfo>> {
        let listed = self.client.list_files(folder).await;
        listed.map_err(|failure| failure.at(Operation::List, self.location(), folder))
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        let size_bytes = self.client.size(path).await;
        let size_bytes = size_bytes
            .map_err(|failure| failure.at(Operation::Stat, self.location(), Some(path)))?;
        let path = path.clone();
        Ok(FileInfo { path, size_bytes })
    }

    async fn read(&self, path: &StoragePath, range: Option<ByteRange>, _: Class) -> Result<Bytes> {
        let read = match range {
            Some(range) => self.client.read_range(path, range).await,
            None => self.client.read_whole(path).await,
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
        let written = match self.goes_in_one(data.len()) {
            true => self.put(path, data, mode, class).await,
            false => self.put_in_parts(path, data, mode, class).await,
        };
        written.map_err(|failure| failure.at(Operation::Write, self.location(), Some(path)))
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        let removed = self.remove(path).await;
        removed.map_err(|failure| failure.at(Operation::Delete, self.location(), Some(path)))
    }

    async fn hold(&self, path: &StoragePath, until: SystemTime) -> Result<()> {
        let held = self.extend_lock(path, until).await;
        held.map_err(|failure| failure.at(Operation::Hold, self.location(), Some(path)))
    }

    fn clock_ahead_s(&self) -> Option<i64> {
        self.client.clock_ahead_s()
    }
}
