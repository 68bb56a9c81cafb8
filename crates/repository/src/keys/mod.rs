//! Keys: passwords that open the master key.

use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use strongroom_storage::{Class, Storage, WriteMode};

use crate::crypto::{KdfParams, KeyOwner, MasterKey};
use crate::error::Context;
use crate::file_kind::FileKind;
use crate::format::{Id, KeyFile};
use crate::repository::Repository;
use crate::workers::Workers;
use crate::{Error, ErrorKind, Result};

/// A key file as a listing shows it.
#[derive(Debug, Clone)]
pub struct KeyInfo {
    /// The key file.
    pub id: Id,
    /// Whether this process opened the repository with it.
    pub current: bool,
    /// What it says; an error if it cannot be read.
    pub file: std::result::Result<KeyFile, String>,
}

impl Repository {
    /// All keys, ordered by identifier. Damaged ones are listed with their error.
    pub async fn list_keys(&self) -> Result<Vec<KeyInfo>> {
        let mut keys = Vec::new();
        for entry in self.list(FileKind::Key).await? {
            let file = match self.load_file(FileKind::Key, &entry.id).await {
                Ok(stored) => KeyFile::decode(&stored).map_err(|error| error.to_string()),
                // Removed since the listing.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => Err(error.to_string()),
            };
            keys.push(KeyInfo {
                id: entry.id,
                current: entry.id == self.key_id(),
                file,
            });
        }
        keys.sort_unstable_by_key(|key| key.id);
        Ok(keys)
    }

    /// Adds a password. The new key file is read back and opened before this returns.
    pub async fn add_key(
        &self,
        password: &SecretString,
        kdf: KdfParams,
        owner: &KeyOwner,
    ) -> Result<Id> {
        store(
            &**self.storage(),
            self.workers(),
            self.master(),
            password,
            kdf,
            owner,
        )
        .await
    }

    /// Removes a key, given by the start of its identifier.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] for the key that this process uses, [`ErrorKind::NotFound`], [`ErrorKind::Ambiguous`].
    pub async fn remove_key(&self, prefix: &str) -> Result<Id> {
        let entries = self.list(FileKind::Key).await?;
        let mut matching = entries
            .iter()
            .map(|entry| entry.id)
            .filter(|id| id.to_hex().starts_with(prefix));
        let id = match (matching.next(), matching.next()) {
            (Some(id), None) => id,
            (None, _) => {
                return Err(Error::new(
                    ErrorKind::NotFound,
                    format!("there is no key {prefix}"),
                ));
            }
            _ => {
                return Err(Error::new(
                    ErrorKind::Ambiguous,
                    format!("more than one key begins with {prefix}"),
                ));
            }
        };
        if id == self.key_id() {
            return Err(Error::new(
                ErrorKind::Refused,
                format!("key {} is the one that opened the repository", id.short()),
            ));
        }
        self.delete_file(FileKind::Key, &id).await?;
        Ok(id)
    }

    /// Puts a new password in place of the one that opened the repository: adds the new key, checks it, then removes
    /// the old one. A crash in between leaves both.
    pub async fn change_password(
        &self,
        password: &SecretString,
        kdf: KdfParams,
        owner: &KeyOwner,
    ) -> Result<Id> {
        let id = self.add_key(password, kdf, owner).await?;
        self.delete_file(FileKind::Key, &self.key_id()).await?;
        Ok(id)
    }
}

/// Derives a key from the password, stores the key file, and opens what was stored.
pub(crate) async fn store(
    storage: &dyn Storage,
    workers: &Workers,
    master: &MasterKey,
    password: &SecretString,
    kdf: KdfParams,
    owner: &KeyOwner,
) -> Result<Id> {
    let (job_master, job_password, job_owner) = (master.clone(), password.clone(), owner.clone());
    let stored = workers
        .run(move || {
            KeyFile::create(
                job_password.expose_secret().as_bytes(),
                &job_master,
                kdf,
                job_owner,
            )
        })
        .await?
        .context(|| "make a key")?
        .encode();
    let id = Id::of(&stored);
    let path = FileKind::Key.path(&id)?;
    storage
        .write(&path, Bytes::from(stored), WriteMode::New, Class::Metadata)
        .await
        .context(|| "save key")?;
    // A key that does not open would lock the owner out the moment the old one is removed.
    let stored = storage
        .read(&path, None, Class::Metadata)
        .await
        .context(|| "read the new key back")?;
    let password = password.clone();
    let file = KeyFile::decode(&stored).context(|| "read the new key back")?;
    let opened = workers
        .run(move || file.unlock(password.expose_secret().as_bytes()))
        .await??;
    match opened {
        Some(opened) if opened.same_as(master) => Ok(id),
        _ => Err(Error::damaged(format!(
            "key {} does not open after it was stored",
            id.short()
        ))),
    }
}
