//! What clients do with the files of a repository.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::body::Incoming;
use jiff::Timestamp;
use serde_json::{Value, json};
use strongroom_storage::rest::protocol::{self, STORED_HEADER, VERSION_1, VERSION_2};
use strongroom_storage::{Class, ErrorKind, LocalStorage, Storage, StoragePath, WriteMode};

use crate::answer::{self, Answer};
use crate::budget::{FileMemory, Space};
use crate::metrics::Metrics;
use crate::upload::{self, Asked};
use crate::{download, receipts};

/// What all repositories share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) append_only: bool,
    pub(crate) space: Space,
    pub(crate) memory: FileMemory,
    pub(crate) metrics: Arc<Metrics>,
}

/// One request's view of a repository.
pub(crate) struct Files<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) storage: Arc<LocalStorage>,
    pub(crate) user: Option<&'a str>,
}

impl Files<'_> {
    /// How large a file is.
    pub(crate) async fn head(&self, path: &StoragePath) -> Answer {
        match self.storage.stat(path).await {
            Ok(info) => {
                let length = info.size_bytes.to_string();
                answer::with(answer::empty(StatusCode::OK), "content-length", &length)
            }
            Err(error) => self.error(&error).await,
        }
    }

    /// A file, or a part of it.
    pub(crate) async fn get(&self, path: &StoragePath, range: Option<&str>) -> Answer {
        let metrics = Arc::clone(&self.shared.metrics);
        let storage = Arc::clone(&self.storage);
        let shared = (&self.shared.memory, metrics);
        match download::get(storage, path.clone(), range, shared).await {
            Ok(answer) => answer,
            Err(error) => self.error(&error).await,
        }
    }

    /// A folder of restic's protocol, in the version that was asked for.
    pub(crate) async fn list(&self, folder: &str, accept: Option<&str>) -> Answer {
        let Ok(below) = StoragePath::new(folder) else {
            return answer::empty(StatusCode::NOT_FOUND);
        };
        let files = match self.storage.list(Some(&below)).await {
            Ok(files) => files,
            Err(error) => return self.error(&error).await,
        };
        // What is no name of the protocol, such as a file that an administrator has put aside, is none of its files.
        let files = files.iter().filter_map(|file| {
            let (_, name) = protocol::to_wire(&file.path)?;
            Some((name, file.size_bytes))
        });
        let has_sizes = accept.is_some_and(|accept| accept.contains(VERSION_2));
        let (kind, entries): (_, Vec<Value>) = match has_sizes {
            true => {
                let entry = |(name, size): (&str, u64)| json!({ "name": name, "size": size });
                (VERSION_2, files.map(entry).collect())
            }
            false => (VERSION_1, files.map(|(name, _)| json!(name)).collect()),
        };
        answer::text(StatusCode::OK, kind, Value::from(entries).to_string())
    }

    /// Everything below a folder, with names from the root.
    pub(crate) async fn list_below(&self, folder: Option<&StoragePath>) -> Answer {
        let files = match self.storage.list(folder).await {
            Ok(files) => files,
            Err(error) => return self.error(&error).await,
        };
        let entry = |file: &strongroom_storage::FileInfo| json!({ "name": file.path.as_str(), "size": file.size_bytes });
        let entries: Vec<Value> = files.iter().map(entry).collect();
        answer::text(
            StatusCode::OK,
            "application/json",
            Value::from(entries).to_string(),
        )
    }

    /// Stores a file.
    pub(crate) async fn post(
        &self,
        path: &StoragePath,
        asked: Asked<'_>,
        length: Option<u64>,
        body: Incoming,
    ) -> Answer {
        let replace = matches!(asked, Asked::Ours { replace: true, .. });
        if let Some(refusal) = self.refused_to_write(path, replace).await {
            return refusal;
        }
        let Some(length) = length else {
            return answer::refusal(StatusCode::LENGTH_REQUIRED, "say how long the file is");
        };
        if length > upload::MOST_BYTES {
            return answer::refusal(StatusCode::PAYLOAD_TOO_LARGE, "no file here is so large");
        }
        if !self.shared.space.reserve(length) {
            return answer::refusal(
                StatusCode::INSUFFICIENT_STORAGE,
                "the repositories have reached the size that the server allows",
            );
        }
        let stored = self.receive(path, asked, replace, length, body).await;
        match stored {
            Ok(answer) => {
                self.shared.metrics.stored(length);
                answer
            }
            Err(answer) => {
                self.shared.space.release(length);
                answer
            }
        }
    }

    async fn receive(
        &self,
        path: &StoragePath,
        asked: Asked<'_>,
        replace: bool,
        length: u64,
        body: Incoming,
    ) -> Result<Answer, Answer> {
        let _memory = self.shared.memory.take(length).await;
        let data = upload::receive(body, length).await?;
        upload::check(path, &data, asked)?;
        let stored = protocol::stored(&data);
        let mode = match replace {
            true => WriteMode::Replace,
            false => WriteMode::New,
        };
        let old_bytes = match replace {
            true => self
                .storage
                .stat(path)
                .await
                .map_or(0, |old| old.size_bytes),
            false => 0,
        };
        let receipt = receipts::write(&*self.storage, path, self.user, Timestamp::now());
        let write = async {
            receipt.await?;
            self.storage.write(path, data, mode, Class::Data).await
        };
        match write.await {
            Ok(()) => {
                self.shared.space.release(old_bytes);
                let answer = answer::empty(StatusCode::OK);
                Ok(answer::with(answer, STORED_HEADER, &stored))
            }
            // restic's servers say it so, and restic understands it.
            Err(error) if error.kind == ErrorKind::AlreadyExists && asked == Asked::Plain => {
                Err(exists_by_the_protocol())
            }
            Err(error) => Err(self.error(&error).await),
        }
    }

    /// Looked at before the body comes, which may be large.
    async fn refused_to_write(&self, path: &StoragePath, replace: bool) -> Option<Answer> {
        if receipts::is_receipt(path) {
            return Some(answer::refusal(
                StatusCode::FORBIDDEN,
                "the server alone writes receipts",
            ));
        }
        if replace
            && self.shared.append_only
            && !is_lock(path)
            && self.storage.stat(path).await.is_ok()
        {
            return Some(append_only());
        }
        None
    }

    /// Removes a file.
    pub(crate) async fn delete(&self, path: &StoragePath) -> Answer {
        if receipts::is_receipt(path) || self.shared.append_only && !is_lock(path) {
            return append_only();
        }
        let size_bytes = self
            .storage
            .stat(path)
            .await
            .map_or(0, |info| info.size_bytes);
        match self.storage.delete(path).await {
            Ok(()) => {
                receipts::remove(&*self.storage, path).await;
                self.shared.space.release(size_bytes);
                self.shared.metrics.removed();
                answer::empty(StatusCode::OK)
            }
            Err(error) => self.error(&error).await,
        }
    }

    /// A file that is missing, told apart from a repository that is.
    async fn error(&self, error: &strongroom_storage::StorageError) -> Answer {
        match error.kind == ErrorKind::NotFound && !self.storage.root().is_dir() {
            true => answer::no_repository(),
            false => answer::of_error(error),
        }
    }
}

fn is_lock(path: &StoragePath) -> bool {
    path.as_str().starts_with("locks/")
}

fn append_only() -> Answer {
    answer::refusal(
        StatusCode::FORBIDDEN,
        "the server lets nothing be removed or replaced (append-only)",
    )
}

fn exists_by_the_protocol() -> Answer {
    answer::refusal(StatusCode::FORBIDDEN, "a file of that name exists")
}
