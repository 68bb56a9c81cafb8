//! From the options to an open repository.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use strongroom_repository::clock::SystemClock;
use strongroom_repository::compression::Level;
use strongroom_repository::crypto::{KdfParams, KeyOwner};
use strongroom_repository::format::{RepositoryVersion, Time};
use strongroom_repository::lock::{Access, Lock, LockOptions};
use strongroom_repository::repository::{CreateOptions, OpenOptions, Settings};
use strongroom_repository::{ErrorKind, Repository};
use strongroom_storage::{
    CacheDirectory, CacheSettings, CacheStorage, Location, RetryPolicy, RetryStorage, Storage,
};

use crate::arguments::{CompressionArgument, FromArguments, GlobalArguments};
use crate::context::Context;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::host::ThisHost;
use crate::password::{PasswordSource, Purpose};

/// A repository that is named but not open yet.
pub struct Named {
    location: Location,
    storage: Arc<dyn Storage>,
    password: PasswordSource,
    key_hint: Option<String>,
    /// It is the second repository, which is read from (`--from-repo`).
    is_source: bool,
}

const FROM_PASSWORD_HINT: &str = "give --from-password-file or --from-password-command, or set \
    STRONGROOM_FROM_PASSWORD, STRONGROOM_FROM_PASSWORD_FILE or STRONGROOM_FROM_PASSWORD_COMMAND";

/// Nothing can be checked in a repository that does not open.
const DAMAGED_HINT: &str = "without the file `config` and one whole file in `keys` nothing can be decrypted: \
    put the damaged one back from another copy of the repository, and change nothing before that";

/// Wrong passwords a person may type before the command gives up.
const ATTEMPTS: usize = 3;

/// Caches that nobody used for so long are removed by `--cleanup-cache`.
const OLD_CACHE: Duration = Duration::from_secs(30 * 24 * 3600);

impl Context {
    /// The repository of `--repo`.
    pub fn named(&self) -> Result<Named> {
        let (global, environment) = (&self.global, &self.environment);
        let text = address(
            global.repo.as_deref(),
            global.repository_file.as_deref(),
            environment,
            "",
        )?
        .ok_or_else(|| {
            Error::usage("no repository was named").hint(
                "give -r/--repo URL, or set STRONGROOM_REPOSITORY; a URL is a path or local:/path",
            )
        })?;
        let hint = environment.setting_text("KEY_HINT").map(str::to_owned);
        self.name(
            &text,
            PasswordSource::of_repository(global, environment)?,
            global.key_hint.clone().or(hint),
            false,
        )
    }

    /// The repository of `--from-repo`; `None` where none was given.
    pub fn named_source(&self, from: &FromArguments) -> Result<Option<Named>> {
        let environment = &self.environment;
        let text = address(
            from.from_repo.as_deref(),
            from.from_repository_file.as_deref(),
            environment,
            "FROM_",
        )?;
        let Some(text) = text else {
            return Ok(None);
        };
        let hint = environment.setting_text("FROM_KEY_HINT").map(str::to_owned);
        let password = PasswordSource::of_source(from, environment)?;
        self.name(&text, password, from.from_key_hint.clone().or(hint), true)
            .map(Some)
    }

    fn name(
        &self,
        text: &str,
        password: PasswordSource,
        key_hint: Option<String>,
        is_source: bool,
    ) -> Result<Named> {
        let location = Location::parse(text)
            .map_err(|e| Error::usage(format!("the address of the repository: {e}")))?;
        let output = Arc::clone(&self.output);
        let storage =
            RetryStorage::new(strongroom_storage::open(&location), RetryPolicy::default())
                .observed(move |error, pause| {
                    let pause = pause.as_secs_f64();
                    output.detail(1, format_args!("{error}; trying again in {pause:.1} s"));
                });
        Ok(Named {
            location,
            storage: Arc::new(storage),
            password,
            key_hint,
            is_source,
        })
    }

    /// Opens the repository of `--repo`.
    pub async fn open(&self) -> Result<Repository> {
        self.open_named(&self.named()?).await
    }

    /// Opens a repository, with the cache in front of its storage.
    pub async fn open_named(&self, named: &Named) -> Result<Repository> {
        let plain = self.open_without_cache(named).await?;
        self.with_cache(named, plain).await
    }

