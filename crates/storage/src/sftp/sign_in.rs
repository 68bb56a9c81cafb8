//! Showing a server who we are.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey, decode_secret_key};
use russh::{MethodKind, MethodSet};
use secrecy::{ExposeSecret, SecretString};
use tokio::net::UnixStream;
use zeroize::Zeroizing;

use super::connect::Verifier;
use super::options::SftpOptions;
use super::target::{KeyFile, Target};
use crate::ErrorKind;
use crate::failure::Failure;
use crate::secret::SecretSource;

/// No private key is longer.
const KEY_BYTES_MAX: u64 = 256 << 10;

/// Rounds of questions that a server may ask instead of for a password.
const ROUNDS_MAX: usize = 8;

/// Tries what we have until the server is content: keys of the agent, keys of files, the password.
pub(super) async fn sign_in(
    handle: &mut Handle<Verifier>,
    target: &Target,
    options: &SftpOptions,
) -> Result<(), Failure> {
    let mut attempt = Attempt {
        handle,
        user: &target.user,
        tried: Vec::new(),
        accepts: None,
    };
    let keys = attempt.read_keys(&target.key_files, options).await?;
    let named = options.names_credentials() || target.identities_only;
    if let Some(socket) = &target.agent
        && options.key_file.is_none()
        && options.password.is_none()
        && attempt.with_agent(socket, named, &target.key_files).await?
    {
        return Ok(());
    }
    for (path, key) in keys {
        if attempt.with_key(&path, key).await? {
            return Ok(());
        }
    }
    if let Some(password) = &options.password
        && attempt.with_password(password).await?
    {
        return Ok(());
    }
    Err(attempt.refused())
}

/// Signing in, so far.
struct Attempt<'a> {
    handle: &'a mut Handle<Verifier>,
    user: &'a str,
    /// For the error, should nothing help.
    tried: Vec<String>,
    /// What the server would still take, once it has said so.
    accepts: Option<MethodSet>,
}

