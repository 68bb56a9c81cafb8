//! The service's requests, signed in.

use std::sync::atomic::{AtomicBool, Ordering};

use super::credentials::Credentials;
use super::failure;
use super::location::GcsLocation;
use super::options::GcsOptions;
use super::token::Tokens;
use crate::failure::Failure;
use crate::fresh_secret::{FreshSecret, HeldSecret};
use crate::http::{HttpClient, HttpRequest, HttpResponse, Url};
use crate::key_prefix::as_part;

/// What an address ends with: names and values, not escaped.
pub(super) type Query<'a> = &'a [(&'a str, &'a str)];

/// A bucket.
#[derive(Debug)]
pub(super) struct GcsClient {
    http: HttpClient,
    endpoint: Url,
    bucket: String,
    /// `None` signs in as nobody.
    token: Option<FreshSecret>,
    was_accepted: AtomicBool,
}

impl GcsClient {
    /// `nearby` reaches what is near, or soon finds out that there is nothing.
    pub(super) fn new(
        http: HttpClient,
        nearby: HttpClient,
        location: &GcsLocation,
        options: GcsOptions,
    ) -> Self {
        let token = match options.credentials {
            Credentials::Nobody => None,
            credentials => Some(FreshSecret::new(Tokens {
                credentials,
                http: http.clone(),
                nearby,
            })),
        };
        Self {
            http,
            endpoint: options.endpoint,
            bucket: location.bucket().to_owned(),
            token,
            was_accepted: AtomicBool::new(false),
        }
    }

    /// A request on an object.
    pub(super) fn on_object(
        &self,
        method: &'static str,
        key: &str,
        query: Query<'_>,
    ) -> HttpRequest {
        let place = format!("storage/v1/b/{}/o/{}", self.bucket, as_part(key));
        self.request(method, &place, query)
    }

    /// A request on all objects of the bucket.
    pub(super) fn on_objects(&self, method: &'static str, query: Query<'_>) -> HttpRequest {
        self.request(method, &format!("storage/v1/b/{}/o", self.bucket), query)
    }

    /// A request that begins an upload.
    pub(super) fn upload(&self, query: Query<'_>) -> HttpRequest {
        let place = format!("upload/storage/v1/b/{}/o", self.bucket);
        self.request("POST", &place, query)
    }

    /// A request that makes the bucket.
    pub(super) fn make_bucket(&self, query: Query<'_>) -> HttpRequest {
        self.request("POST", "storage/v1/b", query)
    }

    /// The bucket's name.
    pub(super) fn bucket(&self) -> &str {
        &self.bucket
    }

    /// A request on what the service has named, at our own endpoint whatever host it names: a token goes nowhere else.
    pub(super) fn on_named(&self, method: &'static str, named: &Url) -> HttpRequest {
        let mut url = self.endpoint.clone();
        url.set_path(named.path());
        url.set_query(named.query());
        HttpRequest::new(method, url)
    }

    /// The address that a header names, which may be relative.
    pub(super) fn named(&self, text: &str) -> Option<Url> {
        self.endpoint.join(text).ok()
    }

    fn request(&self, method: &'static str, place: &str, query: Query<'_>) -> HttpRequest {
        let mut url = self.endpoint.clone();
        let base = url.path().trim_end_matches('/');
        url.set_path(&format!("{base}/{place}"));
        let pairs = query.iter();
        let pairs = pairs.map(|(name, value)| format!("{name}={}", as_part(value)));
        let query = pairs.collect::<Vec<_>>().join("&");
        if !query.is_empty() {
            url.set_query(Some(&query));
        }
        HttpRequest::new(method, url)
    }

    /// Sends it, signed in. A token that is refused is fetched anew once; one that is refused then is an error, and any
    /// other answer is the caller's.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let Some(token) = &self.token else {
            return self.http.send(request).await;
        };
        let held = token.get().await?;
        let mut response = self.send_with(request.clone(), &held).await?;
        if response.status() == 401
            && let Some(held) = token.other_than(&held).await?
        {
            response.discard().await;
            response = self.send_with(request, &held).await?;
        }
        if response.status() == 401 {
            let was_accepted = self.was_accepted.load(Ordering::Relaxed);
            response.discard().await;
            return Err(failure::refused(was_accepted));
        }
        self.was_accepted.store(true, Ordering::Relaxed);
        Ok(response)
    }

    async fn send_with(
        &self,
        request: HttpRequest,
        token: &HeldSecret,
    ) -> Result<HttpResponse, Failure> {
        let header = zeroize::Zeroizing::new(format!("Bearer {}", token.expose()));
        let request = request.secret_header("authorization", header.as_str());
        self.http.send(request).await
    }
}
