//! Reading the statements of a repository.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use tokio_util::sync::CancellationToken;

use super::finding::{SignatureFinding, SignatureFindingKind as Kind};
use super::key::VerifyingKey;
use crate::format::{
    FormatError, Id, STATEMENT_MAX_BYTES, SignedStatement, Statement, StatementName,
};
use crate::own_files::{OwnFile, OwnFolder};
use crate::repository::Repository;
use crate::{Error, ErrorKind, Result};

/// Statements that are read at most. `sign compact` puts one in place of many long before.
const STATEMENTS_MAX: usize = 200_000;

/// How often the folder is listed anew because a file of the listing was gone when it was to be read.
const ATTEMPTS: u32 = 5;

/// What there is in the folder of signatures: what is signed with a given key for this repository, and what else was found.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// Statements and checkpoints by the hash of their files.
    pub links: BTreeMap<Id, Arc<Statement>>,
    /// Announcements.
    pub announcements: BTreeMap<StatementName, Arc<Statement>>,
    /// What is wrong with single files.
    pub findings: Vec<SignatureFinding>,
    /// Keys that were not given.
    pub unknown_keys: BTreeSet<Id>,
    /// All files.
    pub files: BTreeSet<String>,
}

/// Files that were read, by their names. A name holds the hash of the content, so none is read twice.
pub(super) type Memory = HashMap<String, Arc<Loaded>>;

/// What a file turned out to be.
#[derive(Debug)]
pub(super) enum Loaded {
    /// Signed with a given key, for this repository.
    Good(StatementName, Arc<Statement>),
    /// Signed with another key, or with none.
    Unknown(Id),
    /// None of ours.
    Bad(SignatureFinding),
}

/// Lists the folder and reads what is not in the memory.
///
/// # Errors
/// The storage's, [`ErrorKind::Signature`] for more files than anybody should read, [`ErrorKind::Cancelled`].
pub(super) async fn load(
    repository: &Repository,
    keys: &[VerifyingKey],
    memory: &mut Memory,
    cancel: &CancellationToken,
) -> Result<Chain> {
    for _ in 0..ATTEMPTS {
        if let Some(chain) = try_load(repository, keys, memory, cancel).await? {
            return Ok(chain);
        }
    }
    Err(Error::new(
        ErrorKind::Locked,
        "other processes replace the statements faster than they can be read",
    ))
}

/// `None` if a file has vanished since the listing.
async fn try_load(
    repository: &Repository,
    keys: &[VerifyingKey],
    memory: &mut Memory,
    cancel: &CancellationToken,
) -> Result<Option<Chain>> {
    let files = repository.list_own(OwnFolder::Signatures).await?;
    if files.len() > STATEMENTS_MAX {
        let message =
            format!("there are more than {STATEMENTS_MAX} files in the folder of signatures");
        return Err(Error::new(ErrorKind::Signature, message));
    }
    let at_once = repository.storage().capabilities().connections.max(1);
    let unread: Vec<&OwnFile> = files
        .iter()
        .filter(|file| !memory.contains_key(&file.name))
        .collect();
    let reads = unread.into_iter().map(|file| async move {
        if cancel.is_cancelled() {
            return Err(Error::cancelled());
        }
        let loaded = match load_one(repository, keys, file).await {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            result => Some(Arc::new(result?)),
        };
        Ok((file.name.clone(), loaded))
    });
    let mut read = stream::iter(reads).buffer_unordered(at_once);
    let mut vanished = false;
    while let Some((name, loaded)) = read.try_next().await? {
        match loaded {
            Some(loaded) => _ = memory.insert(name, loaded),
            None => vanished = true,
        }
    }
    drop(read);
    if vanished {
        return Ok(None);
    }
    let mut chain = Chain::default();
    for file in files {
        if let Some(loaded) = memory.get(&file.name) {
            chain.add(loaded);
        }
        chain.files.insert(file.name);
    }
    Ok(Some(chain))
}

impl Chain {
    fn add(&mut self, loaded: &Loaded) {
        match loaded {
            Loaded::Good(name, statement) if name.is_announcement => {
                self.announcements.insert(*name, Arc::clone(statement));
            }
            Loaded::Good(name, statement) => {
                self.links.insert(name.link.hash, Arc::clone(statement));
            }
            Loaded::Unknown(key) => _ = self.unknown_keys.insert(*key),
            Loaded::Bad(finding) => self.findings.push(finding.clone()),
        }
    }
}

async fn load_one(
    repository: &Repository,
    keys: &[VerifyingKey],
    file: &OwnFile,
) -> Result<Loaded> {
    if file.size_bytes > STATEMENT_MAX_BYTES {
        let what = "statement";
        let limit_bytes = STATEMENT_MAX_BYTES;
        let error = FormatError::TooLarge { what, limit_bytes };
        return Ok(unreadable(&file.name, &error.to_string()));
    }
    let stored = repository
        .read_own(OwnFolder::Signatures, &file.name)
        .await?;
    let (keys, name) = (keys.to_vec(), file.name.clone());
    let id = repository.config().id;
    repository
        .workers()
        .run_beside(move || judge(&name, &stored, &keys, &id))
        .await
}

/// What the bytes under a name are.
fn judge(name: &str, stored: &[u8], keys: &[VerifyingKey], repository: &Id) -> Loaded {
    let signed = match SignedStatement::decode(stored) {
        Ok(signed) => signed,
        Err(error) => return unreadable(name, &error.to_string()),
    };
    let statement = signed.statement;
    let signature = signed.signature;
    let is =
        |key: &&VerifyingKey| key.id() == statement.key && key.algorithm() == statement.algorithm;
    let Some(key) = keys.iter().find(is) else {
        return Loaded::Unknown(statement.key);
    };
    if !key.verifies(&statement.encode(), &signature) {
        let kind = Kind::WrongSignature { file: name.into() };
        let message = format!("the signature of statement {name} is wrong");
        return Loaded::Bad(SignatureFinding::new(kind, message));
    }
    if statement.repository != *repository {
        let other = statement.repository;
        let kind = Kind::OtherRepository {
            file: name.into(),
            repository: other,
        };
        let message = format!(
            "statement {name} was made for another repository, {}",
            other.short()
        );
        return Loaded::Bad(SignatureFinding::new(kind, message));
    }
    let signed = SignedStatement {
        statement,
        signature,
    };
    // Else a copy of a statement under a later name would pass for a later one.
    let right = signed.name();
    if right.to_string() != name {
        return unreadable(name, "its name is that of another");
    }
    Loaded::Good(right, Arc::new(signed.statement))
}

fn unreadable(name: &str, why: &str) -> Loaded {
    let kind = Kind::Unreadable { file: name.into() };
    let message = format!("the file {name} among the signatures cannot be read: {why}");
    Loaded::Bad(SignatureFinding::new(kind, message))
}
