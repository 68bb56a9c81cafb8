//! The protocol's requests, signed in.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, Ordering};

use crate::http::Url;
use async_trait::async_trait;
use data_encoding::BASE64;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::failure;
use super::protocol::FILES_HEADER;
use crate::StoragePath;
use crate::failure::Failure;
use crate::http::{HttpClient, HttpRequest, HttpResponse};
use crate::secret::SecretSource;

/// Gives the connection to speak over, and makes a new one where the old one is gone.
#[async_trait]
pub(crate) trait Connect: fmt::Debug + Send + Sync {
    /// A connection that is believed to work.
    async fn connect(&self) -> Result<HttpClient, Failure>;
}

#[async_trait]
impl Connect for HttpClient {
    async fn connect(&self) -> Result<HttpClient, Failure> {
        Ok(self.clone())
    }
}

/// Who signs in. The password is fetched when it is first needed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Credentials {
    user: Option<String>,
    password: Option<SecretSource>,
}

impl Credentials {
    pub(crate) fn new(user: Option<&str>, password: Option<SecretSource>) -> Self {
        let user = user.map(str::to_owned);
        Self { user, password }
    }

    /// Whether anybody signs in.
    pub(super) fn are_given(&self) -> bool {
        self.user.is_some() || self.password.is_some()
    }

    fn can_change(&self) -> bool {
        let password = self.password.as_ref();
        password.is_some_and(SecretSource::can_change)
    }

    /// The value of the header; `None` where nobody signs in.
    async fn header(&self) -> Result<Option<SecretString>, Failure> {
        if !self.are_given() {
            return Ok(None);
        }
        let password = match &self.password {
            Some(source) => source.obtain().await?,
            None => SecretString::default(),
        };
        let user = self.user.as_deref().unwrap_or_default();
        let pair = format!("{user}:{}", password.expose_secret());
        let header = format!("Basic {}", BASE64.encode(pair.as_bytes()));
        Ok(Some(SecretString::from(header)))
    }
}

/// Whether a server has our addition to the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Extended {
    Unknown = 0,
    No = 1,
    Yes = 2,
}

/// One repository on a server.
#[derive(Debug)]
pub(crate) struct RestClient {
    line: Arc<dyn Connect>,
    base: Url,
    credentials: Credentials,
    /// What the last sign-in sent. Held while it is fetched, so that a command which asks a person asks once.
    signed_in: Mutex<Option<SecretString>>,
    was_accepted: AtomicBool,
    extended: AtomicU8,
    /// [`UNTOLD`] before an answer has told.
    clock_ahead_s: AtomicI64,
}

/// No clock is so far behind.
const UNTOLD: i64 = i64::MIN;

impl RestClient {
    /// `base` ends with a slash.
    pub(crate) fn new(line: Arc<dyn Connect>, base: Url, credentials: Credentials) -> Self {
        Self {
            line,
            base,
            credentials,
            signed_in: Mutex::new(None),
            was_accepted: AtomicBool::new(false),
            extended: AtomicU8::new(Extended::Unknown as u8),
            clock_ahead_s: AtomicI64::new(UNTOLD),
        }
    }

    /// What answers have told so far.
    pub(crate) fn extended(&self) -> Extended {
        match self.extended.load(Ordering::Relaxed) {
            0 => Extended::Unknown,
            1 => Extended::No,
            _ => Extended::Yes,
        }
    }

    /// [`crate::Storage::clock_ahead_s`].
    pub(super) fn clock_ahead_s(&self) -> Option<i64> {
        let told = self.clock_ahead_s.load(Ordering::Relaxed);
        (told != UNTOLD).then_some(told)
    }

    /// A request below the repository. `parts` are made of the letters of a [`StoragePath`], which need no escaping.
    pub(super) fn request(&self, method: &'static str, parts: &str) -> HttpRequest {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{parts}", self.base.path()));
        HttpRequest::new(method, url)
    }

    /// The request that makes the repository.
    pub(super) fn create(&self) -> HttpRequest {
        let mut url = self.base.clone();
        url.set_query(Some("create=true"));
        HttpRequest::new("POST", url)
    }

    /// A request on one of the protocol's files.
    pub(super) fn on_file(&self, method: &'static str, wire: (&str, &str)) -> HttpRequest {
        let (folder, name) = wire;
        self.request(method, &format!("{folder}/{name}"))
    }

    /// A request on any file of a server that is ours.
    pub(super) fn on_any_file(&self, method: &'static str, path: &StoragePath) -> HttpRequest {
        self.request(method, &format!("{}/{path}", super::protocol::FILES_FOLDER))
    }

    /// Sends it, signed in; an answer that refuses the sign-in is an error, and after a fresh password a second try.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let (mut header, fresh) = self.sign_in(None).await?;
        let mut response = self.send_with(request.clone(), header.as_ref()).await?;
        if response.status() == 401 && !fresh && self.credentials.can_change() {
            response.discard().await;
            (header, _) = self.sign_in(header).await?;
            response = self.send_with(request, header.as_ref()).await?;
        }
        if response.status() == 401 {
            let was_accepted = self.was_accepted.load(Ordering::Relaxed);
            response.discard().await;
            return Err(failure::refused(header.is_some(), was_accepted));
        }
        self.learn(&response);
        self.was_accepted.store(true, Ordering::Relaxed);
        Ok(response)
    }

    /// Whoever says so has our addition, and keeps it. Whether a server has not is learned from an answer that must be its
    /// own: that of a proxy on the way, or of a server in distress, says nothing.
    fn learn(&self, response: &HttpResponse) {
        if let Some(ahead) = response.clock_ahead_s() {
            self.clock_ahead_s.store(ahead, Ordering::Relaxed);
        }
        if response.header(FILES_HEADER) == Some("1") {
            self.extended.store(Extended::Yes as u8, Ordering::Relaxed);
        } else if matches!(response.status(), 200..=299 | 404) {
            let (unknown, no) = (Extended::Unknown as u8, Extended::No as u8);
            let (order, otherwise) = (Ordering::Relaxed, Ordering::Relaxed);
            let _ = self
                .extended
                .compare_exchange(unknown, no, order, otherwise);
        }
    }

    async fn send_with(
        &self,
        mut request: HttpRequest,
        header: Option<&SecretString>,
    ) -> Result<HttpResponse, Failure> {
        if let Some(header) = header {
            request = request.secret_header("authorization", header.expose_secret());
        }
        self.line.connect().await?.send(request).await
    }

    /// The header to sign in with, and whether it was fetched just now: at the first time, and where `refused` is the one
    /// that is known.
    async fn sign_in(
        &self,
        refused: Option<SecretString>,
    ) -> Result<(Option<SecretString>, bool), Failure> {
        let mut known = self.signed_in.lock().await;
        let is = |known: &SecretString, other: &SecretString| {
            known.expose_secret() == other.expose_secret()
        };
        match (&*known, &refused) {
            (Some(known), None) => return Ok((Some(known.clone()), false)),
            // Another call has fetched a fresh one meanwhile.
            (Some(known), Some(refused)) if !is(known, refused) => {
                return Ok((Some(known.clone()), false));
            }
            _ => {}
        }
        known.clone_from(&self.credentials.header().await?);
        Ok((known.clone(), true))
    }
}
