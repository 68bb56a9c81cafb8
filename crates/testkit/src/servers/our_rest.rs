//! Our own server of restic's REST protocol.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use strongroom_serve_rest::{Event, Server, ServerSettings};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// The server on a folder of its own, in threads of this process.
#[derive(Debug)]
pub struct OurRest {
    address: std::net::SocketAddr,
    folder: TempDir,
    events: Arc<Mutex<Vec<Event>>>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl OurRest {
    /// Starts it with settings that the test changes: everybody may do everything, nothing is encrypted.
    pub fn start(change: impl FnOnce(&mut ServerSettings)) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("our-rest-")
            .tempdir()
            .expect("a temporary directory");
        let mut settings = ServerSettings {
            root: folder.path().join("root"),
            listen: ([127, 0, 0, 1], 0).into(),
            accounts: None,
            tls: None,
            append_only: false,
            private_repositories: false,
            max_size_bytes: None,
            metrics: false,
        };
        change(&mut settings);
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&events);
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async move {
                let observer =
                    Arc::new(move |event: &Event| seen.lock().unwrap().push(event.clone()));
                let server = Server::bind(settings, observer).await.expect("a server");
                tell.send(server.address()).expect("the test waits");
                server.run(stopped).await;
            });
        });
        let address = told.recv().expect("the server listens");
        Self {
            address,
            folder,
            events,
            stop,
            thread: Some(thread),
        }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The address of a repository on it.
    pub fn url(&self, repository: &str) -> String {
        format!("rest:http://{}/{repository}/", self.address)
    }

    /// Where a repository's files lie.
    pub fn folder(&self, repository: &str) -> PathBuf {
        self.folder.path().join("root").join(repository)
    }

    /// A folder beside what is served, for files that the settings name.
    pub fn beside(&self) -> &Path {
        self.folder.path()
    }

    /// What has happened so far.
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }
}

impl Drop for OurRest {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
