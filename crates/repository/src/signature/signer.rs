//! Who signs what a repository's runs publish and remove.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use tokio::sync::Mutex as AsyncMutex;
use tokio_util::sync::CancellationToken;

use super::chain::{self, Memory};
use super::key::{SigningKey, VerifyingKey};
use super::view::View;
use crate::clock::Clock;
use crate::format::{Id, Link, SignedStatement, Statement, StatementKind};
use crate::repository::Repository;
use crate::{Error, ErrorKind, Result};

/// A key with what it needs to sign: see [`Repository::with_signer`].
pub struct Signer {
    key: SigningKey,
    keys: Vec<VerifyingKey>,
    remembered: Vec<Link>,
    clock: Arc<dyn Clock>,
    memory: AsyncMutex<Memory>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    heads: BTreeSet<Link>,
    missing: BTreeSet<Link>,
    unknown_keys: BTreeSet<Id>,
    statements: usize,
}

impl Signer {
    /// Signs with `key`, and believes what it and `others` have signed: other machines' keys, and those of earlier times.
    /// `remembered` are the heads of the chain that were seen on this machine before.
    pub fn new(
        key: SigningKey,
        others: Vec<VerifyingKey>,
        remembered: Vec<Link>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let mut keys = others;
        keys.push(key.verifying_key());
        Self {
            key,
            keys,
            remembered,
            clock,
            memory: AsyncMutex::default(),
            seen: Mutex::default(),
        }
    }

    /// The keys whose statements are believed, its own among them.
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.keys
    }

    /// The heads of the chain that were seen on this machine before.
    pub fn remembered(&self) -> &[Link] {
        &self.remembered
    }

    /// What to remember of the chain: its heads as this signer has left or seen them. Empty if it has signed nothing.
    pub fn heads(&self) -> Vec<Link> {
        self.seen().heads.iter().copied().collect()
    }

    /// Statements that were remembered, and are missing from the chain that this signer went on with.
    pub fn missing(&self) -> Vec<Link> {
        self.seen().missing.iter().copied().collect()
    }

    /// Keys of statements that this signer has passed over.
    pub fn unknown_keys(&self) -> Vec<Id> {
        self.seen().unknown_keys.iter().copied().collect()
    }

    /// Statements that this signer has read, each run anew: `sign compact` puts one in place of many.
    pub fn statements(&self) -> usize {
        self.seen().statements
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn view(&self, repository: &Repository) -> Result<View> {
        // What a signer does is a few small files; its callers ask whether they were cancelled.
        let never = CancellationToken::new();
        let mut memory = self.memory.lock().await;
        let chain = chain::load(repository, &self.keys, &mut memory, &never).await?;
        let view = View::of(&chain);
        let mut seen = self.seen();
        let missing = self.remembered.iter().filter(|link| !view.knows(link));
        seen.missing.extend(missing);
        seen.unknown_keys.extend(chain.unknown_keys);
        seen.heads.clone_from(&view.heads);
        seen.statements = view.links.len();
        Ok(view)
    }

    /// A statement that follows on what the view shows.
    pub(super) fn statement(
        &self,
        repository: &Repository,
        view: &View,
        kind: StatementKind,
    ) -> Result<Statement> {
        let key = self.key.verifying_key();
        let generation = view.generation.checked_add(1);
        let parents = match kind {
            StatementKind::Announcement => BTreeSet::new(),
            _ => view.heads.iter().map(|link| link.hash).collect(),
        };
        Ok(Statement {
            kind,
            repository: repository.config().id,
            generation: generation.ok_or_else(|| {
                Error::new(ErrorKind::Signature, "the chain has no generation left")
            })?,
            time: whole_seconds(self.clock.now()),
            algorithm: key.algorithm(),
            key: key.id(),
            parents,
            published: BTreeSet::new(),
            removed: BTreeSet::new(),
            replaced: BTreeSet::new(),
        })
    }

    pub(super) fn sign(&self, statement: Statement) -> SignedStatement {
        let signature = self.key.sign(&statement.encode());
        SignedStatement {
            statement,
            signature,
        }
    }

    /// The chain goes on from here.
    pub(super) fn stated(&self, link: Link) {
        self.seen().heads = BTreeSet::from([link]);
    }

    /// The missing statements were accepted as lost.
    pub(super) fn accepted(&self) {
        self.seen().missing.clear();
    }
}

fn whole_seconds(time: Timestamp) -> Timestamp {
    let second = TimestampRound::new()
        .smallest(Unit::Second)
        .mode(RoundMode::Trunc);
    time.round(second).unwrap_or(time)
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl Repository {
    /// The same repository, whose publications and removals of snapshots are signed from now on.
    ///
    /// Where the storage cannot hold signatures, taking a lock to write answers [`ErrorKind::Unsupported`], before
    /// anything is changed; reading goes on.
    #[must_use]
    pub fn with_signer(&self, signer: Arc<Signer>) -> Self {
        self.signed_by(Some(signer))
    }

    /// Those of these snapshots that are signed with a key that the signer believes; all of them without a signer, to whom
    /// it does not matter.
    ///
    /// What is taken over from an unsigned snapshot into a signed one would be signed without anybody having looked.
    ///
    /// # Errors
    /// The storage's.
    pub async fn trusted_snapshots(&self, ids: &[Id]) -> Result<HashSet<Id>> {
        let all = ids.iter().copied();
        match self.signer() {
            None => Ok(all.collect()),
            Some(signer) => {
                let view = signer.view(self).await?;
                Ok(all.filter(|id| view.is_signed(id)).collect())
            }
        }
    }
}
