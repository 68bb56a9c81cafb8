//! OpenSSH's server.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

/// `sshd` on a free port of the loopback interface, with host keys of its own, for the user that runs the test. Ends, with
/// every connection, when it is dropped.
///
/// We listen ourselves and start one `sshd -i` for each connection: so the port is ours from the beginning, and a test can
/// end all connections at a moment of its choice.
pub struct Sshd {
    address: SocketAddr,
    folder: TempDir,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    configuration: PathBuf,
    log: PathBuf,
    connections: Mutex<Vec<Child>>,
    accepted: Mutex<usize>,
    ended: AtomicBool,
}

impl Sshd {
    /// With an Ed25519 host key and nothing unusual.
    pub fn start() -> Self {
        Self::with(&["ed25519"], "")
    }

    /// With host keys of these kinds, and more lines of configuration; the first line for a keyword counts.
    pub fn with(host_keys: &[&str], configuration: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("sshd-")
            .tempdir()
            .expect("a temporary directory");
        let at = |name: &str| folder.path().join(name);
        make_key(&at("client-key"), "ed25519", "");
        fs::copy(at("client-key.pub"), at("authorized")).expect("the client's key");
        let mut lines = configuration.to_owned();
        for kind in host_keys {
            let key = at(&format!("host-{kind}"));
            make_key(&key, kind, "");
            lines.push_str(&format!("\nHostKey {}", key.display()));
        }
        let authorized = at("authorized");
        lines.push_str(&format!(
            "\nAuthorizedKeysFile {}\nPermitRootLogin yes\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\nPidFile none\n\
             Subsystem sftp internal-sftp\nLogLevel VERBOSE\n",
            authorized.display()
        ));
        fs::write(at("configuration"), lines).expect("a configuration");
        if rustix::process::geteuid().is_root() {
            // Made by the package's service, which does not run.
            fs::create_dir_all("/run/sshd").expect("/run/sshd");
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            configuration: at("configuration"),
            log: at("log"),
            connections: Mutex::default(),
            accepted: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let for_thread = Arc::clone(&shared);
        let accepting = std::thread::spawn(move || accept(&listener, &for_thread));
        let server = Self {
            address,
            folder,
            shared,
            accepting: Some(accepting),
        };
        server.know(host_keys);
        server
    }

    /// Writes the keys into [`Self::known_hosts`].
    fn know(&self, host_keys: &[&str]) {
        let lines = host_keys.iter().map(|kind| self.known_hosts_line(kind));
        let lines: Vec<String> = lines.collect();
        fs::write(self.known_hosts(), lines.join("\n")).expect("known hosts");
    }

    /// The line that makes the host key of this kind known.
    pub fn known_hosts_line(&self, kind: &str) -> String {
        let key = self.at(&format!("host-{kind}.pub"));
        let key = fs::read_to_string(key).expect("a host key");
        let key: Vec<&str> = key.split_whitespace().take(2).collect();
        let port = self.address.port();
        format!("[127.0.0.1]:{port} {}", key.join(" "))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// A folder in which a test keeps what it likes.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The address of a repository in [`Self::folder`].
    pub fn url(&self, repository: &str) -> String {
        let path = self.at(repository);
        format!("sftp://{}@{}/{}", user(), self.address, path.display())
    }

    /// The private key that it accepts.
    pub fn client_key(&self) -> PathBuf {
        self.at("client-key")
    }

    /// The file of public keys that it accepts.
    pub fn authorized(&self) -> PathBuf {
        self.at("authorized")
    }

    /// A list of host keys that has its own.
    pub fn known_hosts(&self) -> PathBuf {
        self.at("known-hosts")
    }

    /// What has to be set to sign in: its client key, its host keys, and nothing of the person who runs the test.
    pub fn options(&self) -> Vec<String> {
        vec![
            format!("sftp.key-file={}", self.client_key().display()),
            format!("sftp.known-hosts={}", self.known_hosts().display()),
            "sftp.config=none".to_owned(),
            "sftp.agent=none".to_owned(),
        ]
    }

    /// The command with which OpenSSH's own client reaches its SFTP, for `sftp.command` and for restic.
    pub fn ssh_command(&self) -> String {
        format!(
            "ssh -F none -oBatchMode=yes -oIdentitiesOnly=yes -i {} -oUserKnownHostsFile={} -p {} {}@127.0.0.1 -s sftp",
            self.client_key().display(),
            self.known_hosts().display(),
            self.port(),
            user()
        )
    }

    /// Connections that have come so far.
    pub fn accepted(&self) -> usize {
        *self.shared.accepted.lock().unwrap()
    }

    /// Ends every connection that there is, without a word.
    pub fn cut(&self) {
        for mut child in self.shared.connections.lock().unwrap().drain(..) {
            end(&mut child);
        }
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.shared.log).unwrap_or_default()
    }
}

/// Makes a pair of keys; the public one has `.pub` behind its name.
pub fn make_key(path: &Path, kind: &str, passphrase: &str) {
    let output = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", passphrase, "-C", "test", "-f"])
        .arg(path)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| {
            panic!("cannot start ssh-keygen ({e}); run scripts/install-test-packages as root")
        });
    assert!(output.status.success(), "ssh-keygen: {output:?}");
}

/// Who runs the test.
pub fn user() -> String {
    let output = Command::new("id").arg("-un").output().expect("id");
    String::from_utf8(output.stdout)
        .expect("a name")
        .trim()
        .to_owned()
}

fn accept(listener: &TcpListener, shared: &Shared) {
    for stream in listener.incoming() {
        if shared.ended.load(Ordering::Relaxed) {
            return;
        }
        let Ok(stream) = stream else {
            continue;
        };
        *shared.accepted.lock().unwrap() += 1;
        let child = serve(stream, shared);
        shared.connections.lock().unwrap().push(child);
    }
}

fn serve(stream: TcpStream, shared: &Shared) -> Child {
    let log = fs::File::options()
        .create(true)
        .append(true)
        .open(&shared.log)
        .expect("a log");
    let out = stream.try_clone().expect("the connection");
    Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "/usr/sbin/sshd", "-i", "-e", "-f"])
        .arg(&shared.configuration)
        .stdin(Stdio::from(OwnedFd::from(stream)))
        .stdout(Stdio::from(OwnedFd::from(out)))
        .stderr(log)
        .process_group(0)
        .spawn()
        .unwrap_or_else(|e| {
            panic!("cannot start setpriv ({e}); run scripts/install-test-packages as root")
        })
}

fn end(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let (Some(group), Ok(None)) = (group, child.try_wait()) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        self.cut();
    }
}

impl std::fmt::Debug for Sshd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sshd")
            .field("address", &self.address)
            .field("log", &self.log())
            .finish_non_exhaustive()
    }
}
