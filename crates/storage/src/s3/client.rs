//! Sending requests: addressed, signed, and sent again where the server corrects the region or the keys have expired.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use jiff::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::failure::Failure;
use crate::http::{HttpClient, HttpRequest, HttpResponse};
use crate::{ErrorKind, Pace, StoragePath};

use super::credentials::{AccessKey, Credentials};
use super::endpoint::Endpoint;
use super::failure::{self, Refusal};
use super::request::S3Request;
use super::sign::{self, Signed};
use super::{S3Location, S3Options};

/// A bucket, or a part of one.
#[derive(Debug)]
pub(super) struct S3Client {
    http: HttpClient,
    endpoint: Endpoint,
    credentials: Credentials,
    key_prefix: String,
    /// Uploads at the same time, whether they are files or parts.
    uploads: Semaphore,
    bucket_is_missing: AtomicBool,
    was_accepted: AtomicBool,
    clock_ahead_s: AtomicI64,
}

/// No answer has told the time.
const UNTOLD: i64 = i64::MIN;

impl S3Client {
    pub(super) fn new(
        location: &S3Location,
        options: &S3Options,
        paces: (Pace, Pace),
    ) -> Result<Self, Failure> {
        let http = HttpClient::new(&options.http, options.connections, paces)?;
        let endpoint = Endpoint::new(location, options);
        let (sources, region) = (options.sources.clone(), endpoint.region());
        Ok(Self {
            credentials: Credentials::new(sources, http.clone(), region)?,
            http,
            endpoint,
            key_prefix: location.key_prefix(),
            uploads: Semaphore::new(options.connections),
            bucket_is_missing: AtomicBool::new(false),
            was_accepted: AtomicBool::new(false),
            clock_ahead_s: AtomicI64::new(UNTOLD),
        })
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The key of a file.
    pub(super) fn key(&self, path: &StoragePath) -> String {
        format!("{}{path}", self.key_prefix)
    }

    /// What the keys of a folder begin with.
    pub(super) fn prefix_of(&self, folder: Option<&StoragePath>) -> String {
        match folder {
            Some(folder) => format!("{}{folder}/", self.key_prefix),
            None => self.key_prefix.clone(),
        }
    }

    /// The file of a key; `None` for what is none of ours.
    pub(super) fn path(&self, key: &str) -> Option<StoragePath> {
        StoragePath::new(key.strip_prefix(&self.key_prefix)?).ok()
    }

    /// Whether the last answer that told of the bucket told that there is none.
    pub(super) fn bucket_is_missing(&self) -> bool {
        self.bucket_is_missing.load(Ordering::Relaxed)
    }

    /// [`crate::Storage::clock_ahead_s`].
    pub(super) fn clock_ahead_s(&self) -> Option<i64> {
        let told = self.clock_ahead_s.load(Ordering::Relaxed);
        (told != UNTOLD).then_some(told)
    }

    /// Waits for a turn to send a body that is long.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, Failure> {
        let turn = self.uploads.acquire().await;
        turn.map_err(|_| Failure::new(ErrorKind::Io, "the storage has been closed"))
    }

    /// Sends it; what is no success is a [`Refusal`].
    pub(super) async fn send(&self, request: &S3Request) -> Result<HttpResponse, Refusal> {
        let mut key = self.credentials.current().await?;
        let (mut has_moved, mut has_renewed) = (false, false);
        loop {
            let region = self.endpoint.region();
            let signed = self.signed(request, key.as_deref(), &region)?;
            let response = self.http.send(signed).await?;
            if let Some(ahead) = response.clock_ahead_s() {
                self.clock_ahead_s.store(ahead, Ordering::Relaxed);
            }
            if (200..=299).contains(&response.status()) {
                self.bucket_is_missing.store(false, Ordering::Relaxed);
                self.was_accepted.store(true, Ordering::Relaxed);
                return Ok(response);
            }
            let refusal = failure::of(response, request.method != "HEAD").await;
            if refusal.code == "NoSuchBucket" {
                self.bucket_is_missing.store(true, Ordering::Relaxed);
            }
            let elsewhere = refusal.region.as_deref();
            if !has_moved && elsewhere.is_some_and(|to| self.endpoint.moves(&region, to)) {
                has_moved = true;
                continue;
            }
            if refusal.is_about_credentials()
                && !has_renewed
                && let Some(refused) = &key
                && let Some(fresh) = self.credentials.renewed(refused).await?
            {
                has_renewed = true;
                key = Some(fresh);
                continue;
            }
            return Err(self.explained(refusal, key.is_some()));
        }
    }

    fn explained(&self, mut refusal: Refusal, signs: bool) -> Refusal {
        let message = &mut refusal.failure.message;
        if refusal.failure.kind == ErrorKind::Unauthenticated
            && self.was_accepted.load(Ordering::Relaxed)
        {
            message.push_str("; the keys were accepted before");
        }
        if refusal.failure.kind == ErrorKind::PermissionDenied && !signs {
            message.push_str(" (nothing is signed: s3.no-sign)");
        }
        refusal
    }

    fn signed(
        &self,
        request: &S3Request,
        key: Option<&AccessKey>,
        region: &str,
    ) -> Result<HttpRequest, Failure> {
        let query = request.query_text();
        let url = self.endpoint.url(region, request.key.as_deref(), &query);
        let url = url.ok_or_else(|| {
            let message = "the bucket and the server make no address; try s3.path-style=true";
            Failure::new(ErrorKind::Unsupported, message)
        })?;
        let host = url.host_str().unwrap_or_default();
        let host = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let signature = key.map(|key| {
            let signed = Signed {
                method: request.method,
                path: url.path(),
                query: &query,
                headers: &request.headers,
                host: &host,
                body_sum: &request.body_sum,
            };
            sign::headers(&signed, key, region, Timestamp::now())
        });
        let mut http = HttpRequest::new(request.method, url).body(request.body.clone());
        for (name, value) in &request.headers {
            http = http.header(name, value);
        }
        for (name, value) in signature.iter().flatten() {
            http = http.secret_header(name, value);
        }
        Ok(http)
    }
}
