//! The calls of a storage.

use async_trait::async_trait;
use bytes::Bytes;

use super::client::GcsClient;
use super::failure;
use super::listing::{self, Object};
use super::location::GcsLocation;
use super::options::GcsOptions;
use super::upload::Uploads;
use crate::failure::Failure;
use crate::http::{HttpClient, HttpRequest, HttpResponse};
use crate::key_prefix::KeyPrefix;
use crate::{
    ByteRange, Capabilities, Class, ErrorKind, FileInfo, Operation, Result, Storage, StoragePath,
    WriteMode, ranged,
};

/// Objects of a page of a listing: the most that the service gives.
const PAGE: &str = "1000";

/// Result of a step that does not know yet which call it belongs to.
type Step<T> = std::result::Result<T, Failure>;

/// A path in a bucket. See the module for what it promises.
#[derive(Debug)]
pub(crate) struct GcsStorage {
    client: GcsClient,
    location: String,
    prefix: KeyPrefix,
    connections: usize,
    project: Option<String>,
    place: Option<String>,
    uploads: Uploads,
}

impl GcsStorage {
    /// The storage at an address; asks nothing yet. `nearby` reaches what is near, or soon finds out that there is nothing.
    pub(crate) fn new(
        http: HttpClient,
        nearby: HttpClient,
        location: &GcsLocation,
        mut options: GcsOptions,
    ) -> Self {
        Self {
            location: location.to_string(),
            prefix: location.prefix().clone(),
            connections: options.connections,
            project: options.project.take(),
            place: options.place.take(),
            uploads: Uploads::new(options.chunk_bytes, options.classes),
            client: GcsClient::new(http, nearby, location, options),
        }
    }

    fn on(&self, method: &'static str, path: &StoragePath, query: &[(&str, &str)]) -> HttpRequest {
        self.client.on_object(method, &self.prefix.key(path), query)
    }

    /// The answer, unless it is an error.
    async fn good(&self, request: HttpRequest) -> Step<HttpResponse> {
        let response = self.client.send(request).await?;
        match response.status() {
            200..=299 => Ok(response),
            _ => Err(failure::of(response).await),
        }
    }

    /// A bucket has a name that nobody else in the world has, so it is asked for first: the right to see one is commoner than
    /// that to make one.
    async fn make_bucket(&self) -> Step<()> {
        match self.page(None, None, "1").await {
            Err(failure) if failure.kind == ErrorKind::NotFound => {}
            found => return found.map(|_| ()),
        }
        let project = self.project.as_deref().ok_or_else(|| {
            let message = "there is no such bucket, and to make one its project has to be named (gcs.project, GOOGLE_PROJECT_ID)";
            Failure::new(ErrorKind::NotFound, message)
        })?;
        let mut bucket = serde_json::json!({"name": self.client.bucket()});
        if let (Some(place), Some(fields)) = (&self.place, bucket.as_object_mut()) {
            fields.insert("location".to_owned(), place.as_str().into());
        }
        let request = self.client.make_bucket(&[("project", project)]);
        let request = request.header("content-type", "application/json; charset=UTF-8");
        let request = request.body(Bytes::from(bucket.to_string()));
        let response = self.client.send(request).await?;
        match response.status() {
            200..=299 => {
                response.discard().await;
                Ok(())
            }
            // Somebody was quicker: we ourselves, or the owner of a bucket that we may not see.
            409 => {
                let taken = failure::of(response).await;
                let found = self.page(None, None, "1").await;
                found.map(|_| ()).map_err(|_| {
                    let message = format!(
                        "the name of the bucket belongs to somebody else: {}",
                        taken.message
                    );
                    Failure::new(ErrorKind::PermissionDenied, message)
                })
            }
            _ => Err(failure::of(response).await),
        }
    }

    async fn page(
        &self,
        folder: Option<&StoragePath>,
        token: Option<&str>,
        most: &str,
    ) -> Step<(Vec<FileInfo>, Option<String>)> {
        let prefix = self.prefix.of_folder(folder);
        let mut query = vec![
            ("maxResults", most),
            ("fields", "items(name,size),nextPageToken"),
        ];
        if !prefix.is_empty() {
            query.push(("prefix", &prefix));
        }
        if let Some(token) = token {
            query.push(("pageToken", token));
        }
        let request = self.client.on_objects("GET", &query);
        let body = self.good(request).await?.read().await?;
        listing::of_page(&self.prefix, &body)
    }

    async fn list_files(&self, folder: Option<&StoragePath>) -> Step<Vec<FileInfo>> {
        let (mut files, mut token) = (Vec::new(), None);
        loop {
            let (page, next) = self.page(folder, token.as_deref(), PAGE).await?;
            files.extend(page);
            match next {
                None => return Ok(files),
                Some(_) if next == token => {
                    let message = "the service gives the same page of the listing twice";
                    return Err(Failure::passing(ErrorKind::Mismatch, message));
                }
                next => token = next,
            }
        }
    }

    async fn size(&self, path: &StoragePath) -> Step<u64> {
        let response = self
            .good(self.on("GET", path, &[("fields", "size")]))
            .await?;
        Object::parse(&response.read().await?)?.size_bytes()
    }

    async fn read_range(&self, path: &StoragePath, range: ByteRange) -> Step<Bytes> {
        let Some(header) = ranged::header(range) else {
            return ranged::by_size(range, self.size(path).await?);
        };
        let request = self.on("GET", path, &[("alt", "media")]);
        let response = self.good(request.header("range", header)).await?;
        ranged::read(response, range).await
    }

    /// A whole file, compared with the checksum that the service keeps of it.
    async fn read_whole(&self, path: &StoragePath) -> Step<Bytes> {
        let response = self.good(self.on("GET", path, &[("alt", "media")])).await?;
        let expected = response.header("x-goog-hash").and_then(crc32c_of);
        let data = response.read().await?;
        match expected.is_none_or(|expected| expected == listing::checksum(&data)) {
            true => Ok(data),
            false => {
                let message = "what came is not what the service keeps a checksum of";
                Err(Failure::passing(ErrorKind::Mismatch, message))
            }
        }
    }
}

/// The checksum in `crc32c=AAAAAA==,md5=…`.
fn crc32c_of(header: &str) -> Option<String> {
    let mut hashes = header.split(',').map(str::trim);
    let found = hashes.find_map(|hash| hash.strip_prefix("crc32c="));
    found.map(str::to_owned)
}

#[async_trait]
impl Storage for GcsStorage {
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
        let made = self.make_bucket().await;
        made.map_err(|failure| failure.at(Operation::Create, self.location(), None))
    }

    async fn list(&self, folder: Option<&StoragePath>) -> Result<Vec<FileInfo>> {
        let listed = self.list_files(folder).await;
        listed.map_err(|failure| failure.at(Operation::List, self.location(), folder))
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        let size_bytes = self.size(path).await;
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
        let key = self.prefix.key(path);
        let sent = self
            .uploads
            .send(&self.client, (path, &key), data, mode, class);
        let sent = sent.await;
        sent.map_err(|failure| failure.at(Operation::Write, self.location(), Some(path)))
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        let removed = async {
            self.good(self.on("DELETE", path, &[]))
                .await?
                .discard()
                .await;
            Ok(())
        };
        let removed: Step<()> = removed.await;
        removed.map_err(|failure| failure.at(Operation::Delete, self.location(), Some(path)))
    }
}
