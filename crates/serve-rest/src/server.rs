//! Listening, and stopping.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use strongroom_storage::{ErrorKind, LocalStorage, Storage, StorageError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::accounts::{Accounts, AccountsError};
use crate::budget::{FileMemory, Space};
use crate::files::Shared;
use crate::metrics::Metrics;
use crate::observer::{Event, Observer};
use crate::repositories::Repositories;
use crate::request::Service;
use crate::settings::ServerSettings;
use crate::tls;

/// Connections at the same time; further ones wait to be accepted.
const CONNECTIONS: usize = 512;

/// A client has so long for the head of a request, and for the greetings of TLS.
const HEAD: Duration = Duration::from_secs(30);

/// Requests that are under way when the server is stopped have so long to end.
const ENDING: Duration = Duration::from_secs(30);

/// After a failure to accept, as where there are too many open files.
const BREATH: Duration = Duration::from_millis(100);

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The accounts cannot be used.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// The certificate or its key cannot be used.
    #[error("the certificate or key {}: {why}", .path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The folder that is to be served cannot be.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A server that listens already and answers once it runs.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    service: Arc<Service>,
}

impl Server {
    /// Reads what the settings name, makes the root, and begins to listen.
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn bind(settings: ServerSettings, observer: Observer) -> Result<Self, ServeError> {
        let accounts = settings.accounts.as_deref().map(Accounts::read);
        let accounts = accounts.transpose()?;
        let acceptor = settings.tls.as_ref().map(tls::acceptor).transpose()?;
        let root = LocalStorage::new(&settings.root);
        root.create().await?;
        let used_bytes = match settings.max_size_bytes.is_some() || settings.metrics {
            true => used_bytes(&root).await?,
            false => 0,
        };
        let listen = |error| ServeError::Listen {
            address: settings.listen,
            error,
        };
        let listener = TcpListener::bind(settings.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let shared = Shared {
            append_only: settings.append_only,
            space: Space::new(used_bytes, settings.max_size_bytes),
            memory: FileMemory::new(),
            metrics: Arc::new(Metrics::default()),
        };
        let service = Service {
            repositories: Repositories::new(settings.root),
            shared,
            accounts,
            private_repositories: settings.private_repositories,
            has_metrics: settings.metrics,
            observer,
        };
        Ok(Self {
            listener,
            address,
            acceptor,
            service: Arc::new(service),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until it is cancelled; requests that are under way then are finished, within half a minute.
    pub async fn run(self, stop: CancellationToken) {
        let graceful = GracefulShutdown::new();
        let turns = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let accepted = async {
                let turn = Arc::clone(&turns).acquire_owned().await;
                (turn, self.listener.accept().await)
            };
            let (turn, accepted) = tokio::select! {
                () = stop.cancelled() => break,
                accepted = accepted => accepted,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    (self.service.observer)(&Event::Connection(error.to_string()));
                    tokio::time::sleep(BREATH).await;
                    continue;
                }
            };
            let (service, acceptor) = (Arc::clone(&self.service), self.acceptor.clone());
            let watcher = graceful.watcher();
            tokio::spawn(async move {
                let _turn = turn;
                if let Err(why) = connection(stream, acceptor, &service, watcher).await {
                    (service.observer)(&Event::Connection(why));
                }
            });
        }
        drop(self.listener);
        let _ = tokio::time::timeout(ENDING, graceful.shutdown()).await;
    }
}

async fn used_bytes(root: &LocalStorage) -> Result<u64, StorageError> {
    match root.list(None).await {
        Ok(files) => Ok(files.iter().map(|file| file.size_bytes).sum()),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

async fn connection(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    service: &Arc<Service>,
    watcher: Watcher,
) -> Result<(), String> {
    let _ = stream.set_nodelay(true);
    match acceptor {
        None => serve(stream, service, watcher).await,
        Some(acceptor) => {
            let greeting = tokio::time::timeout(HEAD, acceptor.accept(stream)).await;
            let stream = greeting.map_err(|_| "the greeting took too long".to_owned())?;
            let stream = stream.map_err(|error| error.to_string())?;
            serve(stream, service, watcher).await
        }
    }
}

async fn serve<S>(stream: S, service: &Arc<Service>, watcher: Watcher) -> Result<(), String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD);
    let answer = service_fn(move |request: hyper::Request<Incoming>| {
        let service = Arc::clone(service);
        async move { Ok::<_, Infallible>(service.answer(request).await) }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), answer);
    let watched = watcher.watch(connection.into_owned());
    watched.await.map_err(|error| error.to_string())
}
