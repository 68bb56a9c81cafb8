//! Key files: read from where the user says, written once.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use strongroom_repository::format::KEY_FILE_MAX_BYTES;
use strongroom_repository::signature::{SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;

const BEGIN: &str = "-----BEGIN ";

/// The key that signs, where one was given: by the option, then by a file in the environment, then by the environment.
pub fn signing_key(context: &Context) -> Result<Option<SigningKey>> {
    let environment = &context.environment;
    let variable = environment.variable("STRONGROOM_SIGN_KEY_FILE");
    let path = context.global.sign_key.clone();
    if let Some(path) = path.or_else(|| variable.map(PathBuf::from)) {
        let doing = || format!("the key to sign with, {}", path.display());
        let text = read(&path).map_err(|error| error.context(doing()))?;
        let key = SigningKey::decode(&text);
        return key.map(Some).map_err(|error| usage(&error, &doing()));
    }
    let Some(text) = text_of(context, "STRONGROOM_SIGN_KEY")? else {
        return Ok(None);
    };
    let key = SigningKey::decode(&text);
    key.map(Some)
        .map_err(|error| usage(&error, "STRONGROOM_SIGN_KEY"))
}

/// The keys that verify, each once; a file may hold several, one behind the other.
pub fn verifying_keys(context: &Context) -> Result<Vec<VerifyingKey>> {
    let environment = &context.environment;
    let mut paths = context.global.verify_key.clone();
    if paths.is_empty() {
        let variable = environment.variable("STRONGROOM_VERIFY_KEY_FILE");
        paths.extend(variable.map(PathBuf::from));
    }
    let mut keys: Vec<VerifyingKey> = Vec::new();
    let mut add = |text: &str, doing: &str| -> Result<()> {
        for key in several(text) {
            let key = VerifyingKey::decode(&key).map_err(|error| usage(&error, doing))?;
            if !keys.iter().any(|other| other.id() == key.id()) {
                keys.push(key);
            }
        }
        Ok(())
    };
    for path in &paths {
        let doing = format!("the key to verify with, {}", path.display());
        let text = read(path).map_err(|error| error.context(&doing))?;
        add(&text, &doing)?;
    }
    if paths.is_empty()
        && let Some(text) = text_of(context, "STRONGROOM_VERIFY_KEY")?
    {
        add(&text, "STRONGROOM_VERIFY_KEY")?;
    }
    Ok(keys)
}

fn usage(error: &strongroom_repository::Error, doing: &str) -> Error {
    Error::usage(format!("{doing}: {error}")).hint(
        "`strongroom sign generate-key --out FILE` makes a key, `openssl pkey -in FILE -pubout` prints its public key",
    )
}

/// One text for each block, and the whole where there is none.
fn several(text: &str) -> Vec<Zeroizing<String>> {
    let whole = || vec![Zeroizing::new(text.to_owned())];
    let Some((_, rest)) = text
        .split_once(BEGIN)
        .filter(|(before, _)| before.trim().is_empty())
    else {
        return whole();
    };
    let block = |rest: &str| Zeroizing::new(format!("{BEGIN}{rest}"));
    rest.split(BEGIN).map(block).collect()
}

fn text_of(context: &Context, name: &str) -> Result<Option<Zeroizing<String>>> {
    let Some(value) = context.environment.variable(name) else {
        return Ok(None);
    };
    let text = value
        .to_str()
        .filter(|text| text.trim_start().starts_with(BEGIN));
    // The value may be a secret that got into the wrong form: it is not shown.
    text.map(|text| Some(Zeroizing::new(text.to_owned())))
        .ok_or_else(|| {
            Error::usage(format!("{name} does not hold the text of a key file"))
                .hint(format!("a path to one goes into {name}_FILE"))
        })
}

/// Reads a key file. One with a secret in it must be its owner's alone.
fn read(path: &Path) -> Result<Zeroizing<String>> {
    let failed = |e: std::io::Error| Error::usage(e.to_string());
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode();
    let mut text = Zeroizing::new(String::new());
    let mut limited = file.take(KEY_FILE_MAX_BYTES + 1);
    let not_text = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::InvalidData => Error::usage("it is not a key file"),
        _ => failed(e),
    };
    limited.read_to_string(&mut text).map_err(not_text)?;
    let is_secret = ["PRIVATE KEY", "HMAC KEY"]
        .iter()
        .any(|word| text.contains(word));
    if is_secret && mode & 0o077 != 0 {
        return Err(Error::usage(format!(
            "others than its owner can read it (mode {:03o})",
            mode & 0o777
        ))
        .hint(format!("chmod 600 {}", path.display())));
    }
    Ok(text)
}

/// Writes a key file that only its owner can read; never over another file.
pub fn write_new(path: &Path, text: &str) -> Result<()> {
    let doing = format!("write {}", path.display());
    let opened = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let mut file = opened.map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Error::new(ExitCode::Refused, format!("{doing}: it exists already"))
                .hint("a key that is lost cannot be had again: name another file")
        }
        _ => Error::file(&e, &doing),
    })?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|e| Error::file(&e, &doing))
}
