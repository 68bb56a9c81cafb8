//! WebDAV as WsgiDAV speaks it.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::ServerProcess;

/// Chooses its port itself, and says which.
const PROGRAM: &str = r#"
import sys
from cheroot import wsgi
from wsgidav.wsgidav_app import WsgiDAVApp
app = WsgiDAVApp({
    "provider_mapping": {"/": sys.argv[1]},
    "simple_dc": {"user_mapping": {"*": {"ada": {"password": "try-me"}}}},
    "http_authenticator": {"accept_basic": False, "accept_digest": True, "default_to_digest": True},
    "logging": {"enable": False},
})
server = wsgi.Server(bind_addr=("127.0.0.1", 0), wsgi_app=app, numthreads=10)
server.prepare()
print("listening on", server.bind_addr[1], file=sys.stderr, flush=True)
server.serve()
"#;

/// WsgiDAV on a folder of its own, for user `ada` with the password `try-me`, who has to sign in by digest.
#[derive(Debug)]
pub struct Wsgidav {
    process: ServerProcess,
    host: String,
    folder: TempDir,
}

impl Wsgidav {
    /// Starts it.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("wsgidav-")
            .tempdir()
            .expect("a temporary directory");
        let mut command = Command::new(python());
        command.args(["-c", PROGRAM]).arg(folder.path());
        let (process, port) = ServerProcess::start(&mut command, |line| {
            line.strip_prefix("listening on ").map(str::to_owned)
        });
        Self {
            process,
            host: format!("127.0.0.1:{port}"),
            folder,
        }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The address of a repository on it, signed in.
    pub fn url(&self, repository: &str) -> String {
        format!("webdav://ada:try-me@{}/{repository}/", self.host)
    }

    /// Everything that it serves.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// What it has said.
    pub fn said(&self) -> String {
        self.process.said()
    }
}

/// Python with the packages of `scripts/install-test-servers`.
fn python() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let cache = cache.expect("a home folder");
    cache.join("strongroom-tests/python/bin/python")
}
