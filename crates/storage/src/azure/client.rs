//! The service's requests, signed in.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use bytes::Bytes;
use secrecy::ExposeSecret;

use super::failure;
use super::location::AzureLocation;
use super::options::AzureOptions;
use super::sign_in::{Proof, SignIn, Way};
use super::signature::Signed;
use super::token::Tokens;
use crate::failure::Failure;
use crate::fresh_secret::{FreshSecret, HeldSecret};
use crate::http::{HttpClient, HttpRequest, HttpResponse, Url};
use crate::key_prefix::{as_part, in_path};

/// The version of the interface that is spoken, whatever newer ones there are.
pub(super) const VERSION: &str = "2021-12-02";

/// A request before it is signed, so that it can be signed again.
#[derive(Debug, Clone)]
pub(super) struct AzureRequest {
    method: &'static str,
    /// Empty for the container itself.
    key: String,
    query: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
}

impl AzureRequest {
    /// A request on a blob.
    pub(super) fn on_blob(method: &'static str, key: String) -> Self {
        Self {
            method,
            key,
            query: Vec::new(),
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// A request on the container.
    pub(super) fn on_container(method: &'static str) -> Self {
        Self::on_blob(method, String::new()).query("restype", "container")
    }

    /// With a part of the query.
    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// With a header; the name in lower case.
    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a body.
    pub(super) fn body(mut self, body: Bytes) -> Self {
        self.body = body;
        self
    }
}

/// A container of an account.
#[derive(Debug)]
pub(crate) struct AzureClient {
    http: HttpClient,
    account: String,
    endpoint: Url,
    container: String,
    way: Way,
    secret: FreshSecret,
    was_accepted: AtomicBool,
}

impl AzureClient {
    /// `nearby` reaches what is near, or soon finds out that there is nothing.
    pub(crate) fn new(
        http: HttpClient,
        nearby: HttpClient,
        location: &AzureLocation,
        options: AzureOptions,
    ) -> Self {
        let (way, secret) = match options.sign_in {
            SignIn::Key(secret) => (Way::Key, secret),
            SignIn::Signature(secret) => (Way::Signature, secret),
            SignIn::Token(identity) => {
                let http = http.clone();
                let tokens = Tokens {
                    identity,
                    http,
                    nearby,
                };
                (Way::Token, FreshSecret::new(tokens))
            }
        };
        Self {
            http,
            account: options.account,
            endpoint: options.endpoint,
            container: location.container().to_owned(),
            way,
            secret,
            was_accepted: AtomicBool::new(false),
        }
    }

    /// Sends it, signed in. A sign-in that is refused is tried once more with a fresh secret, where there is one; what is
    /// still refused then is an error, and any other answer is the caller's.
    pub(super) async fn send(&self, request: AzureRequest) -> Result<HttpResponse, Failure> {
        let secret = self.secret.get().await?;
        let mut response = self.send_with(&request, &secret).await?;
        if failure::may_be_stale(&response)
            && let Some(secret) = self.secret.other_than(&secret).await?
        {
            response.discard().await;
            response = self.send_with(&request, &secret).await?;
        }
        if failure::is_of_sign_in(&response) {
            let was_accepted = self.was_accepted.load(Ordering::Relaxed);
            return Err(failure::refused(response, self.way, was_accepted).await);
        }
        self.was_accepted.store(true, Ordering::Relaxed);
        Ok(response)
    }

    async fn send_with(
        &self,
        request: &AzureRequest,
        secret: &HeldSecret,
    ) -> Result<HttpResponse, Failure> {
        let mut url = self.endpoint.clone();
        let base = url.path().trim_end_matches('/');
        let path = match request.key.as_str() {
            "" => format!("{base}/{}", self.container),
            key => format!("{base}/{}/{}", self.container, in_path(key)),
        };
        url.set_path(&path);
        let mut headers = request.headers.clone();
        headers.push(("x-ms-version", VERSION.to_owned()));
        headers.push(("x-ms-date", httpdate::fmt_http_date(SystemTime::now())));
        let signed = Signed {
            method: request.method,
            path: url.path(),
            query: &request.query,
            headers: &headers,
            body_bytes: request.body.len(),
        };
        let proof = self.way.prove(&self.account, secret, &signed)?;
        let pairs = request.query.iter();
        let pairs = pairs.map(|(name, value)| format!("{name}={}", as_part(value)));
        let mut query: Vec<_> = pairs.collect();
        if let Proof::Query(signature) = &proof {
            query.push(signature.expose_secret().to_owned());
        }
        if !query.is_empty() {
            url.set_query(Some(&query.join("&")));
        }
        let mut http = HttpRequest::new(request.method, url);
        for (name, value) in &headers {
            http = http.header(name, value);
        }
        if let Proof::Authorization(header) = &proof {
            http = http.secret_header("authorization", header.expose_secret());
        }
        self.http.send(http.body(request.body.clone())).await
    }
}
