//! Which storage may be a mirror: an empty one, or one that holds the same repository.

use std::sync::Arc;

use bytes::Bytes;
use strongroom_storage::{Class, ErrorKind as StorageKind, Storage, WriteMode};

use super::part::Part;
use crate::error::Context;
use crate::file_kind::config_path;
use crate::format::Config;
use crate::repository::Repository;
use crate::{Error, ErrorKind, Result};

/// A repository and the storage that mirrors it.
#[derive(Debug, Clone)]
pub struct Mirror {
    pub(super) source: Repository,
    pub(super) target: Repository,
    pub(super) config: Bytes,
    /// The configuration that the mirror has.
    pub(super) present: Option<Bytes>,
}

impl Repository {
    /// Looks whether a storage can be this repository's mirror. Changes nothing.
    ///
    /// Both storages should be given without a cache in front: what really lies there is compared.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] where another repository lies there, or files of one whose configuration is gone; the
    /// storages'.
    pub async fn mirror_at(&self, storage: Arc<dyn Storage>) -> Result<Mirror> {
        let config = load(&**self.storage()).await?.ok_or_else(|| {
            let message = format!("{} has no file `config` any more", self.location());
            Error::new(ErrorKind::NoRepository, message)
        })?;
        let present = load(&*storage).await?;
        match &present {
            Some(present) if *present == config || self.is_own_config(present) => {}
            Some(_) => {
                let place = storage.location();
                let message = format!("{place} holds another repository, or a damaged `config`");
                return Err(Error::new(ErrorKind::Refused, message));
            }
            None => refuse_remains(&*storage).await?,
        }
        Ok(Mirror {
            source: self.clone(),
            target: self.with_storage(storage),
            config,
            present,
        })
    }

    /// The configuration of this repository in another form, as before a change of its version.
    fn is_own_config(&self, stored: &[u8]) -> bool {
        let opened = self.master().open(stored);
        let decoded = opened.map(|plain| Config::decode(&plain));
        matches!(decoded, Ok(Ok(config)) if config.id == self.config().id)
    }
}

impl Mirror {
    /// The mirror as a repository, to be locked.
    pub fn target(&self) -> &Repository {
        &self.target
    }

    /// Whether there is nothing yet at the place of the mirror.
    pub fn is_new(&self) -> bool {
        self.present.is_none()
    }

    /// Makes the mirror an empty repository, if it is new: then it can be locked.
    ///
    /// # Errors
    /// The storage's.
    pub async fn begin(&mut self) -> Result<()> {
        if !self.is_new() {
            return Ok(());
        }
        let storage = self.target.storage();
        let place = || format!("begin the mirror {}", storage.location());
        storage.create().await.context(place)?;
        let config = self.config.clone();
        storage
            .write(&config_path()?, config, WriteMode::New, Class::Metadata)
            .await
            .context(place)?;
        self.present = Some(self.config.clone());
        Ok(())
    }
}

/// The configuration, where there is one.
async fn load(storage: &dyn Storage) -> Result<Option<Bytes>> {
    match storage.read(&config_path()?, None, Class::Metadata).await {
        Ok(config) => Ok(Some(config)),
        Err(error) if error.kind == StorageKind::NotFound => Ok(None),
        Err(error) => Err(error).context(|| "load config"),
    }
}

/// A repository without its configuration may be somebody's last copy: nothing is mirrored over it.
async fn refuse_remains(storage: &dyn Storage) -> Result<()> {
    for part in Part::ALL {
        let found = match part.list(storage).await {
            Err(error) if is_not_there(&error) => return Ok(()),
            listed => listed?,
        };
        if let Some(file) = found.first() {
            let message = format!(
                "{} has files of a repository ({}) and no `config`",
                storage.location(),
                file.path
            );
            return Err(Error::new(ErrorKind::Refused, message));
        }
    }
    Ok(())
}

fn is_not_there(error: &Error) -> bool {
    let kind = error.storage().map(|storage| storage.kind);
    kind == Some(StorageKind::NotFound)
}
