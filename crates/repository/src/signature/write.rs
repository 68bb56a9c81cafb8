//! Stating what a run publishes and removes; the order of writing is the module's.

use std::collections::{BTreeSet, HashSet};

use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use strongroom_storage::{ErrorKind as StorageKind, WriteMode};

use super::signer::Signer;
use super::view::View;
use crate::error::Context;
use crate::file_kind::FileKind;
use crate::format::{Id, SignedStatement, Statement, StatementKind, StatementName};
use crate::lock::Lock;
use crate::own_files::OwnFolder;
use crate::repository::Repository;
use crate::{Error, Result};

/// Snapshots that one statement removes at most: its announcement costs as much as that of a single one.
const REMOVED_AT_ONCE: usize = 1000;

/// A run between its announcement and its statement.
struct Run<'a> {
    repository: &'a Repository,
    signer: &'a Signer,
    view: View,
    /// What runs that died had announced, and has happened.
    settled_published: BTreeSet<Id>,
    settled_removed: BTreeSet<Id>,
    /// Announcements that mean nothing once this run has made its statement.
    done_with: Vec<StatementName>,
}

impl Repository {
    /// How many snapshots are best given to [`Self::remove_snapshots`] in one call.
    pub(crate) fn removed_at_once(&self) -> usize {
        match self.signer() {
            None => self.storage().capabilities().connections.max(1),
            Some(_) => REMOVED_AT_ONCE,
        }
    }

    /// Publishes a snapshot, given as it will be stored, and states it.
    pub(crate) async fn publish_signed(
        &self,
        signer: &Signer,
        stored: Bytes,
        mode: WriteMode,
        lock: &Lock,
    ) -> Result<Id> {
        let published = BTreeSet::from([Id::of(&stored)]);
        let mut run = Run::begin(self, signer, lock).await?;
        run.announce(published.clone(), BTreeSet::new()).await?;
        // Listing and announcing took their time.
        lock.verify().await?;
        let id = self.store_snapshot(stored, mode).await?;
        let doing = || format!("snapshot {} is stored; sign it", id.short());
        let stated = run.state(published, BTreeSet::new()).await;
        stated.map_err(|error| error.context(doing()))?;
        Ok(id)
    }

    /// Removes snapshots and states it.
    pub(crate) async fn remove_signed(
        &self,
        signer: &Signer,
        ids: &[Id],
        lock: &Lock,
    ) -> Result<()> {
        for batch in ids.chunks(REMOVED_AT_ONCE) {
            let removed: BTreeSet<Id> = batch.iter().copied().collect();
            let mut run = Run::begin(self, signer, lock).await?;
            run.announce(BTreeSet::new(), removed.clone()).await?;
            lock.verify().await?;
            self.delete_snapshots(batch, lock).await?;
            self.confirm_removed(&removed).await?;
            run.state(BTreeSet::new(), removed).await?;
        }
        Ok(())
    }

    /// Fails if the storage still has one of these: the statement that it is gone would make whoever finds it a thief, and
    /// what is made of it afterwards would not be signed.
    async fn confirm_removed(&self, removed: &BTreeSet<Id>) -> Result<()> {
        let listed = self.list(FileKind::Snapshot).await?;
        let listed = listed.iter().map(|file| &file.id);
        for id in listed.filter(|id| removed.contains(id)) {
            // A listing may be of a moment ago.
            match self.storage().stat(&FileKind::Snapshot.path(id)?).await {
                Err(error) if error.kind == StorageKind::NotFound => {}
                found => {
                    found.context(|| format!("look for snapshot {}", id.short()))?;
                    let what = format!("the storage still has snapshot {id}, which it removed");
                    return Err(Error::damaged(what));
                }
            }
        }
        Ok(())
    }

    /// States that snapshots that are there already were published by the holder of the key.
    pub(super) async fn state_published(
        &self,
        signer: &Signer,
        published: BTreeSet<Id>,
        lock: &Lock,
    ) -> Result<()> {
        let run = Run::begin(self, signer, lock).await?;
        run.state(published, BTreeSet::new()).await
    }

