//! Making a new repository.

use std::sync::Arc;

use bytes::Bytes;
use secrecy::SecretString;
use strongroom_storage::{Class, ErrorKind as StorageKind, Storage, WriteMode};

use super::open::Opened;
use super::{Repository, Settings};
use crate::chunker::Polynomial;
use crate::crypto::{KdfParams, KeyOwner, MasterKey};
use crate::error::Context;
use crate::file_kind::{FileKind, config_path, storage_path};
use crate::format::{Config, Id, RepositoryVersion};
use crate::keys;
use crate::workers::Workers;
use crate::{Error, ErrorKind, Result};

/// How a repository is made.
#[derive(Debug, Clone)]
pub struct CreateOptions {
    /// Version of the format.
    pub version: RepositoryVersion,
    /// Cost of deriving a key from the password.
    pub kdf: KdfParams,
    /// Who the first key is said to belong to.
    pub owner: KeyOwner,
    /// Parameter of the chunker; random if not given. Two repositories with the same one deduplicate across a copy.
    pub polynomial: Option<Polynomial>,
    /// How new data is stored.
    pub settings: Settings,
    /// Threads for hashing, compression and encryption; zero means one for each core.
    pub threads: usize,
}

impl Repository {
    /// Makes a repository in a storage and opens it.
    ///
    /// The configuration is written last and only if there is none, so a repository appears whole or not at all, and
    /// of two programs that make one in the same place one fails.
    ///
    /// # Errors
    /// [`ErrorKind::RepositoryExists`], [`ErrorKind::Refused`] if the place holds data of a repository whose
    /// configuration is lost, or the storage's.
    pub async fn create(
        storage: Arc<dyn Storage>,
        password: &SecretString,
        options: &CreateOptions,
    ) -> Result<Self> {
        let workers = Workers::new(options.threads)?;
        storage.create().await.context(|| "create the storage")?;
        refuse_existing(&*storage).await?;
        let leftovers = left_keys(&*storage).await?;
        let mut id = [0; 32];
        getrandom::fill(&mut id)
            .map_err(|error| Error::new(ErrorKind::Internal, format!("random numbers: {error}")))?;
        let polynomial = match options.polynomial {
            Some(polynomial) => polynomial,
            None => workers.run(Polynomial::generate).await??,
        };
        let config = Config {
            version: options.version,
            id: Id::from_bytes(id),
            chunker_polynomial: polynomial,
        };
        let master = MasterKey::generate().map_err(Error::from)?;
        let key_id = keys::store(
            &*storage,
            &workers,
            &master,
            password,
            options.kdf,
            &options.owner,
        )
        .await?;
        let opened = Opened {
            master,
            key_id,
            config,
        };
        let repository = Self::assemble(storage, opened, workers, options.settings.clone());
        repository.write_config().await?;
        // restic refuses to open where a key with the password does not fit the configuration. Not before the
        // configuration is ours: another program that makes a repository here may need them.
        for leftover in leftovers {
            repository.delete_file(FileKind::Key, &leftover).await?;
        }
        Ok(repository)
    }

    /// An error leaves the key: whether the configuration was stored after all is not known, and without a
    /// configuration the key is in nobody's way.
    async fn write_config(&self) -> Result<()> {
        // Never compressed: its version is not known before it is read.
        let stored = Bytes::from(self.master().seal(&self.config().encode())?);
        let path = config_path()?;
        let storage = self.storage();
        let write = storage.write(&path, stored.clone(), WriteMode::New, Class::Metadata);
        let written = write.await;
        // A write whose answer was lost finds its own file when it is tried again.
        match (storage.read(&path, None, Class::Metadata).await, written) {
            (Ok(found), _) if found == stored => Ok(()),
            (_, Err(error)) if error.kind == StorageKind::AlreadyExists => {
                self.delete_file(FileKind::Key, &self.key_id()).await?;
                Err(exists(&**storage))
            }
            (_, Err(error)) | (Err(error), _) => Err(error).context(|| "save config"),
            (Ok(_), Ok(())) => Err(Error::damaged("the storage has not kept the config")),
        }
    }
}

/// Keys of attempts that were cut off.
async fn left_keys(storage: &dyn Storage) -> Result<Vec<Id>> {
    let folder = storage_path(FileKind::Key.folder())?;
    let files = storage.list(Some(&folder)).await.context(|| "list keys")?;
    let keys = files.iter().filter_map(FileKind::entry);
    Ok(keys.map(|file| file.id).collect())
}

async fn refuse_existing(storage: &dyn Storage) -> Result<()> {
    match storage.stat(&config_path()?).await {
        Ok(_) => return Err(exists(storage)),
        Err(error) if error.kind == StorageKind::NotFound => {}
        Err(error) => return Err(error).context(|| "look for a repository"),
    }
    // A key alone is what an attempt that was cut off leaves behind. Anything else is a repository whose configuration is
    // lost, or does not show.
    for kind in [FileKind::Index, FileKind::Snapshot, FileKind::Pack] {
        let folder = storage_path(kind.folder())?;
        let files = storage
            .list(Some(&folder))
            .await
            .context(|| format!("list {} files", kind.noun()))?;
        if !files.is_empty() {
            return Err(Error::new(
                ErrorKind::Refused,
                format!(
                    "{} holds {} files of a repository whose file `config` is missing; a new one is not made over it",
                    storage.location(),
                    kind.noun()
                ),
            ));
        }
    }
    Ok(())
}

fn exists(storage: &dyn Storage) -> Error {
    Error::new(
        ErrorKind::RepositoryExists,
        format!("there is a repository at {} already", storage.location()),
    )
}
