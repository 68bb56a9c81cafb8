//! From the options to an open repository.

use std::path::Path;
use std::sync::Arc;

use strongroom_repository::crypto::{KdfParams, KeyOwner};
use strongroom_repository::format::{RepositoryVersion, Time};
use strongroom_repository::own_files::OwnFolder;
use strongroom_repository::repository::{CreateOptions, OpenOptions};
use strongroom_repository::{ErrorKind, Repository};
use strongroom_storage::{Location, Storage};

use crate::arguments::FromArguments;
use crate::context::Context;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::figures;
use crate::password::{PasswordSource, Purpose};

/// A repository that is named but not open yet.
pub struct Named {
    location: Location,
    pub(crate) storage: Arc<dyn Storage>,
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

/// The same, where parity lies beside it.
const PARITY_HINT: &str = "parity lies there: `strongroom repair files` shows what is lost and damaged, and can bring \
    it back without a password";

/// Wrong passwords a person may type before the command gives up.
const ATTEMPTS: usize = 3;

impl Context {
    /// The repository of `--repo`.
    pub fn named(&self) -> Result<Named> {
        let mut all = self.named_all()?.into_iter();
        match (all.next(), all.next()) {
            (Some(named), None) => Ok(named),
            _ => Err(Error::usage(
                "this works on one repository, and several were named",
            )),
        }
    }

    /// The repositories of `--repo`, at least one, all in different places.
    pub fn named_all(&self) -> Result<Vec<Named>> {
        let (global, environment) = (&self.global, &self.environment);
        let addresses = match global.repo.len() {
            0 => {
                let file = global.repository_file.as_deref();
                let text = address(None, file, environment, "")?.ok_or_else(|| {
                    Error::usage("no repository was named").hint(
                        "give -r/--repo URL, or set STRONGROOM_REPOSITORY; a URL is a path, sftp://user@host/path, s3:https://host/bucket/path, rest:https://host:8000/path or of another kind of storage",
                    )
                })?;
                vec![text]
            }
            _ => global.repo.clone(),
        };
        let files = global.password_file.len();
        if files > 1 && files != addresses.len() {
            return Err(Error::usage(format!(
                "{} and {} do not go together",
                figures::count(files as u64, "password file"),
                if addresses.len() == 1 { "1 repository".to_owned() } else { format!("{} repositories", addresses.len()) },
            ))
            .hint("give --password-file once for all repositories, or once for each, in the same order"));
        }
        let hint = environment.setting_text("KEY_HINT").map(str::to_owned);
        let hint = global.key_hint.clone().or(hint);
        let mut all: Vec<Named> = Vec::with_capacity(addresses.len());
        for (nth, text) in addresses.iter().enumerate() {
            let password = PasswordSource::of_repository(global, nth, environment)?;
            let named = self.name(text, password, hint.clone(), false)?;
            if let Some(same) = all.iter().find(|other| other.is_at(&named.location)) {
                let location = same.location();
                return Err(Error::usage(format!("{location} was named twice")));
            }
            all.push(named);
        }
        Ok(all)
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
        let password = PasswordSource::of_source(&from.password, environment)?;
        self.name(
            &text,
            password,
            from.password.from_key_hint.clone().or(hint),
            true,
        )
        .map(Some)
    }

    fn name(
        &self,
        text: &str,
        password: PasswordSource,
        key_hint: Option<String>,
        is_source: bool,
    ) -> Result<Named> {
        let (location, storage) = self.storage_at(text)?;
        Ok(Named {
            location,
            storage,
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
                    return Err(error.hint(match named.has_parity().await {
                        true => PARITY_HINT,
                        false => DAMAGED_HINT,
                    }));
                }
                Err(error)
                    if error.kind() == ErrorKind::NoRepository && named.has_parity().await =>
                {
                    return Err(Error::from(error).hint(PARITY_HINT));
                }
                opened if named.is_source => return Ok(opened?),
                opened => return self.with_signer(opened?),
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
        self.with_signer(created?)
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

    async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        tokio::select! {
            () = self.cancel.cancelled() => Err(Error::interrupted().hint("nothing was changed")),
            done = work => Ok(done),
        }
    }
}

impl Named {
    /// Whether a person is asked for the password.
    pub fn asks(&self) -> bool {
        self.password.asks()
    }

    /// The storage's name for people.
    pub fn location(&self) -> String {
        self.storage.location()
    }

    /// Whether parity can be asked for what is lost. Where that cannot be told, it cannot.
    async fn has_parity(&self) -> bool {
        let parity = OwnFolder::Parity.list(&*self.storage).await;
        parity.is_ok_and(|files| !files.is_empty())
    }

    /// Whether it is named by this location.
    pub fn is_at(&self, location: &Location) -> bool {
        self.location == *location
    }

    /// The directory that the repository lies in, where it is one of this machine.
    pub fn directory(&self) -> Option<&Path> {
        match &self.location {
            Location::Local(local) => Some(local.path()),
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
