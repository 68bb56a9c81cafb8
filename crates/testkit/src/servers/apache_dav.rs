//! WebDAV as Apache speaks it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::ServerProcess;

/// Apache on a folder of its own, for user `ada` with the password `try-me`.
#[derive(Debug)]
pub struct ApacheDav {
    process: ServerProcess,
    host: String,
    folder: TempDir,
}

/// `MD5(ada:dav:try-me)`, as RFC 7616 has it.
const DIGEST_USER: &str = "ada:dav:b5ef231698cd184758c293cdfeaa76ff\n";

impl ApacheDav {
    /// Signed in to with a password as it is.
    pub fn basic() -> Self {
        Self::start("AuthType Basic\nAuthUserFile FOLDER/basic")
    }

    /// Signed in to by digest, with nonces that are good for so many seconds.
    pub fn digest(nonce_s: u32) -> Self {
        let lines = "AuthType Digest\nAuthUserFile FOLDER/digest\nAuthDigestNonceLifetime";
        Self::start(&format!("{lines} {nonce_s}"))
    }

    fn start(authentication: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("apache-dav-")
            .tempdir()
            .expect("a temporary directory");
        prepare(folder.path());
        // Apache cannot choose a port; another process may be quicker to take the one that was free.
        let mut said = String::new();
        for _ in 0..10 {
            let port = free_port();
            let configuration = configuration(folder.path(), authentication, port);
            fs::write(folder.path().join("configuration"), configuration).expect("a file");
            let mut command = Command::new("/usr/sbin/apache2");
            command
                .arg("-X")
                .arg("-f")
                .arg(folder.path().join("configuration"));
            let is_ready = |line: &str| line.contains("start_threads").then_some(());
            match ServerProcess::attempt(&mut command, is_ready) {
                Ok((process, ())) => {
                    return Self {
                        process,
                        host: format!("127.0.0.1:{port}"),
                        folder,
                    };
                }
                Err(why) => said = why,
            }
        }
        panic!("apache2 does not start; scripts/install-test-packages installs it: {said}");
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
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What it has said.
    pub fn said(&self) -> String {
        self.process.said()
    }
}

/// Folders that whoever the server runs as can write to, and its users.
fn prepare(folder: &Path) {
    let open = |path: &Path, mode| {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(path, mode).expect("permissions");
    };
    open(folder, 0o755);
    for name in ["data", "run"] {
        let inside = folder.join(name);
        fs::create_dir(&inside).expect("a folder");
        open(&inside, 0o777);
    }
    fs::write(folder.join("digest"), DIGEST_USER).expect("a file");
    let made = Command::new("htpasswd")
        .arg("-bc")
        .arg(folder.join("basic"))
        .args(["ada", "try-me"])
        .output()
        .expect("htpasswd; run scripts/install-test-packages as root");
    assert!(made.status.success(), "{made:?}");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

fn configuration(folder: &Path, authentication: &str, port: u16) -> String {
    let modules = [
        "mpm_event",
        "authn_core",
        "authn_file",
        "authz_core",
        "authz_user",
        "auth_basic",
        "auth_digest",
        "dav",
        "dav_fs",
    ];
    let mut lines = String::new();
    for name in modules {
        lines.push_str(&format!(
            "LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"
        ));
    }
    if rustix::process::geteuid().is_root() {
        lines.push_str("User nobody\nGroup nogroup\n");
    }
    lines.push_str(&format!("Listen 127.0.0.1:{port}\n"));
    lines.push_str(
        "ServerRoot FOLDER\nServerName localhost\nPidFile FOLDER/run/pid\nErrorLog /dev/stderr\nMutex file:FOLDER/run\n\
         LogLevel notice auth_digest:debug mpm_event:debug\nDavLockDB FOLDER/run/locks\nDocumentRoot FOLDER/data\n\
         <Directory FOLDER/data>\nDav On\nAuthName dav\nRequire valid-user\n",
    );
    lines.push_str(authentication);
    lines.push_str("\n</Directory>\n");
    lines.replace("FOLDER", folder.to_str().expect("a plain name"))
}
