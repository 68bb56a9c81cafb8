//! Who may sign in: a file as `htpasswd` writes it, with bcrypt (`htpasswd -B`) or SHA-1 (`htpasswd -s`).

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use data_encoding::BASE64;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::observer::{Event, Observer};

/// Passwords that are worked out at the same time; each takes a processor for a tenth of a second by design.
const AT_ONCE: usize = 2;

/// Sign-ins that are remembered, so that not every request works one out.
const REMEMBERED: usize = 256;

/// The users, read from a file, and read anew when it has changed.
pub struct Accounts {
    path: PathBuf,
    known: RwLock<Arc<Known>>,
    turns: Semaphore,
    /// Of this process alone, so that what is remembered is of no use elsewhere.
    salt: [u8; 32],
    remembered: Mutex<HashMap<[u8; 32], Arc<Known>>>,
}

struct Known {
    changed: Option<SystemTime>,
    hashes: HashMap<String, String>,
}

/// A file that holds no accounts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountsError {
    /// It cannot be read.
    #[error("read {}: {error}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A line is none of `htpasswd`'s, or its password is kept in a way that is not taken here.
    #[error(
        "{} line {line}: a user, a colon and a password in bcrypt (htpasswd -B) or SHA-1 (htpasswd -s) are expected", .path.display()
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// Nobody could sign in.
    #[error("{} holds no user", .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

impl Accounts {
    /// Reads the file.
    ///
    /// # Errors
    /// [`AccountsError`].
    pub fn read(path: &Path) -> Result<Self, AccountsError> {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(AccountsError::Random)?;
        Ok(Self {
            path: path.to_owned(),
            known: RwLock::new(Arc::new(Known::read(path)?)),
            turns: Semaphore::new(AT_ONCE),
            salt,
            remembered: Mutex::default(),
        })
    }

    /// The user that a header `Authorization: Basic …` signs in, if its password is right.
    pub(crate) async fn sign_in(&self, header: &str, observer: &Observer) -> Option<String> {
        self.refresh(observer);
        let known = Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner));
        let (scheme, coded) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let pair = String::from_utf8(BASE64.decode(coded.trim().as_bytes()).ok()?).ok()?;
        let (user, password) = pair.split_once(':')?;
        let hash = known.hashes.get(user)?.clone();
        let digest = Sha256::new()
            .chain_update(self.salt)
            .chain_update(pair.as_bytes());
        let digest: [u8; 32] = digest.finalize().into();
        if self.remembers(&digest, &known) {
            return Some(user.to_owned());
        }
        let _turn = self.turns.acquire().await.ok()?;
        let password = password.to_owned();
        let check = tokio::task::spawn_blocking(move || fits(&password, &hash));
        if !check.await.unwrap_or(false) {
            return None;
        }
        self.remember(digest, known);
        Some(user.to_owned())
    }

    /// What was right in a file that has changed since is not.
    fn remembers(&self, digest: &[u8; 32], known: &Arc<Known>) -> bool {
        let remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let under = remembered.get(digest);
        under.is_some_and(|under| Arc::ptr_eq(under, known))
    }

    fn remember(&self, digest: [u8; 32], known: Arc<Known>) {
        let mut remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(digest, known);
    }

    /// A file that has become unreadable locks nobody out, and nobody in.
    fn refresh(&self, observer: &Observer) {
        let changed = changed(&self.path);
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if known.changed == changed || changed.is_none() {
                return;
            }
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        match Known::read(&self.path) {
            Ok(fresh) => {
                *known = Arc::new(fresh);
                observer(&Event::AccountsRead);
            }
            Err(error) => {
                let hashes = known.hashes.clone();
                *known = Arc::new(Known { changed, hashes });
                observer(&Event::AccountsUnreadable(error.to_string()));
            }
        }
    }
}

impl Known {
    fn read(path: &Path) -> Result<Self, AccountsError> {
        let changed = changed(path);
        let text = std::fs::read_to_string(path).map_err(|error| AccountsError::Unreadable {
            path: path.to_owned(),
            error,
        })?;
        let mut hashes = HashMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let pair = line.split_once(':');
            let Some((user, hash)) = pair.filter(|(user, hash)| !user.is_empty() && is_known(hash))
            else {
                return Err(AccountsError::Malformed {
                    path: path.to_owned(),
                    line: number + 1,
                });
            };
            hashes.insert(user.to_owned(), hash.to_owned());
        }
        match hashes.is_empty() {
            true => Err(AccountsError::Empty {
                path: path.to_owned(),
            }),
            false => Ok(Self { changed, hashes }),
        }
    }
}

fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

const SHA: &str = "{SHA}";

fn is_known(hash: &str) -> bool {
    let is_bcrypt = ["$2y$", "$2a$", "$2b$"]
        .iter()
        .any(|prefix| hash.starts_with(prefix));
    hash.starts_with(SHA) || is_bcrypt && hash.len() == 60
}

fn fits(password: &str, hash: &str) -> bool {
    match hash.strip_prefix(SHA) {
        Some(expected) => {
            let found = BASE64.encode(&Sha1::digest(password.as_bytes()));
            // Compared as digests, so that the time says nothing of how much is right.
            Sha256::digest(found.as_bytes()) == Sha256::digest(expected.as_bytes())
        }
        None => bcrypt::verify(password, hash).unwrap_or(false),
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