    /// Opens a repository such that every read goes to its storage.
    pub async fn open_without_cache(&self, named: &Named) -> Result<Repository> {
        let options = OpenOptions {
            key_hint: named.key_hint.clone(),
            settings: self.settings()?,
            threads: 0,
        };
        let what = named.storage.location();
        let mut attempts = if named.password.asks() { ATTEMPTS } else { 1 };
        loop {
            let password = named.password.obtain(self, Purpose::Open, &what).await;
            let password = password.map_err(|error| match named.is_source {
                true if named.password.asks() && error.code == ExitCode::Usage => {
                    error.hint(FROM_PASSWORD_HINT)
                }
                _ => error,
            })?;
            attempts -= 1;
            let opening = Repository::open(Arc::clone(&named.storage), &password, &options);
            match self.unless_cancelled(opening).await? {
                Err(error) if error.kind() == ErrorKind::WrongPassword && attempts > 0 => {
                    self.output.warning("wrong password; try again");
                }
                Err(error) if error.kind() == ErrorKind::WrongPassword => {
                    return Err(Error::from(error).context(format_args!("open {what}")));
                }
                Err(error) if error.kind() == ErrorKind::Damaged => {
                    let error = Error::from(error).context(format_args!("open {what}"));
                    return Err(error.hint(DAMAGED_HINT));
                }
                opened => return Ok(opened?),
            }
        }
    }

    /// Makes a repository and opens it.
    pub async fn create(&self, named: &Named, like: Option<&Repository>) -> Result<Repository> {
        let what = named.storage.location();
        let password = named.password.obtain(self, Purpose::New, &what).await?;
        let options = CreateOptions {
            version: RepositoryVersion::V2,
            kdf: KdfParams::DEFAULT,
            owner: self.key_owner(None, None),
            polynomial: like.map(|repository| repository.config().chunker_polynomial),
            settings: self.settings()?,
            threads: 0,
        };
        let creating = Repository::create(Arc::clone(&named.storage), &password, &options);
        let created = self.unless_cancelled(creating).await?;
        Ok(created?)
    }

    /// What a key says of its maker.
    pub fn key_owner(&self, username: Option<&str>, hostname: Option<&str>) -> KeyOwner {
        let environment = &self.environment;
        KeyOwner {
            created: Time::new(jiff::Timestamp::now(), &environment.time_zone),
            username: username.unwrap_or(&environment.username).to_owned(),
            hostname: hostname.unwrap_or(&environment.hostname).to_owned(),
        }
    }

    /// Puts the cache in front of a repository's storage.
    ///
    /// Copies of what lies on this machine anyway gain nothing, so a local repository has a cache only where its folder
    /// was named.
    pub async fn with_cache(&self, named: &Named, repository: Repository) -> Result<Repository> {
        let explicit = self.global.cache_dir.is_some()
            || self.environment.variable("STRONGROOM_CACHE_DIR").is_some();
        let is_local = repository.storage().capabilities().local;
        if self.global.no_cache || (is_local && !explicit) {
            return Ok(repository);
        }
        let Some(root) = self.cache_directory() else {
            self.output.warning(
                "there is no folder for the cache: neither HOME nor XDG_CACHE_HOME nor STRONGROOM_CACHE_DIR is set",
            );
            return Ok(repository);
        };
        if self.global.cleanup_cache {
            self.clean_up_caches(&root).await;
        }
        // A backup that this folder lies in leaves it out, which it can only where the folder exists from the beginning.
        // A failure here is no harm: the cache says itself what is wrong with it.
        let _ = DirBuilder::new().recursive(true).mode(0o700).create(&root);
        let name = repository.config().id.to_hex();
        let storage = Arc::clone(&named.storage);
        let cached = CacheStorage::new(storage, root, &name, CacheSettings::default())
            .map_err(|e| Error::failed(format!("open the cache: {e}")))?;
        Ok(repository.with_storage(Arc::new(cached)))
    }

    /// Where caches are kept.
    pub fn cache_directory(&self) -> Option<PathBuf> {
        let given = self.global.cache_dir.clone();
        given.or_else(|| self.environment.cache_directory())
    }

    /// A cache that cannot be removed harms nobody.
    async fn clean_up_caches(&self, root: &Path) {
        let directory = CacheDirectory::new(root);
        let removed = tokio::task::spawn_blocking(move || {
            let old = directory.plan_removal(OLD_CACHE, SystemTime::now())?;
            directory.remove(&old).map(|()| old.len())
        });
        match removed.await {
            Ok(Ok(0)) | Err(_) => {}
            Ok(Ok(number)) => self
                .output
                .detail(1, format_args!("removed {number} old caches")),
            Ok(Err(error)) => self.output.warning(&format!("remove old caches: {error}")),
        }
    }

