//! Uploads that are on their way, for a write that is repeated.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::http::Url;
use crate::{Class, StoragePath, WriteMode};

/// So many are remembered; the oldest is forgotten first.
const MOST: usize = 64;

/// What an upload is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct What {
    path: StoragePath,
    digest: [u8; 32],
    mode: WriteMode,
    class: Class,
}

impl What {
    pub(super) fn new(path: &StoragePath, data: &Bytes, mode: WriteMode, class: Class) -> Self {
        Self {
            path: path.clone(),
            digest: Sha256::digest(data).into(),
            mode,
            class,
        }
    }
}

/// Sessions that have begun and not ended. Their addresses let anybody write who knows them: no debug output shows them.
#[derive(Default)]
pub(super) struct Sessions {
    known: Mutex<VecDeque<(What, Url)>>,
}

impl Sessions {
    /// The session of an upload; it is the caller's until it is given back.
    pub(super) fn take(&self, what: &What) -> Option<Url> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let place = known.iter().position(|(known, _)| known == what)?;
        known.remove(place).map(|(_, address)| address)
    }

    fn put(&self, what: What, address: Url) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(other, _)| *other != what);
        if known.len() >= MOST {
            known.pop_front();
        }
        known.push_back((what, address));
    }

    /// Keeps the session for the next try, unless this one ends well: also where the call is dropped.
    pub(super) fn guard(&self, what: What, address: Url) -> Guard<'_> {
        Guard {
            sessions: self,
            held: Some((what, address)),
        }
    }
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Sessions")
            .field("known", &known.len())
            .finish()
    }
}

/// A session in use.
pub(super) struct Guard<'a> {
    sessions: &'a Sessions,
    held: Option<(What, Url)>,
}

impl Guard<'_> {
    /// It has ended, well or for good.
    pub(super) fn forget(mut self) {
        self.held = None;
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if let Some((what, address)) = self.held.take() {
            self.sessions.put(what, address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that go on where others began make a file that is neither.
    #[test]
    fn a_session_is_found_for_the_same_bytes_alone() {
        let sessions = Sessions::default();
        let path = |name: &str| StoragePath::new(name).unwrap();
        let what = |name: &str, data: &'static str, mode| {
            What::new(&path(name), &Bytes::from(data), mode, Class::Data)
        };
        let url = Url::parse("https://host/secret").unwrap();
        drop(sessions.guard(what("a", "x", WriteMode::New), url.clone()));
        assert!(!format!("{sessions:?}").contains("secret"));
        assert_eq!(sessions.take(&what("b", "x", WriteMode::New)), None);
        assert_eq!(sessions.take(&what("a", "y", WriteMode::New)), None);
        assert_eq!(sessions.take(&what("a", "x", WriteMode::Replace)), None);
        assert_eq!(
            sessions.take(&what("a", "x", WriteMode::New)),
            Some(url.clone())
        );
        assert_eq!(sessions.take(&what("a", "x", WriteMode::New)), None);
        sessions
            .guard(what("a", "x", WriteMode::New), url.clone())
            .forget();
        assert_eq!(sessions.take(&what("a", "x", WriteMode::New)), None);
        for number in 0..100 {
            let name = format!("f{number}");
            drop(sessions.guard(what(&name, "x", WriteMode::New), url.clone()));
        }
        assert_eq!(sessions.take(&what("f0", "x", WriteMode::New)), None);
        assert!(sessions.take(&what("f99", "x", WriteMode::New)).is_some());
    }
}
