//! Where the passwords and keys of storages come from.

use std::fmt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use secrecy::SecretString;
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use zeroize::Zeroize;

use crate::failure::Failure;
use crate::{ErrorKind, OptionError, Options, Surroundings, options};

/// The most that a file or a command may give: a private key with its certificates is a tenth of it.
const MAX_BYTES: u64 = 256 << 10;

/// A secret, or where it can be had when it is needed, and had anew when it has expired. Shows where, never what.
#[derive(Clone)]
pub(crate) enum SecretSource {
    /// The secret itself, as it stood in an address or in a variable.
    Value(Arc<SecretString>),
    /// A file that holds it; white space around it does not count.
    File(PathBuf),
    /// A command that prints it; run without a shell.
    Command(Vec<String>),
}

impl SecretSource {
    /// A secret that is here already.
    pub(crate) fn value(secret: impl Into<String>) -> Self {
        Self::Value(Arc::new(SecretString::from(secret.into())))
    }

    /// Looks for `KEY-file` and `KEY-command` among the options, then for each variable and its `_FILE` and `_COMMAND`.
    pub(crate) fn find(
        options: &Options,
        surroundings: &Surroundings,
        (file_key, command_key): (&'static str, &'static str),
        variables: &[&str],
    ) -> Result<Option<Self>, OptionError> {
        if let Some(path) = options.text(file_key) {
            return Ok(Some(Self::File(path.into())));
        }
        if let Some(line) = options.text(command_key) {
            return Self::command(command_key, line).map(Some);
        }
        for name in variables {
            if let Some(value) = surroundings.variable(&[name]) {
                return Ok(Some(Self::value(value)));
            }
            if let Some(path) = surroundings.variable(&[&format!("{name}_FILE")]) {
                return Ok(Some(Self::File(path.into())));
            }
            if let Some(line) = surroundings.variable(&[&format!("{name}_COMMAND")]) {
                return Self::command(command_key, line).map(Some);
            }
        }
        Ok(None)
    }

    fn command(key: &'static str, line: &str) -> Result<Self, OptionError> {
        options::words(key, line, "a command whose quotes are closed").map(Self::Command)
    }

    /// Whether asking again may give another secret.
    pub(crate) fn can_change(&self) -> bool {
        !matches!(self, Self::Value(_))
    }

    /// The secret as it is now. A message names the file or the program, never what came out.
    pub(crate) async fn obtain(&self) -> Result<SecretString, Failure> {
        match self {
            Self::Value(secret) => Ok((**secret).clone()),
            Self::File(path) => {
                let failed = |e| {
                    let place = path.display();
                    Failure::new(ErrorKind::Unauthenticated, format!("read {place}: {e}"))
                };
                let file = tokio::fs::File::open(path).await.map_err(failed)?;
                let mut bytes = Vec::new();
                let read = file.take(MAX_BYTES).read_to_end(&mut bytes).await;
                read.map_err(failed)?;
                text(bytes).ok_or_else(|| {
                    let message = format!("{} holds no text", path.display());
                    Failure::new(ErrorKind::Unauthenticated, message)
                })
            }
            Self::Command(words) => printed_by(words).await,
        }
    }
}

/// Standard input and error are the program's, so that the command may ask.
async fn printed_by(words: &[String]) -> Result<SecretString, Failure> {
    let (program, arguments) = words.split_first().map_or(("", words), |(p, a)| (p, a));
    let failed = |why: String| {
        let message = format!("the command {program:?}, which is to print a secret: {why}");
        Failure::new(ErrorKind::Unauthenticated, message)
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::inherit())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| failed(e.to_string()))?;
    let mut bytes = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let read = stdout.take(MAX_BYTES).read_to_end(&mut bytes).await;
        read.map_err(|e| failed(e.to_string()))?;
    }
    let status = child.wait().await.map_err(|e| failed(e.to_string()))?;
    if !status.success() {
        bytes.zeroize();
        return Err(failed(format!("it ended with {status}")));
    }
    text(bytes).ok_or_else(|| failed("it printed no text".to_owned()))
}

fn text(mut bytes: Vec<u8>) -> Option<SecretString> {
    let text = std::str::from_utf8(&bytes).ok().map(str::trim);
    let secret = text.filter(|text| !text.is_empty()).map(SecretString::from);
    bytes.zeroize();
    secret
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(_) => f.write_str("Value(…)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Command(words) => f.debug_tuple("Command").field(&words.first()).finish(),
        }
    }
}

impl PartialEq for SecretSource {
    /// For places that hold a secret; not meant for checking one.
    fn eq(&self, other: &Self) -> bool {
        use secrecy::ExposeSecret;
        match (self, other) {
            (Self::Value(a), Self::Value(b)) => a.expose_secret() == b.expose_secret(),
            (Self::File(a), Self::File(b)) => a == b,
            (Self::Command(a), Self::Command(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for SecretSource {}