    fn settings(&self) -> Result<Settings> {
        let compression = match self.global.compression {
            Some(given) => Some(given),
            None => self.setting_value("COMPRESSION")?,
        };
        let pack_size_mib = match self.global.pack_size {
            Some(given) => given,
            None => self.pack_size_of_environment()?,
        };
        let default = Settings::default();
        Ok(Settings {
            compression: match compression {
                Some(CompressionArgument::Off) => Level::Off,
                Some(CompressionArgument::Max) => Level::Max,
                Some(CompressionArgument::Auto) | None => Level::Auto,
            },
            pack_size_bytes: match pack_size_mib {
                0 => default.pack_size_bytes,
                mib => mib << 20,
            },
        })
    }

    /// In MiB; zero where it is not set, as in restic.
    fn pack_size_of_environment(&self) -> Result<u32> {
        let Some(text) = self.environment.setting_text("PACK_SIZE") else {
            return Ok(0);
        };
        let size = text.parse().ok();
        size.filter(|mib| *mib == 0 || GlobalArguments::PACK_SIZES_MIB.contains(mib))
            .ok_or_else(|| Error::usage("STRONGROOM_PACK_SIZE has to be a number from 4 to 128"))
    }

    fn setting_value<T: clap::ValueEnum>(&self, name: &str) -> Result<Option<T>> {
        let Some(text) = self.environment.setting_text(name) else {
            return Ok(None);
        };
        T::from_str(text, true)
            .map(Some)
            .map_err(|_| Error::usage(format!("STRONGROOM_{name} cannot be {text:?}")))
    }

    /// How locks are taken. `--no-lock` is for reading alone: what writes without one could lose others' data.
    pub fn lock_options(&self, access: Access) -> LockOptions {
        LockOptions {
            host: Arc::new(ThisHost::new(&self.environment)),
            clock: Arc::new(SystemClock),
            retry_for: self.global.retry_lock.unwrap_or_default(),
            disabled: self.global.no_lock && access == Access::Read,
        }
    }

    /// Does work under a lock, and gives the lock up in every case.
    pub async fn locked<T>(
        &self,
        repository: &Repository,
        access: Access,
        work: impl AsyncFnOnce(&Lock) -> Result<T>,
    ) -> Result<T> {
        let lock = repository
            .lock(access, &self.lock_options(access), &self.cancel)
            .await
            .map_err(|error| {
                Error::from(error).context(format_args!("lock {}", repository.location()))
            })?;
        let result = work(&lock).await;
        let released = lock.release().await;
        if let (Ok(_), Err(error)) = (&result, released) {
            // The work is done; the lock is found to be dead by whoever meets it.
            self.output
                .warning(&format!("remove this process's lock: {error}"));
        }
        result
    }

    async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        tokio::select! {
            () = self.cancel.cancelled() => Err(Error::interrupted().hint("nothing was changed")),
            done = work => Ok(done),
        }
    }
}

impl Named {
    /// The storage's name for people.
    pub fn location(&self) -> String {
        self.storage.location()
    }

    /// The directory that the repository lies in, where it is one of this machine.
    pub fn directory(&self) -> Option<&Path> {
        match &self.location {
            Location::Local(path) => Some(path),
            _ => None,
        }
    }
}

/// The command line before the environment; in the latter the address before the file that holds it.
fn address(
    url: Option<&str>,
    file: Option<&Path>,
    environment: &Environment,
    infix: &str,
) -> Result<Option<String>> {
    if let Some(url) = url {
        return Ok(Some(url.to_owned()));
    }
    if let Some(path) = file {
        return read_address(path).map(Some);
    }
    if let Some(url) = environment.setting(&format!("{infix}REPOSITORY")) {
        let url = url.to_str().map(str::to_owned);
        return url.map(Some).ok_or_else(|| {
            Error::usage("the address of the repository in the environment is not valid UTF-8")
        });
    }
    match environment.setting(&format!("{infix}REPOSITORY_FILE")) {
        Some(path) => read_address(Path::new(path)).map(Some),
        None => Ok(None),
    }
}

fn read_address(path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path).map_err(|e| {
        Error::usage(format!(
            "read the address of the repository from {}: {e}",
            path.display()
        ))
    })?;
    Ok(text.trim().to_owned())
}
