//! Storing a file under its final name, whole.

use std::sync::Arc;

use bytes::Bytes;

use super::client::{Overwrite, WebdavClient};
use super::failure::{self, exists, is_folder, no_storage};
use super::folders::Folders;
use super::look::{Thing, is_unclear, look};
use super::walk::root_exists;
use crate::failure::Failure;
use crate::http::HttpResponse;
use crate::{ErrorKind, Retry, StoragePath, WriteMode, temporary_name};

/// A temporary file. When this is dropped the file is removed, unless it was [kept](Self::keep).
struct Temporary {
    client: Arc<WebdavClient>,
    name: String,
    is_kept: bool,
}

impl Temporary {
    /// A name of its own in the folder of the file.
    fn new(client: &Arc<WebdavClient>, path: &StoragePath) -> Result<Self, Failure> {
        let name = temporary_name::new()
            .map_err(|e| Failure::new(ErrorKind::Io, format!("no random number: {e}")))?;
        let folder = path.as_str().strip_suffix(path.file_name());
        Ok(Self {
            client: Arc::clone(client),
            name: format!("{}{name}", folder.unwrap_or_default()),
            is_kept: false,
        })
    }

    /// The file has got its final name.
    fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Where no runtime is left to do it, a later run does.
        if !self.is_kept
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let (client, name) = (Arc::clone(&self.client), std::mem::take(&mut self.name));
            runtime.spawn(async move {
                if let Ok(response) = client.remove(&name).await {
                    response.discard().await;
                }
            });
        }
    }
}

/// One file on its way.
pub(super) struct Job<'a> {
    pub(super) client: &'a Arc<WebdavClient>,
    pub(super) folders: &'a Folders,
    pub(super) path: &'a StoragePath,
    pub(super) mode: WriteMode,
}

impl Job<'_> {
    /// Stores it.
    pub(super) async fn run(&self, data: &Bytes) -> Result<(), Failure> {
        self.folders.make(self.client, self.path).await?;
        let temporary = Temporary::new(self.client, self.path)?;
        self.send(&temporary.name, data).await?;
        self.confirm(&temporary.name, data.len() as u64).await?;
        self.publish(&temporary.name).await?;
        temporary.keep();
        Ok(())
    }

    /// Folders that were there may have gone, which the server says in its own way; then they are made once more.
    async fn send(&self, temporary: &str, data: &Bytes) -> Result<(), Failure> {
        let response = self.client.put(temporary, data.clone()).await?;
        if !matches!(response.status(), 403 | 404 | 409) {
            return good(response).await;
        }
        let refused = failure::of(response).await;
        self.folders.forget();
        if !root_exists(self.client).await? {
            return Err(no_storage());
        }
        if refused.kind == ErrorKind::PermissionDenied {
            return Err(refused);
        }
        self.folders.make(self.client, self.path).await?;
        good(self.client.put(temporary, data.clone()).await?).await
    }

    /// The server has all of it, before anybody sees it. `MOVE` to the name of a folder would take the place of all that
    /// lies there, so that is looked at meanwhile.
    async fn confirm(&self, temporary: &str, size_bytes: u64) -> Result<(), Failure> {
        let taken = async {
            match self.mode {
                WriteMode::New => Ok(Thing::Nothing),
                WriteMode::Replace => look(self.client, self.path.as_str()).await,
            }
        };
        let (stored, taken) = futures::try_join!(look(self.client, temporary), taken)?;
        if taken == Thing::Folder {
            return Err(is_folder());
        }
        match stored {
            Thing::File { size_bytes: stored } if stored == size_bytes => Ok(()),
            Thing::File { size_bytes: stored } => {
                let message = format!("the server has stored {stored} of {size_bytes} bytes");
                Err(Failure::passing(ErrorKind::Mismatch, message))
            }
            Thing::Folder | Thing::Nothing => {
                let message = "the server does not show the file that it has just taken";
                Err(Failure::passing(ErrorKind::Mismatch, message))
            }
        }
    }

    async fn publish(&self, temporary: &str) -> Result<(), Failure> {
        let overwrite = match self.mode {
            WriteMode::New => Overwrite::Never,
            WriteMode::Replace => Overwrite::Always,
        };
        let name = self.path.as_str();
        let response = self.client.rename(temporary, name, overwrite).await?;
        if response.status() == 412 && self.mode == WriteMode::New {
            response.discard().await;
            return Err(exists());
        }
        let Err(refused) = good(response).await else {
            return Ok(());
        };
        if !is_unclear(&refused) {
            return Err(refused);
        }
        // One of the things that 403 and others stand for is that the name is taken. What passes may have been done all the
        // same, and then it is our own file that is there: the repetition learns that.
        if refused.retry == Retry::Never && self.mode == WriteMode::New {
            match look(self.client, name).await? {
                Thing::File { .. } => return Err(exists()),
                Thing::Folder => return Err(is_folder()),
                Thing::Nothing => {}
            }
        }
        // Another is that a folder is missing; the repetition makes it.
        self.folders.forget();
        if !root_exists(self.client).await? {
            return Err(no_storage());
        }
        Err(refused)
    }
}

/// Success, or the error that the answer is.
pub(super) async fn good(response: HttpResponse) -> Result<(), Failure> {
    match response.status() {
        200..=206 => {
            response.discard().await;
            Ok(())
        }
        _ => Err(failure::of(response).await),
    }
}
