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
        if let Err(error) = repository.write_config().await {
            // Without a configuration the key opens nothing; leaving it would make the next attempt refuse.
            let _ = repository.delete_file(FileKind::Key, &key_id).await;
            return Err(error);
        }
        Ok(repository)
    }

    async fn write_config(&self) -> Result<()> {
        // Never compressed: its version is not known before it is read.
        let stored = self.master().seal(&self.config().encode())?;
        match self
            .storage()
            .write(
                &config_path()?,
                Bytes::from(stored),
                WriteMode::New,
                Class::Metadata,
            )
            .await
        {
            Err(error) if error.kind == StorageKind::AlreadyExists => {
                Err(exists(&**self.storage()))
            }
            result => result.context(|| "save config"),
        }
    }
}

async fn refuse_existing(storage: &dyn Storage) -> Result<()> {
    match storage.stat(&config_path()?).await {
        Ok(_) => return Err(exists(storage)),
        Err(error) if error.kind == StorageKind::NotFound => {}
        Err(error) => return Err(error).context(|| "look for a repository"),
    }
    // A key alone is what an attempt that was cut off leaves behind, and is in nobody's way. Indexes or snapshots are a
    // repository whose configuration is lost, or does not show.
    for kind in [FileKind::Index, FileKind::Snapshot] {
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
