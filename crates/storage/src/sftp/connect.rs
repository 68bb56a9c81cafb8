//! Ways to a server: SSH as spoken here, the one module that touches a library for it beside `sign_in`, or another program.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use data_encoding::BASE64;

use russh::client::{self, DisconnectReason};
use russh::keys::{Algorithm, HashAlg, PublicKey, PublicKeyOrCertificate};
use russh::{AlgorithmKind, ChannelMsg, cipher};
use tokio::net::TcpStream;

use super::SftpLocation;
use super::client::Transport;
use super::known_hosts::{Verdict, name_of};
use super::options::SftpOptions;
use super::paced::Paced;
use super::sign_in::sign_in;
use super::target::Target;
use crate::failure::Failure;
use crate::process::Process;
use crate::{ErrorKind, Pace};

/// Bytes that the server may send before we have taken them: what a link of 1 Gbit/s holds in 60 ms.
const WINDOW_BYTES: u32 = 8 << 20;

/// Packets of a channel that may wait for us: more than the window has of the smallest that are usual.
const PACKETS_WAITING: usize = 1024;

/// A program that has closed its pipes says within this time how it ended, or is not asked.
const SOON: Duration = Duration::from_secs(1);

/// AES first: processors have instructions for it, and servers too.
const CIPHERS: &[cipher::Name] = &[
    cipher::AES_256_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];

/// How sessions are opened.
#[derive(Debug)]
pub(super) struct Connector {
    location: SftpLocation,
    options: Arc<SftpOptions>,
    /// To the storage, and from it.
    paces: (Pace, Pace),
}

impl Connector {
    pub(super) fn new(location: SftpLocation, options: SftpOptions, paces: (Pace, Pace)) -> Self {
        Self {
            location,
            options: Arc::new(options),
            paces,
        }
    }

    /// Pipes to a server's SFTP.
    pub(super) async fn connect(&self) -> Result<Transport, Failure> {
        match &self.options.command {
            Some(words) => over_program(words, &self.paces),
            None => self.over_ssh().await,
        }
    }

    async fn over_ssh(&self) -> Result<Transport, Failure> {
        let (location, options) = (self.location.clone(), Arc::clone(&self.options));
        let target = tokio::task::spawn_blocking(move || Target::find(&location, &options)).await;
        let target = target.unwrap_or_else(|_| {
            let message = "the call was stopped with the program";
            Err(Failure::new(ErrorKind::Io, message))
        })?;
        let target = Arc::new(target);
        let stream = Paced::new(reach(&target).await?, &self.paces);
        let notes = Arc::new(Notes::default());
        let verifier = Verifier {
            target: Arc::clone(&target),
            notes: Arc::clone(&notes),
        };
        let config = Arc::new(ssh_settings(&target));
        let mut handle = client::connect_stream(config, stream, verifier)
            .await
            .map_err(|error| notes.explain(error))?;
        sign_in(&mut handle, &target, &self.options).await?;
        let mut channel = handle
            .channel_open_session()
            .await
            .map_err(|error| notes.explain(error.into()))?;
        channel
            .request_subsystem(true, "sftp")
            .await
            .map_err(|error| notes.explain(error.into()))?;
        loop {
            match channel.wait().await {
                Some(ChannelMsg::Success) => break,
                Some(ChannelMsg::Failure) => {
                    let message = "the server has no SFTP, or refuses it to this user";
                    return Err(Failure::new(ErrorKind::Unsupported, message));
                }
                Some(_) => {}
                None => return Err(notes.explain(russh::Error::Disconnect.into())),
            }
        }
        let (reader, writer) = tokio::io::split(channel.into_stream());
        Ok(Transport {
            reader: Box::new(reader),
            writer: Box::new(writer),
            why_ended: Box::new(move || {
                let ended = notes.ended();
                Box::pin(async move { ended })
            }),
            keep: Box::new(Connection(Some(handle))),
        })
    }
}

