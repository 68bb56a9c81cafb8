//! HTTP/2 over the pipes to another process.

use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use reqwest::header::HeaderMap;
use reqwest::{Method, Url};
use tokio::io::{AsyncRead, AsyncWrite};

use super::body::PacedBody;
use super::failure;
use crate::ErrorKind;
use crate::failure::Failure;

/// Bytes that may be on the way to us before we have taken them; a pipe has no round trip worth speaking of.
const WINDOW_BYTES: u32 = 4 << 20;

/// A connection over two pipes. Cheap to clone; ends with its last clone or with the process.
#[derive(Debug, Clone)]
pub(crate) struct Pipe {
    sender: SendRequest<PacedBody>,
}

impl Pipe {
    /// Greets the process at the other end of `stream`.
    pub(crate) async fn connect(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> Result<Self, Failure> {
        let connected = http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES)
            .handshake(TokioIo::new(stream))
            .await;
        let (sender, connection) = connected.map_err(|error| failure::connection(&error))?;
        // Ends by itself; its error is that of every call which is waiting.
        tokio::spawn(connection);
        Ok(Self { sender })
    }

    /// Whether the process still listens.
    pub(crate) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    pub(super) async fn send(
        &self,
        method: Method,
        url: &Url,
        headers: HeaderMap,
        body: PacedBody,
    ) -> Result<hyper::Response<Incoming>, Failure> {
        let mut request = hyper::Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = url.as_str().parse().map_err(|_| {
            Failure::new(ErrorKind::Unsupported, "the name cannot be part of a URL")
        })?;
        *request.headers_mut() = headers;
        let mut sender = self.sender.clone();
        sender
            .ready()
            .await
            .map_err(|error| failure::connection(&error))?;
        let answer = sender.send_request(request).await;
        answer.map_err(|error| failure::connection(&error))
    }
}
