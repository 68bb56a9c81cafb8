//! Opening a repository with a password.

use std::sync::Arc;

use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use strongroom_storage::{Class, ErrorKind as StorageKind, Storage};

use super::{Inner, Repository, Settings};
use crate::crypto::MasterKey;
use crate::error::Context;
use crate::file_kind::{FileKind, config_path, storage_path};
use crate::format::{Config, Id, KeyFile};
use crate::index::IndexCache;
use crate::signature::Signer;
use crate::workers::Workers;
use crate::{Error, ErrorKind, Result};

/// How a repository is opened.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// Start of the identifier of the key file to try first, where there are many.
    pub key_hint: Option<String>,
    /// How new data is stored.
    pub settings: Settings,
    /// Threads for hashing, compression and encryption; zero means one for each core.
    pub threads: usize,
}

/// At most so many key files are tried: each costs a scrypt, and the list comes from outside.
const MAX_KEYS: usize = 20;

/// What a password opened.
pub(super) struct Opened {
    pub master: MasterKey,
    pub key_id: Id,
    pub config: Config,
}

impl Repository {
    /// Opens the repository in a storage.
    ///
    /// # Errors
    /// [`ErrorKind::NoRepository`], [`ErrorKind::WrongPassword`], [`ErrorKind::UnsupportedVersion`],
    /// [`ErrorKind::Damaged`], or the storage's.
    pub async fn open(
        storage: Arc<dyn Storage>,
        password: &SecretString,
        options: &OpenOptions,
    ) -> Result<Self> {
        let stored_config = load_config(&*storage).await?;
        let workers = Workers::new(options.threads)?;
        let opened = find_key(&*storage, &workers, password, options, &stored_config).await?;
        Ok(Self::assemble(
            storage,
            opened,
            workers,
            options.settings.clone(),
        ))
    }

    /// The same repository over another storage that shows the same files (a cache in front, a limit).
    #[must_use]
    pub fn with_storage(&self, storage: Arc<dyn Storage>) -> Self {
        let mut inner = self.copied();
        inner.storage = storage;
        Self::of(inner)
    }

    /// The same repository, whose index is kept on this machine too.
    #[must_use]
    pub fn with_index_cache(&self, cache: IndexCache) -> Self {
        let mut inner = self.copied();
        inner.index_cache = Some(cache);
        Self::of(inner)
    }

    pub(crate) fn signed_by(&self, signer: Option<Arc<Signer>>) -> Self {
        let mut inner = self.copied();
        inner.signer = signer;
        Self::of(inner)
    }

    fn of(inner: Inner) -> Self {
        Self {
            inner: Arc::new(inner),
        }
    }

    fn copied(&self) -> Inner {
        Inner {
            storage: Arc::clone(&self.inner.storage),
            master: self.inner.master.clone(),
            key_id: self.inner.key_id,
            config: self.inner.config.clone(),
            workers: self.inner.workers.clone(),
            settings: self.inner.settings.clone(),
            signer: self.inner.signer.clone(),
            index_cache: self.inner.index_cache.clone(),
            history: Arc::clone(&self.inner.history),
        }
    }

    pub(super) fn assemble(
        storage: Arc<dyn Storage>,
        opened: Opened,
        workers: Workers,
        settings: Settings,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                storage,
                master: opened.master,
                key_id: opened.key_id,
                config: opened.config,
                workers,
                settings,
                signer: None,
                index_cache: None,
                history: Arc::default(),
            }),
        }
    }
}

async fn load_config(storage: &dyn Storage) -> Result<Bytes> {
    match storage.read(&config_path()?, None, Class::Metadata).await {
        Ok(stored) => Ok(stored),
        Err(error) if error.kind == StorageKind::NotFound => Err(Error::new(
            ErrorKind::NoRepository,
            format!(
                "there is no repository at {}: it has no file `config`",
                storage.location()
            ),
        )),
        Err(error) => Err(error).context(|| "load config"),
    }
}

fn decode_config(master: &MasterKey, stored: &[u8]) -> Result<Config> {
    Ok(Config::decode(&master.open(stored)?)?)
}

/// Tries the password on the key files, the hinted one first.
///
/// A key whose master key does not open the configuration belongs to an attempt at making a repository that was cut
/// off, or the configuration is damaged: the others are tried before that is said.
async fn find_key(
    storage: &dyn Storage,
    workers: &Workers,
    password: &SecretString,
    options: &OpenOptions,
    stored_config: &[u8],
) -> Result<Opened> {
    let folder = storage_path(FileKind::Key.folder())?;
    let files = storage.list(Some(&folder)).await.context(|| "list keys")?;
    let mut ids: Vec<Id> = files
        .iter()
        .filter_map(FileKind::entry)
        .map(|file| file.id)
        .collect();
    let hint = options.key_hint.as_deref();
    ids.sort_unstable_by_key(|id| (!hint.is_some_and(|hint| id.to_hex().starts_with(hint)), *id));
    let mut damage = None;
    for key_id in ids.iter().copied().take(MAX_KEYS) {
        let tried = try_key(storage, workers, password, &key_id).await;
        let opened = tried.and_then(|master| {
            let Some(master) = master else {
                return Ok(None);
            };
            let config = decode_config(&master, stored_config).context(|| "read config")?;
            Ok(Some(Opened {
                master,
                key_id,
                config,
            }))
        });
        match opened {
            Ok(Some(opened)) => return Ok(opened),
            Ok(None) => {}
            Err(error) if error.kind() == ErrorKind::Damaged => damage = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(match damage {
        Some(error) => error,
        None if ids.is_empty() => Error::damaged("the repository has no key file"),
        None => Error::new(
            ErrorKind::WrongPassword,
            "no key of the repository opens with this password",
        ),
    })
}

async fn try_key(
    storage: &dyn Storage,
    workers: &Workers,
    password: &SecretString,
    id: &Id,
) -> Result<Option<MasterKey>> {
    let doing = || format!("key {}", id.short());
    let stored = storage
        .read(&FileKind::Key.path(id)?, None, Class::Metadata)
        .await
        .context(doing)?;
    if Id::of(&stored) != *id {
        return Err(Error::damaged("the content does not match the name")).context(doing);
    }
    let file = KeyFile::decode(&stored)
        .map_err(Error::from)
        .context(doing)?;
    let password = password.clone();
    workers
        .run(move || file.unlock(password.expose_secret().as_bytes()))
        .await?
        .map_err(Error::from)
        .context(doing)
}
