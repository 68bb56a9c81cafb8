//! Sending requests.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use super::body::{PacedBody, Progress};
use super::response::{Arriving, HttpResponse};
use super::{HttpOptions, Pipe, failure, tls};
use crate::failure::Failure;
use crate::{ErrorKind, Pace};

/// A request with its body in memory.
#[derive(Debug, Clone)]
pub(crate) struct HttpRequest {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl HttpRequest {
    /// A request without a body. The method is one of ours, in capitals.
    pub(crate) fn new(method: &'static str, url: Url) -> Self {
        Self {
            method: Method::from_bytes(method.as_bytes()).unwrap_or(Method::GET),
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// With a header. A value that no header can hold is left out, as where a password has a line break in it: the server
    /// then refuses, and says what it misses.
    pub(crate) fn header(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// With a header that no debug output shows.
    pub(crate) fn secret_header(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        if let Ok(mut value) = HeaderValue::from_bytes(value.as_ref().as_bytes()) {
            value.set_sensitive(true);
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// The method, in capitals.
    pub(crate) fn method(&self) -> &str {
        self.method.as_str()
    }

    /// Where it goes.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Bytes of its body.
    pub(crate) fn body_bytes(&self) -> usize {
        self.body.len()
    }

    /// With a body.
    pub(crate) fn body(mut self, body: Bytes) -> Self {
        self.body = body;
        self
    }
}

/// Connections to a server, kept for the next request. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct HttpClient {
    line: Line,
    upload: Pace,
    download: Pace,
    no_progress: Duration,
}

#[derive(Debug, Clone)]
enum Line {
    Network(reqwest::Client),
    Pipe(Pipe),
}

impl HttpClient {
    /// A client over the network; connects when it is used.
    pub(crate) fn new(
        options: &HttpOptions,
        connections: usize,
        (upload, download): (Pace, Pace),
    ) -> Result<Self, Failure> {
        let mut builder = reqwest::Client::builder()
            .user_agent(&options.user_agent)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(options.connect)
            .pool_max_idle_per_host(connections)
            .pool_idle_timeout(Duration::from_secs(60))
            .tcp_keepalive(Duration::from_secs(30))
            .http2_adaptive_window(true)
            .no_proxy();
        if options.only_http1 {
            builder = builder.http1_only();
        }
        for proxy in options.proxies.build()? {
            builder = builder.proxy(proxy);
        }
        let client = tls::configure(builder, options)?.build();
        let client = client.map_err(|error| {
            let message = format!("prepare the connection: {}", failure::causes(&error));
            Failure::new(ErrorKind::Unsupported, message)
        })?;
        Ok(Self {
            line: Line::Network(client),
            upload,
            download,
            no_progress: options.no_progress,
        })
    }

    /// A client over the pipes to another process.
    pub(crate) fn over_pipe(
        pipe: Pipe,
        no_progress: Duration,
        (upload, download): (Pace, Pace),
    ) -> Self {
        Self {
            line: Line::Pipe(pipe),
            upload,
            download,
            no_progress,
        }
    }

    /// Sends a request and waits for the head of the answer, whatever its status.
    pub(crate) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let progress = Progress::start(self.no_progress);
        let HttpRequest {
            method,
            url,
            mut headers,
            body,
        } = request;
        let is_empty = body.is_empty();
        if is_empty && matches!(method, Method::POST | Method::PUT) {
            // The library leaves it out where it knows of no body, and servers then do not know that the file is empty.
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let body = PacedBody::new(body, self.upload.clone(), progress.clone());
        let (status, headers, arriving) = match &self.line {
            Line::Network(client) => {
                let mut request = reqwest::Request::new(method, url);
                *request.headers_mut() = headers;
                if !is_empty {
                    *request.body_mut() = Some(reqwest::Body::wrap(body));
                }
                let call = client.execute(request);
                let answer = progress.watch("waiting for the server", call).await?;
                let mut answer = answer.map_err(|error| failure::network(&error.without_url()))?;
                let headers = std::mem::take(answer.headers_mut());
                (answer.status(), headers, Arriving::Network(answer))
            }
            Line::Pipe(pipe) => {
                let call = pipe.send(method, &url, headers, body);
                let answer = progress.watch("waiting for the process", call).await??;
                let (head, body) = answer.into_parts();
                (head.status, head.headers, Arriving::Pipe(body))
            }
        };
        Ok(HttpResponse::new(
            status,
            headers,
            arriving,
            self.download.clone(),
            progress,
        ))
    }
}