fn over_program(words: &[String], paces: &(Pace, Pace)) -> Result<Transport, Failure> {
    let Some((program, arguments)) = words.split_first() else {
        let message = "sftp.command names no program";
        return Err(Failure::new(ErrorKind::Unsupported, message));
    };
    let (process, stdin, stdout) = Process::start(program, arguments)?;
    let process = Arc::new(tokio::sync::Mutex::new(process));
    let ended = Arc::clone(&process);
    let name = program.clone();
    Ok(Transport {
        reader: Box::new(Paced::new(stdout, paces)),
        writer: Box::new(Paced::new(stdin, paces)),
        why_ended: Box::new(move || {
            let (process, name) = (Arc::clone(&ended), name.clone());
            Box::pin(async move {
                let how = process.lock().await.ended(SOON).await?;
                Some(format!("the program {name:?} ended with {how}"))
            })
        }),
        keep: Box::new(process),
    })
}

/// Every address of the host in turn.
async fn reach(target: &Target) -> Result<TcpStream, Failure> {
    let (host, port) = (target.host.as_str(), target.port);
    let unreachable = |why: String| {
        let message = format!("connect to {host}, port {port}: {why}");
        Failure::passing(ErrorKind::Unreachable, message)
    };
    let connecting = async {
        let addresses = tokio::net::lookup_host((host, port)).await;
        let mut last = None;
        for address in addresses.map_err(|e| unreachable(e.to_string()))? {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(error),
            }
        }
        Err(unreachable(match last {
            Some(error) => error.to_string(),
            None => "it has no address".to_owned(),
        }))
    };
    let stream = match target.connect_timeout {
        None => connecting.await,
        Some(longest) => tokio::time::timeout(longest, connecting)
            .await
            .unwrap_or_else(|_| {
                let why = format!("no answer within {} s (ConnectTimeout)", longest.as_secs());
                Err(unreachable(why))
            }),
    }?;
    // Small requests are not to wait for the answers to others.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

fn ssh_settings(target: &Target) -> client::Config {
    let mut config = client::Config {
        window_size: WINDOW_BYTES,
        channel_buffer_size: PACKETS_WAITING,
        keepalive_interval: Some(target.keep_alive),
        keepalive_max: target.keep_alive_count,
        ..client::Config::default()
    };
    config.preferred.cipher = Cow::Borrowed(CIPHERS);
    // Without the RSA that we do not have, and those that are known first: a server with several keys shows the first
    // that it has of these.
    let mut algorithms: Vec<Algorithm> = config.preferred.key.to_vec();
    algorithms.retain(|algorithm| !matches!(algorithm, Algorithm::Rsa { .. }));
    let known: Vec<&str> = target.known_hosts.algorithms().collect();
    algorithms.sort_by_key(|algorithm| !known.contains(&algorithm.as_str()));
    config.preferred.key = Cow::Owned(algorithms);
    config
}

/// Says goodbye when it is dropped.
struct Connection(Option<client::Handle<Verifier>>);

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(handle) = self.0.take() else {
            return;
        };
        super::handle::in_background(async move {
            let reason = russh::Disconnect::ByApplication;
            let goodbye = handle.disconnect(reason, "", "");
            // A server that takes nothing any more does not get it.
            let _ = tokio::time::timeout(Duration::from_secs(5), goodbye).await;
        });
    }
}

/// What was learned behind the library's back.
#[derive(Debug, Default)]
struct Notes {
    refused: Mutex<Option<Failure>>,
    ended: Mutex<Option<String>>,
}

impl Notes {
    fn ended(&self) -> Option<String> {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.clone()
    }

