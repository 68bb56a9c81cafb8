//! Folders: making them, and remembering which there are.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::client::WebdavClient;
use super::failure::{self, no_storage};
use super::look::{Thing, look};
use super::walk::root_exists;
use crate::StoragePath;
use crate::failure::Failure;
use crate::http::{HttpResponse, Url};

/// Folders that are known to be there, so that nobody asks for each file.
#[derive(Debug, Default)]
pub(super) struct Folders {
    known: Mutex<HashSet<String>>,
    /// Those that are being made, one call at a time each: servers lock them for a moment.
    making: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Folders {
    fn known(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_known(&self, folder: &str) -> bool {
        self.known().contains(folder)
    }

    /// They have been seen.
    pub(super) fn seen<'a>(&self, folders: impl IntoIterator<Item = &'a str>) {
        let mut known = self.known();
        for folder in folders {
            if !known.contains(folder) {
                known.insert(folder.to_owned());
            }
        }
    }

    /// One of them was not there, so others may not be, either.
    pub(super) fn forget(&self) {
        self.known().clear();
    }

    /// Makes the folders that the file lies in, where they are not known. Never makes the storage's own.
    pub(super) async fn make(
        &self,
        client: &WebdavClient,
        path: &StoragePath,
    ) -> Result<(), Failure> {
        let folder = folder_of(path.as_str());
        if self.is_known(folder) {
            return Ok(());
        }
        if !self.is_known("") {
            if !root_exists(client).await? {
                return Err(no_storage());
            }
            self.seen([""]);
        }
        // From the deepest upwards until one is there, since most often only the last is missing.
        let mut missing = Vec::new();
        let mut next = folder;
        while !self.is_known(next) {
            if self.make_one(client, next).await? {
                break;
            }
            missing.push(next);
            next = folder_of(next);
        }
        for folder in missing.into_iter().rev() {
            if !self.make_one(client, folder).await? {
                let message = format!(
                    "the folder {folder} cannot be made: the server says that the one above is missing"
                );
                return Err(Failure::new(crate::ErrorKind::Io, message));
            }
        }
        Ok(())
    }

    /// `false` where the folder above is missing.
    async fn make_one(&self, client: &WebdavClient, folder: &str) -> Result<bool, Failure> {
        let turn = {
            let mut making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(making.entry(folder.to_owned()).or_default())
        };
        let _turn = turn.lock().await;
        if self.is_known(folder) {
            return Ok(true);
        }
        let made = made(client.make_folder(folder).await?).await?;
        if made {
            self.seen([folder]);
        }
        Ok(made)
    }
}

/// Makes the storage's own folder and what is missing above it.
pub(super) async fn make_root(client: &WebdavClient) -> Result<(), Failure> {
    match look(client, "").await? {
        Thing::Folder => return Ok(()),
        Thing::File { .. } => return Err(failure::is_folder_not()),
        Thing::Nothing => {}
    }
    let mut missing = Vec::new();
    let mut next = Some(client.base().clone());
    while let Some(url) = next {
        if made(client.make_folder_at(url.clone()).await?).await? {
            break;
        }
        next = above(&url);
        missing.push(url);
    }
    for url in missing.into_iter().rev() {
        if !made(client.make_folder_at(url).await?).await? {
            let message =
                "the folder cannot be made: the server says that the one above is missing";
            return Err(Failure::new(crate::ErrorKind::NotFound, message));
        }
    }
    match look(client, "").await? {
        Thing::Folder => Ok(()),
        _ => Err(failure::is_folder_not()),
    }
}

/// Whether the answer to `MKCOL` says that the folder is there now (405: that something was there before, which whoever
/// puts a file into it will learn); `false` where the one above is missing.
async fn made(response: HttpResponse) -> Result<bool, Failure> {
    match response.status() {
        200..=206 | 301 | 405 => {
            response.discard().await;
            Ok(true)
        }
        404 | 409 => {
            response.discard().await;
            Ok(false)
        }
        _ => Err(failure::of(response).await),
    }
}

/// The folder above, unless it is the server's root, which nobody makes.
fn above(url: &Url) -> Option<Url> {
    let path = url.path().strip_suffix('/')?;
    let (above, _) = path.rsplit_once('/')?;
    let mut url = url.clone();
    url.set_path(&format!("{above}/"));
    (!above.is_empty()).then_some(url)
}

/// What stands before the last slash; the empty name is the storage's own folder.
fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}
