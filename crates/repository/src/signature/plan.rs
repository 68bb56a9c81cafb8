//! What a key's holder states by hand: that snapshots are theirs, that the present state is accepted, that one statement
//! stands for many.

use std::collections::BTreeSet;

use tokio_util::sync::CancellationToken;

use super::finding::{SignatureFinding, SignatureFindingKind as Kind};
use super::signer::Signer;
use super::verify::{SignatureOptions, Verified};
use crate::file_kind::FileKind;
use crate::format::{Id, Link, SignedStatement, StatementKind};
use crate::lock::Lock;
use crate::own_files::OwnFolder;
use crate::progress::Progress;
use crate::repository::Repository;
use crate::{Error, ErrorKind, Result};

/// Snapshots that will be signed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignPlan {
    /// In order.
    pub snapshots: BTreeSet<Id>,
}

/// The state that will be accepted as it is.
#[derive(Debug, Clone)]
pub struct AcceptPlan {
    /// What will be no finding any more.
    pub findings: Vec<SignatureFinding>,
    /// Snapshots that stay unsigned: to sign those is another matter.
    pub unsigned: BTreeSet<Id>,
    checkpoint: Checkpoint,
}

/// Statements that one will stand for.
#[derive(Debug, Clone)]
pub struct CompactPlan {
    /// How many there are.
    pub statements: u64,
    /// Files that will be removed: those statements, and announcements of the past.
    pub files: u64,
    checkpoint: Checkpoint,
}

#[derive(Debug, Clone)]
struct Checkpoint {
    /// The heads that it follows on.
    heads: BTreeSet<Link>,
    /// All snapshots that were there.
    present: BTreeSet<Id>,
    published: BTreeSet<Id>,
    removed: BTreeSet<Id>,
    replaced: BTreeSet<Id>,
    /// Files that are not needed behind it.
    doomed: Vec<String>,
}