impl Attempt<'_> {
    fn accepts(&self, method: MethodKind) -> bool {
        let accepts = self.accepts.as_ref();
        accepts.is_none_or(|methods| methods.contains(&method))
    }

    /// Whether we are in. One of several proofs that the server wants is no refusal.
    fn take(&mut self, what: String, result: AuthResult) -> Result<bool, Failure> {
        match result {
            AuthResult::Success => Ok(true),
            AuthResult::Failure {
                remaining_methods,
                partial_success,
            } => {
                let how = if partial_success {
                    "accepted, and more is asked for"
                } else {
                    "refused"
                };
                self.tried.push(format!("{what} ({how})"));
                self.accepts = Some(remaining_methods);
                // A server that has closed the connection is asked in vain.
                if self.handle.is_closed() {
                    return Err(self.refused());
                }
                Ok(false)
            }
        }
    }

    fn refused(&self) -> Failure {
        let tried = match self.tried.is_empty() {
            true => "there is nothing to try: no agent, no key, no password".to_owned(),
            false => format!("tried: {}", self.tried.join("; ")),
        };
        let accepts = match &self.accepts {
            Some(methods) if !methods.is_empty() => {
                let names: Vec<&str> = methods.iter().map(Into::into).collect();
                format!("; the server takes {}", names.join(", "))
            }
            _ => String::new(),
        };
        Failure::new(
            ErrorKind::Unauthenticated,
            format!("sign in as {}: {tried}{accepts}", self.user),
        )
    }

    /// Lost connections are no refusals.
    fn lost(error: &russh::Error) -> Failure {
        let message = format!("the connection ended while signing in: {error}");
        Failure::passing(ErrorKind::Unreachable, message)
    }

    /// The keys of files that can be used; of others it is noted why not.
    async fn read_keys(
        &mut self,
        files: &[KeyFile],
        options: &SftpOptions,
    ) -> Result<Vec<(String, PrivateKey)>, Failure> {
        let mut keys = Vec::new();
        for file in files {
            let shown = file.path.display().to_string();
            match read_key(&file.path, options.passphrase.as_ref()).await? {
                KeyRead::Key(key) => keys.push((shown, *key)),
                KeyRead::Absent if !file.is_named => {}
                KeyRead::Absent => self.tried.push(format!("{shown} (there is no such file)")),
                KeyRead::Unusable(why) => self.tried.push(format!("{shown} ({why})")),
            }
        }
        Ok(keys)
    }

    async fn with_key(&mut self, path: &str, key: PrivateKey) -> Result<bool, Failure> {
        if !self.accepts(MethodKind::PublicKey) {
            return Ok(false);
        }
        let key = PrivateKeyWithHashAlg::new(Arc::new(key), None);
        let result = self.handle.authenticate_publickey(self.user, key).await;
        self.take(path.to_owned(), result.map_err(|e| Self::lost(&e))?)
    }

    /// The agent's keys; where keys are named, only those of them that it has.
    async fn with_agent(
        &mut self,
        socket: &Path,
        only_named: bool,
        files: &[KeyFile],
    ) -> Result<bool, Failure> {
        let stream = match UnixStream::connect(socket).await {
            Ok(stream) => stream,
            Err(e) => {
                self.tried.push(format!("the agent ({e})"));
                return Ok(false);
            }
        };
        let mut agent = AgentClient::connect(stream);
        if let Some(binding) = self.handle.agent_session_binding() {
            // Old agents do not know this, and need it only for keys that are bound to a server.
            let _ = agent.bind_session(binding, false).await;
        }
        let mut identities = match agent.request_identities().await {
            Ok(identities) => identities,
            Err(e) => {
                self.tried.push(format!("the agent ({e})"));
                return Ok(false);
            }
        };
        let named: Vec<PublicKey> = files
            .iter()
            .filter_map(|file| public_key(&file.path))
            .collect();
        let is_named = |identity: &AgentIdentity| {
            let key = identity.public_key();
            named.iter().any(|named| named.key_data() == key.key_data())
        };
        if only_named {
            identities.retain(is_named);
        }
        // Servers end the connection after a few wrong ones.
        identities.sort_by_key(|identity| !is_named(identity));
        if identities.is_empty() {
            self.tried
                .push("the agent (it has no key to try)".to_owned());
        }
        for identity in identities {
            if !self.accepts(MethodKind::PublicKey) {
                return Ok(false);
            }
            let AgentIdentity::PublicKey { key, .. } = identity else {
                continue;
            };
            let what = format!("the agent's key {}", key.fingerprint(HashAlg::Sha256));
            let hash = key.algorithm().is_rsa().then_some(HashAlg::Sha512);
            let signing = self
                .handle
                .authenticate_publickey_with(self.user, key, hash, &mut agent)
                .await;
            match signing {
                Ok(result) => {
                    if self.take(what, result)? {
                        return Ok(true);
                    }
                }
                Err(e) => self.tried.push(format!("{what} ({e})")),
            }
        }
        Ok(false)
    }

    async fn with_password(&mut self, source: &SecretSource) -> Result<bool, Failure> {
        let password = source.obtain().await?;
        if self.accepts(MethodKind::Password) {
            let password = password.expose_secret();
            let result = self.handle.authenticate_password(self.user, password).await;
            let result = result.map_err(|e| Self::lost(&e))?;
            if self.take("the password".to_owned(), result)? {
                return Ok(true);
            }
        }
        if self.accepts(MethodKind::KeyboardInteractive) {
            return self.by_answering(&password).await;
        }
        Ok(false)
    }

    /// Some servers ask for the password as a question. Whoever asks for more than that (a code) needs a person.
    async fn by_answering(&mut self, password: &SecretString) -> Result<bool, Failure> {
        let what = || "the password as an answer".to_owned();
        let started = self
            .handle
            .authenticate_keyboard_interactive_start(self.user, None)
            .await;
        let mut response = started.map_err(|e| Self::lost(&e))?;
        let mut is_given = false;
        for _ in 0..ROUNDS_MAX {
            let prompts = match response {
                KeyboardInteractiveAuthResponse::Success => return Ok(true),
                KeyboardInteractiveAuthResponse::Failure {
                    remaining_methods,
                    partial_success,
                } => {
                    let result = AuthResult::Failure {
                        remaining_methods,
                        partial_success,
                    };
                    return self.take(what(), result);
                }
                KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => prompts,
            };
            let hidden = matches!(prompts.as_slice(), [prompt] if !prompt.echo);
            if !prompts.is_empty() && (is_given || !hidden) {
                self.tried.push("a question that needs a person".to_owned());
                return Ok(false);
            }
            is_given |= !prompts.is_empty();
            let answers = prompts.iter().map(|_| password.expose_secret().to_owned());
            let answered = self
                .handle
                .authenticate_keyboard_interactive_respond(answers.collect())
                .await;
            response = answered.map_err(|e| Self::lost(&e))?;
        }
        Ok(false)
    }
}

