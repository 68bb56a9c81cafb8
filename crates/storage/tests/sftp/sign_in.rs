//! Showing a server who we are.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use strongroom_storage::{ErrorKind, Retry, StorageError, Surroundings};
use strongroom_testkit::servers::{RcloneSftp, Sshd, make_key};

use crate::opened::{first_error, on, opened, opened_in};

/// A key pair that the server accepts, beside its own.
fn accepted_key(server: &Sshd, kind: &str, passphrase: &str) -> PathBuf {
    let key = server.folder().join(format!("my-{kind}"));
    make_key(&key, kind, passphrase);
    fs::copy(key.with_extension("pub"), server.authorized()).unwrap();
    key
}

fn with_key(server: &Sshd, key: &Path, more: &[&str]) -> Result<(), StorageError> {
    let mut options = vec![format!("sftp.key-file={}", key.display())];
    options.extend(more.iter().map(|option| (*option).to_owned()));
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let storage = on(server, &options);
    tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(storage.create())
}

#[track_caller]
fn assert_refused(result: Result<(), StorageError>, says: &str) {
    let error = result.unwrap_err();
    assert_eq!(
        (error.kind, error.retry),
        (ErrorKind::Unauthenticated, Retry::Never),
        "{error}"
    );
    assert!(error.message.contains(says), "{says}: {error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

fn secret_file(server: &Sshd, name: &str, secret: &str) -> PathBuf {
    let path = server.folder().join(name);
    let file = fs::File::options()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&path);
    writeln!(file.unwrap(), "{secret}").unwrap();
    path
}

#[test]
fn keys_of_every_kind_but_rsa_sign_in() {
    let server = Sshd::start();
    for kind in ["ed25519", "ecdsa"] {
        let key = accepted_key(&server, kind, "");
        with_key(&server, &key, &[]).unwrap();
    }
    let key = accepted_key(&server, "rsa", "");
    assert_refused(with_key(&server, &key, &[]), "RSA");
    assert_refused(
        with_key(&server, &server.folder().join("none"), &[]),
        "no such file",
    );
    let junk = secret_file(&server, "junk", "no key");
    assert_refused(with_key(&server, &junk, &[]), "no private key");
}

#[test]
fn an_encrypted_key_is_opened_with_a_passphrase_from_a_file_a_command_or_the_environment() {
    let server = Sshd::start();
    let key = accepted_key(&server, "ed25519", "hunter2");
    let right = secret_file(&server, "right", "hunter2");
    let wrong = secret_file(&server, "wrong", "hunter3");
    let file = |path: &Path| format!("sftp.key-passphrase-file={}", path.display());
    with_key(&server, &key, &[&file(&right)]).unwrap();
    let command = format!("sftp.key-passphrase-command=cat {}", right.display());
    with_key(&server, &key, &[&command]).unwrap();
    assert_refused(
        with_key(&server, &key, &[&file(&wrong)]),
        "the passphrase does not open it",
    );
    assert_refused(with_key(&server, &key, &[]), "it is encrypted");

    let mut options = server.options();
    options.push(format!("sftp.key-file={}", key.display()));
    let variable = (
        "STRONGROOM_SFTP_KEY_PASSPHRASE".to_owned(),
        "hunter2".to_owned(),
    );
    let surroundings = Surroundings::new([variable]);
    let storage = opened_in(&server.url("repository"), &options, &surroundings);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(storage.create()).unwrap();
}

#[test]
fn a_server_that_knows_nobody_says_what_was_tried_and_what_it_takes() {
    let server = Sshd::start();
    fs::write(server.authorized(), "").unwrap();
    let error = with_key(&server, &server.client_key(), &[]);
    assert_refused(error, "client-key (refused); the server takes publickey");
}

/// An agent, ended with the test.
struct Agent {
    child: Child,
    socket: PathBuf,
}

impl Agent {
    fn start(folder: &Path) -> Self {
        let socket = folder.join("agent");
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "ssh-agent", "-D", "-a"])
            .arg(&socket)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // It prints where it listens once it does.
        let mut line = String::new();
        let out = child.stdout.as_mut().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
        assert!(line.contains("SSH_AUTH_SOCK"), "{line}");
        Self { child, socket }
    }

    fn add(&self, key: &Path) {
        let added = Command::new("ssh-add")
            .arg("-q")
            .arg(key)
            .env("SSH_AUTH_SOCK", &self.socket)
            .status();
        assert!(added.unwrap().success());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// RSA too: the agent signs, we only pass on.
#[tokio::test]
async fn the_keys_of_an_agent_sign_in() {
    let server = Sshd::start();
    let agent = Agent::start(server.folder());
    let address = server.url("repository");
    let options = [
        format!("sftp.known-hosts={}", server.known_hosts().display()),
        "sftp.config=none".to_owned(),
    ];
    let variable = (
        "SSH_AUTH_SOCK".to_owned(),
        agent.socket.display().to_string(),
    );
    let surroundings = Surroundings::new([variable]);
    let error = first_error(&opened_in(&address, &options, &surroundings)).await;
    assert!(
        error.message.contains("the agent (it has no key to try)"),
        "{error}"
    );
    // Keys that the server does not know come first.
    for number in 0..3 {
        let other = server.folder().join(format!("other-{number}"));
        make_key(&other, "ed25519", "");
        agent.add(&other);
    }
    for kind in ["rsa", "ecdsa", "ed25519"] {
        let key = accepted_key(&server, kind, "");
        agent.add(&key);
        opened_in(&address, &options, &surroundings)
            .create()
            .await
            .unwrap();
        let removed = Command::new("ssh-add")
            .arg("-q")
            .arg("-d")
            .arg(&key)
            .env("SSH_AUTH_SOCK", &agent.socket)
            .status();
        assert!(removed.unwrap().success());
    }
}

/// A server that takes passwords: `password` is what hosting companies offer most.
#[tokio::test]
async fn a_password_signs_in_from_a_file_a_command_or_the_environment_and_a_wrong_one_does_not() {
    let server = RcloneSftp::start("hunter2");
    let own = |more: String| {
        let mut options = server.options();
        options.push(more);
        opened(&server.url("repository"), &options)
    };
    let right = server.folder().join("right");
    fs::write(&right, "hunter2\n").unwrap();
    let wrong = server.folder().join("wrong");
    fs::write(&wrong, "hunter3\n").unwrap();
    own(format!("sftp.password-file={}", right.display()))
        .create()
        .await
        .unwrap();
    own(format!("sftp.password-command=cat {}", right.display()))
        .create()
        .await
        .unwrap();
    let variable = ("STRONGROOM_SFTP_PASSWORD".to_owned(), "hunter2".to_owned());
    let surroundings = Surroundings::new([variable]);
    let storage = opened_in(&server.url("repository"), &server.options(), &surroundings);
    storage.create().await.unwrap();
    let storage = own(format!("sftp.password-file={}", wrong.display()));
    assert_refused(storage.create().await, "the password (refused)");
}