    fn end(&self, why: String) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.get_or_insert(why);
    }

    /// A refusal of ours before what the library makes of it.
    fn explain(&self, error: SshError) -> Failure {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(failure) = &*refused {
            return failure.clone();
        }
        match error.0 {
            russh::Error::NoCommonAlgo {
                kind: AlgorithmKind::Key,
                theirs,
                ..
            } => Failure::new(
                ErrorKind::Untrusted,
                format!(
                    "the server has host keys of no kind that is checked here, only {}; RSA is left out, as no \
                     implementation of it that we could use is safe. Give the server another key (ssh-keygen -A), or let \
                     OpenSSH connect (-o sftp.command=\"ssh -oBatchMode=yes HOST -s sftp\")",
                    theirs.join(", ")
                ),
            ),
            error @ (russh::Error::NoCommonAlgo { .. }
            | russh::Error::Version
            | russh::Error::WrongServerSig) => {
                Failure::new(ErrorKind::Untrusted, error.to_string())
            }
            error => {
                let why = self.ended().unwrap_or_else(|| error.to_string());
                Failure::passing(
                    ErrorKind::Unreachable,
                    format!("the connection has ended: {why}"),
                )
            }
        }
    }
}

/// An error of the library; what we refuse ourselves stands in [`Notes`].
#[derive(Debug)]
pub(super) struct SshError(pub(super) russh::Error);

impl From<russh::Error> for SshError {
    fn from(error: russh::Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for SshError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Decides whether the server is the one that it should be.
pub(super) struct Verifier {
    target: Arc<Target>,
    notes: Arc<Notes>,
}

impl client::Handler for Verifier {
    type Error = SshError;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let refused = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => refusal(&self.target, key),
            // We ask for none.
            PublicKeyOrCertificate::Certificate(_) => {
                Some("the server shows a certificate, which is not checked here".to_owned())
            }
        };
        let Some(message) = refused else {
            return Ok(true);
        };
        let failure = Failure::new(ErrorKind::Untrusted, message);
        let mut place = self
            .notes
            .refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *place = Some(failure);
        Ok(false)
    }

    async fn disconnected(
        &mut self,
        reason: DisconnectReason<Self::Error>,
    ) -> Result<(), Self::Error> {
        match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                self.notes.end(format!("the server says: {}", info.message));
                Ok(())
            }
            DisconnectReason::Error(error) => {
                self.notes.end(error.to_string());
                Err(error)
            }
        }
    }
}

/// Why the key is refused; `None` for one that is known.
fn refusal(target: &Target, key: &PublicKey) -> Option<String> {
    let algorithm = key.algorithm();
    let Ok(bytes) = key.to_bytes() else {
        return Some("the server's key cannot be read".to_owned());
    };
    let line = format!(
        "{} {} {}",
        name_of(&target.key_name, target.port),
        algorithm.as_str(),
        BASE64.encode(&bytes)
    );
    let fingerprint = key.fingerprint(HashAlg::Sha256);
    let file = match &target.known_hosts_file {
        Some(file) => file.display().to_string(),
        None => "a file named by sftp.known-hosts".to_owned(),
    };
    match target.known_hosts.verdict(algorithm.as_str(), &bytes) {
        Verdict::Known => None,
        Verdict::Revoked(file, number) => Some(format!(
            "the server's key {fingerprint} is revoked ({}, line {number})",
            file.display()
        )),
        Verdict::Changed(known, number) => Some(format!(
            "the server's key has changed: somebody may be between you and it, or it was set up anew. Known is the key in \
             {}, line {number}; it shows {fingerprint}. If its owner confirms that, put this in the place of the line:\n{line}",
            known.display()
        )),
        Verdict::Unknown { other, authority } => {
            let mut beside = String::new();
            if !other.is_empty() {
                beside = format!(" Known are its keys of other kinds: {}.", other.join(", "));
            }
            if authority {
                beside.push_str(" There is a line with @cert-authority for it; certificates of hosts are not checked here.");
            }
            Some(format!(
                "the server is not known: it shows the key {fingerprint}.{beside} If its owner confirms that this is its \
                 key, add this line to {file}:\n{line}"
            ))
        }
    }
}