    /// Stores a statement. One that is there already is the same: its name is its hash. A storage that loses a write
    /// makes nobody a thief: what the chain rests on is read back, before the announcement goes that stands for it, and so is
    /// the announcement of a removal. That of a publication is not: who never heard that it was done misses nothing.
    pub(super) async fn store_statement(&self, signed: &SignedStatement) -> Result<StatementName> {
        let name = signed.name();
        let data = Bytes::from(signed.encode());
        let file = name.to_string();
        let written = self
            .write_own(OwnFolder::Signatures, &file, data.clone(), WriteMode::New)
            .await;
        match written {
            Err(error) if is_there(&error) => {}
            result => result?,
        }
        let is_vital = !name.is_announcement || !signed.statement.removed.is_empty();
        if !is_vital || self.read_own(OwnFolder::Signatures, &file).await? == data {
            return Ok(name);
        }
        let message = format!("statement {name} is not what was to be stored");
        Err(Error::damaged(message))
    }

    /// Removes statements that others stand for, or announcements of the past. What stays does no harm.
    pub(super) async fn delete_statements(&self, names: Vec<String>) -> Result<()> {
        let at_once = self.storage().capabilities().connections.max(1);
        stream::iter(names)
            .map(|name| async move { self.delete_own(OwnFolder::Signatures, &name).await })
            .buffer_unordered(at_once)
            .try_collect()
            .await
    }
}

fn is_there(error: &Error) -> bool {
    error
        .storage()
        .is_some_and(|error| error.kind == StorageKind::AlreadyExists)
}

impl<'a> Run<'a> {
    /// Looks at the chain, and settles what runs that died have left.
    async fn begin(repository: &'a Repository, signer: &'a Signer, lock: &Lock) -> Result<Self> {
        let view = signer.view(repository).await?;
        let mut run = Self {
            repository,
            signer,
            settled_published: BTreeSet::new(),
            settled_removed: BTreeSet::new(),
            done_with: view.overtaken.clone(),
            view,
        };
        if !run.view.announced.is_empty() {
            let files = repository.list(FileKind::Snapshot).await?;
            let present = files.into_iter().map(|file| file.id).collect();
            run.settle(&present, lock.is_exclusive());
        }
        Ok(run)
    }

    fn settle(&mut self, present: &HashSet<Id>, is_alone: bool) {
        for (name, statement) in &self.view.announced {
            let (there, awaited): (BTreeSet<Id>, BTreeSet<Id>) = self
                .view
                .opens(statement)
                .partition(|id| present.contains(id));
            self.settled_published.extend(there);
            // A removal is announced under an exclusive lock: whoever did it is gone, or this run had no lock.
            let gone = statement.removed.iter().filter(|id| !present.contains(id));
            self.settled_removed.extend(gone);
            // What is not there may be the work of a run beside this one, which is about to store it.
            if awaited.is_empty() || is_alone {
                self.done_with.push(*name);
            }
        }
    }

    async fn announce(&mut self, published: BTreeSet<Id>, removed: BTreeSet<Id>) -> Result<()> {
        let announcement = Statement {
            published,
            removed,
            ..self.statement(StatementKind::Announcement)?
        };
        let signed = self.signer.sign(announcement);
        let name = self.repository.store_statement(&signed).await?;
        self.done_with.push(name);
        Ok(())
    }

    async fn state(mut self, published: BTreeSet<Id>, removed: BTreeSet<Id>) -> Result<()> {
        let mut statement = self.statement(StatementKind::Statement)?;
        statement.published = std::mem::take(&mut self.settled_published);
        statement.removed = std::mem::take(&mut self.settled_removed);
        // What this run does comes after what it found.
        statement.published.retain(|id| !removed.contains(id));
        statement.removed.retain(|id| !published.contains(id));
        statement.published.extend(published);
        statement.removed.extend(removed);
        let signed = self.signer.sign(statement);
        let name = self.repository.store_statement(&signed).await?;
        self.signer.stated(name.link);
        let past = self.done_with.iter().map(ToString::to_string).collect();
        // The statement holds without it, and the next run removes what this one could not.
        let _ = self.repository.delete_statements(past).await;
        Ok(())
    }

    fn statement(&self, kind: StatementKind) -> Result<Statement> {
        self.signer.statement(self.repository, &self.view, kind)
    }
}