/// What became of a file with a private key.
enum KeyRead {
    Key(Box<PrivateKey>),
    Absent,
    Unusable(&'static str),
}

async fn read_key(path: &Path, passphrase: Option<&SecretSource>) -> Result<KeyRead, Failure> {
    let mut text = Zeroizing::new(String::new());
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(KEY_BYTES_MAX).read_to_string(&mut text));
    match read {
        Ok(_) => {}
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(KeyRead::Absent),
        Err(_) => return Ok(KeyRead::Unusable("it cannot be read")),
    }
    if is_rsa(path, &text) {
        return Ok(KeyRead::Unusable(
            "an RSA key; RSA is left out here, so put it into an agent, make one of another kind \
             (ssh-keygen -t ed25519), or let OpenSSH connect (-o sftp.command=\"ssh -oBatchMode=yes HOST -s sftp\")",
        ));
    }
    let decoded = decode_secret_key(&text, None);
    let Err(error) = decoded else {
        return Ok(decoded.map_or(KeyRead::Absent, |key| KeyRead::Key(Box::new(key))));
    };
    if !is_encrypted(&text, &error) {
        return Ok(KeyRead::Unusable(
            "it holds no private key that is understood here",
        ));
    }
    let Some(passphrase) = passphrase else {
        return Ok(KeyRead::Unusable(
            "it is encrypted; give its passphrase with sftp.key-passphrase-file, sftp.key-passphrase-command or \
             STRONGROOM_SFTP_KEY_PASSPHRASE, or put it into an agent",
        ));
    };
    let passphrase = passphrase.obtain().await?;
    // What makes passphrases hard to guess takes its time.
    let decoding = tokio::task::spawn_blocking(move || {
        decode_secret_key(&text, Some(passphrase.expose_secret()))
    });
    Ok(match decoding.await {
        Ok(Ok(key)) => KeyRead::Key(Box::new(key)),
        _ => KeyRead::Unusable("the passphrase does not open it"),
    })
}

fn is_encrypted(text: &str, error: &russh::keys::Error) -> bool {
    matches!(error, russh::keys::Error::KeyIsEncrypted)
        || text.contains("BEGIN ENCRYPTED PRIVATE KEY")
        || text.contains("Proc-Type: 4,ENCRYPTED")
}

/// The kind stands in clear: in the name of the old format, and in the public key of the new one, or beside it.
fn is_rsa(path: &Path, text: &str) -> bool {
    if text.contains("BEGIN RSA PRIVATE KEY") {
        return true;
    }
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let bytes = data_encoding::BASE64.decode(body.trim().as_bytes());
    let has = |bytes: &[u8]| {
        bytes
            .windows(7)
            .take(200)
            .any(|window| window == b"ssh-rsa")
    };
    bytes.is_ok_and(|bytes| has(&bytes))
        || public_key(path).is_some_and(|key| key.algorithm().is_rsa())
}

/// What `ssh-keygen` put beside the private key.
fn public_key(path: &Path) -> Option<PublicKey> {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    let file = std::fs::File::open(Path::new(&name)).ok()?;
    let mut text = String::new();
    file.take(KEY_BYTES_MAX).read_to_string(&mut text).ok()?;
    PublicKey::from_openssh(text.trim()).ok()
}