impl Repository {
    /// Which snapshots nobody has signed; of `wanted`, or of all where that is empty. This repository has a signer.
    ///
    /// # Errors
    /// [`ErrorKind::Signature`] where the chain shows tampering, which is to be looked at first; [`ErrorKind::Invalid`]
    /// without a signer.
    pub async fn plan_sign(
        &self,
        wanted: &[Id],
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<SignPlan> {
        let verified = self.verified_by_signer(progress, cancel).await?;
        refuse_tampering(&verified)?;
        let unsigned = verified.report.unsigned();
        let is_wanted = |id: &Id| wanted.is_empty() || wanted.contains(id);
        Ok(SignPlan {
            snapshots: unsigned.filter(is_wanted).collect(),
        })
    }

    /// What accepting the present state means. Whoever executes it has looked at it.
    ///
    /// # Errors
    /// [`ErrorKind::Signature`] if no statement is signed with a known key: accepting would not mend that.
    /// [`ErrorKind::Invalid`] without a signer.
    pub async fn plan_accept(
        &self,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<AcceptPlan> {
        let verified = self.verified_by_signer(progress, cancel).await?;
        let report = &verified.report;
        if let Some(finding) = report
            .findings
            .iter()
            .find(|finding| finding.kind == Kind::NoKnownKey)
        {
            return Err(Error::new(ErrorKind::Signature, &finding.message));
        }
        let mut checkpoint = Checkpoint::of(&verified);
        for finding in &report.findings {
            match finding.kind {
                Kind::Back { snapshot } => {
                    checkpoint.removed.remove(&snapshot);
                    checkpoint.published.insert(snapshot);
                }
                Kind::Gap { missing, .. } => _ = checkpoint.replaced.insert(missing),
                Kind::RolledBack { missing } => _ = checkpoint.replaced.insert(missing.hash),
                _ => {}
            }
            checkpoint
                .doomed
                .extend(finding.file().map(ToOwned::to_owned));
        }
        Ok(AcceptPlan {
            findings: report.tampering().cloned().collect(),
            unsigned: report.unsigned().collect(),
            checkpoint,
        })
    }

    /// Which statements one can stand for.
    ///
    /// # Errors
    /// [`ErrorKind::Signature`] where the chain shows tampering, which is to be looked at first; [`ErrorKind::Invalid`]
    /// without a signer.
    pub async fn plan_compact(
        &self,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<CompactPlan> {
        let verified = self.verified_by_signer(progress, cancel).await?;
        refuse_tampering(&verified)?;
        let checkpoint = Checkpoint::of(&verified);
        Ok(CompactPlan {
            statements: verified.report.statements,
            files: checkpoint.doomed.len() as u64,
            checkpoint,
        })
    }

    async fn verified_by_signer(
        &self,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Verified> {
        self.require_own_folders(OwnFolder::Signatures)?;
        let signer = self.required_signer()?;
        let options = SignatureOptions {
            keys: signer.keys().to_vec(),
            remembered: signer.remembered().to_vec(),
        };
        self.read_signatures(&options, progress, cancel).await
    }

    fn required_signer(&self) -> Result<&Signer> {
        let message = "this needs a key that signs";
        self.signer()
            .ok_or_else(|| Error::new(ErrorKind::Invalid, message))
    }

    async fn present_snapshots(&self) -> Result<BTreeSet<Id>> {
        let files = self.list(FileKind::Snapshot).await?;
        Ok(files.into_iter().map(|file| file.id).collect())
    }
}

fn refuse_tampering(verified: &Verified) -> Result<()> {
    let number = verified.report.tampering().count();
    match verified.report.tampering().next() {
        None => Ok(()),
        Some(finding) => {
            let others = match number {
                1 => String::new(),
                _ => format!(" (and {} more)", number.saturating_sub(1)),
            };
            let message = format!("{}{others}", finding.message);
            Err(Error::new(ErrorKind::Signature, message))
        }
    }
}

impl SignPlan {
    /// Signs the snapshots of the plan. `lock` is at least shared.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`], with nothing signed, if one of them is gone; [`ErrorKind::LockLost`]; the storage's.
    pub async fn execute(&self, repository: &Repository, lock: &Lock) -> Result<()> {
        let present = repository.present_snapshots().await?;
        if !self.snapshots.is_subset(&present) {
            return Err(out_of_date());
        }
        lock.verify().await?;
        let signer = repository.required_signer()?;
        repository
            .state_published(signer, self.snapshots.clone(), lock)
            .await
    }
}

impl AcceptPlan {
    /// Whether there is something to accept.
    pub fn is_nothing(&self) -> bool {
        self.findings.is_empty()
    }

    /// States that all is as it should be, under an exclusive lock.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`], with nothing changed, if the state is not the plan's any more; [`ErrorKind::LockLost`]; the
    /// storage's.
    pub async fn execute(&self, repository: &Repository, lock: &Lock) -> Result<()> {
        self.checkpoint.write(repository, lock).await?;
        repository.required_signer()?.accepted();
        Ok(())
    }
}

impl CompactPlan {
    /// Whether nothing would become shorter.
    pub fn is_nothing(&self) -> bool {
        self.statements < 2 && self.files < 2
    }

    /// Puts one statement in place of all, under an exclusive lock. The others are removed when it is stored.
    ///
    /// # Errors
    /// As [`AcceptPlan::execute`].
    pub async fn execute(&self, repository: &Repository, lock: &Lock) -> Result<()> {
        self.checkpoint.write(repository, lock).await
    }
}

impl Checkpoint {
    /// The present state of what is signed.
    fn of(verified: &Verified) -> Self {
        let Verified {
            chain,
            view,
            report,
        } = verified;
        let mut removed: BTreeSet<Id> = view.removed().collect();
        // Gone by whoever's hand.
        removed.extend(view.required());
        let announced = view.announced.iter();
        removed.extend(announced.flat_map(|(_, statement)| &statement.removed));
        removed.retain(|id| !report.present.contains(id) || view.is_removed(id));
        let mut replaced = view.replaced.clone();
        replaced.extend(chain.links.keys());
        let ours = chain.links.iter().map(|(hash, statement)| Link {
            generation: statement.generation,
            hash: *hash,
        });
        let announced = chain.announcements.keys().map(ToString::to_string);
        let doomed = ours.map(|link| link.to_string()).chain(announced);
        Self {
            heads: view.heads.clone(),
            present: report.present.clone(),
            published: report.signed.clone(),
            removed,
            replaced,
            doomed: doomed.collect(),
        }
    }

    /// Nothing is removed before the new statement was read back.
    async fn write(&self, repository: &Repository, lock: &Lock) -> Result<()> {
        let signer = repository.required_signer()?;
        let view = signer.view(repository).await?;
        let present = repository.present_snapshots().await?;
        if view.heads != self.heads || present != self.present {
            return Err(out_of_date());
        }
        lock.verify().await?;
        let mut statement = signer.statement(repository, &view, StatementKind::Checkpoint)?;
        statement.published = self.published.clone();
        statement.removed = self.removed.clone();
        statement.replaced = self.replaced.clone();
        let signed = signer.sign(statement);
        // One that nobody can read, for being too long, must not stand for those that can be.
        SignedStatement::decode(&signed.encode())?;
        let name = repository.store_statement(&signed).await?;
        signer.stated(name.link);
        let doomed = self.doomed.iter().filter(|file| **file != name.to_string());
        repository
            .delete_statements(doomed.cloned().collect())
            .await
    }
}

fn out_of_date() -> Error {
    let message = "the plan is out of date: the repository has changed since it was made";
    Error::new(ErrorKind::Refused, message)
}
