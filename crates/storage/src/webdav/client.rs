//! The protocol's requests, signed in.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;

use super::failure::{self, Refusal};
use super::sign_in::{Credentials, SignIn};
use crate::failure::Failure;
use crate::http::{HttpClient, HttpRequest, HttpResponse, Url};

/// Bodies up to this size are sent without asking before whether the sign-in still holds.
const LARGE_BYTES: usize = 256 << 10;

/// The most that one request is sent: as it is, signed in another way, with a fresh nonce, with a fresh password, and once
/// more where other calls were quicker.
const TRIES: usize = 5;

/// Pauses before something is asked again that another call has locked for a moment, as some servers do for each request
/// that changes something.
const LOCKED: [u64; 6] = [5, 20, 50, 100, 200, 400];

/// What is asked of each entry.
const PROPERTIES: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
    <propfind xmlns=\"DAV:\"><prop><resourcetype/><getcontentlength/><getlastmodified/></prop></propfind>";

/// How far down a question goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// The thing itself.
    Itself,
    /// And what lies in it.
    Children,
}

/// Whether a file that has the new name is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overwrite {
    Never,
    Always,
}

/// One folder on a server. Names are relative to it, without a slash at their ends, made of letters that need no
/// escaping; the folder itself is the empty one.
#[derive(Debug)]
pub(crate) struct WebdavClient {
    http: HttpClient,
    base: Url,
    sign_in: SignIn,
    /// Whether the server takes the new name of a file as a path alone. Behind a proxy that adds the encryption, it does
    /// not know the address that we know it by.
    destination_is_path: AtomicBool,
}

impl WebdavClient {
    /// `base` ends with a slash.
    pub(crate) fn new(
        http: HttpClient,
        base: Url,
        credentials: Credentials,
        private: bool,
    ) -> Self {
        Self {
            http,
            base,
            sign_in: SignIn::new(credentials, private),
            destination_is_path: AtomicBool::new(false),
        }
    }

    /// The place of the storage on the server.
    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// The address of a file; with a slash at the end of `name`, of a folder.
    fn url(&self, name: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{name}", self.base.path()));
        url
    }

    /// The path of a folder as the server knows it, with a slash at its end.
    pub(super) fn path_of_folder(&self, name: &str) -> String {
        match name {
            "" => self.base.path().to_owned(),
            _ => format!("{}{name}/", self.base.path()),
        }
    }

    /// What there is under a name that is a folder's if it ends with a slash, and may be either otherwise.
    pub(super) async fn properties(
        &self,
        name: &str,
        depth: Depth,
    ) -> Result<HttpResponse, Failure> {
        self.send(self.propfind(name, depth)).await
    }

    fn propfind(&self, name: &str, depth: Depth) -> HttpRequest {
        let depth = match depth {
            Depth::Itself => "0",
            Depth::Children => "1",
        };
        HttpRequest::new("PROPFIND", self.url(name))
            .header("depth", depth)
            .header("content-type", "application/xml; charset=utf-8")
            .body(Bytes::from_static(PROPERTIES.as_bytes()))
    }

    /// A file, or the bytes `first..=last` of it.
    pub(super) async fn get(
        &self,
        name: &str,
        range: Option<(u64, u64)>,
    ) -> Result<HttpResponse, Failure> {
        let mut request = HttpRequest::new("GET", self.url(name));
        if let Some((first, last)) = range {
            request = request.header("range", format!("bytes={first}-{last}"));
        }
        self.send(request).await
    }

    /// Stores a file in place.
    pub(super) async fn put(&self, name: &str, data: Bytes) -> Result<HttpResponse, Failure> {
        let request = HttpRequest::new("PUT", self.url(name))
            .header("content-type", "application/octet-stream")
            .body(data);
        self.send(request).await
    }

    /// Makes a folder at a place of the server; `url` ends with a slash.
    pub(super) async fn make_folder_at(&self, url: Url) -> Result<HttpResponse, Failure> {
        self.send_unlocked(HttpRequest::new("MKCOL", url)).await
    }

    /// Makes a folder.
    pub(super) async fn make_folder(&self, name: &str) -> Result<HttpResponse, Failure> {
        self.make_folder_at(self.url(&format!("{name}/"))).await
    }

    /// Gives a file another name.
    pub(super) async fn rename(
        &self,
        from: &str,
        to: &str,
        overwrite: Overwrite,
    ) -> Result<HttpResponse, Failure> {
        let to = self.url(to);
        let overwrite = match overwrite {
            Overwrite::Never => "F",
            Overwrite::Always => "T",
        };
        let request = |destination: &str| {
            HttpRequest::new("MOVE", self.url(from))
                .header("destination", destination)
                .header("overwrite", overwrite)
        };
        if self.destination_is_path.load(Ordering::Relaxed) {
            return self.send_unlocked(request(to.path())).await;
        }
        let response = self.send_unlocked(request(to.as_str())).await?;
        if response.status() != 502 {
            return Ok(response);
        }
        response.discard().await;
        let by_path = self.send_unlocked(request(to.path())).await?;
        if matches!(by_path.status(), 200..=299 | 412) {
            self.destination_is_path.store(true, Ordering::Relaxed);
            return Ok(by_path);
        }
        // The address was not the matter, but something on the way.
        by_path.discard().await;
        self.send_unlocked(request(to.as_str())).await
    }

    /// Removes whatever has the name, and all that lies in it.
    pub(super) async fn remove(&self, name: &str) -> Result<HttpResponse, Failure> {
        self.send_unlocked(HttpRequest::new("DELETE", self.url(name)))
            .await
    }

    /// For requests without a body, which cost little to send again.
    async fn send_unlocked(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        for pause in LOCKED {
            let response = self.send(request.clone()).await?;
            if response.status() != 423 {
                return Ok(response);
            }
            response.discard().await;
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        self.send(request).await
    }

    /// Sends it, signed in; an answer that refuses the sign-in is an error.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        if request.body_bytes() > LARGE_BYTES && self.sign_in.must_ask().await {
            let asked = self.http.send(self.propfind("", Depth::Itself)).await?;
            self.sign_in.learn(&asked).await;
            asked.discard().await;
        }
        let mut was_fetched = false;
        for _ in 0..TRIES {
            let (signed_request, signed) = self.sign_in.sign(request.clone()).await?;
            was_fetched |= signed.is_fresh();
            let response = self.http.send(signed_request).await?;
            if response.status() != 401 {
                self.sign_in.accepted(signed).await;
                return Ok(response);
            }
            let refused = self.sign_in.refused(signed, was_fetched, &response).await;
            response.discard().await;
            refused?;
        }
        Err(failure::refused(Refusal::Wrong))
    }
}
