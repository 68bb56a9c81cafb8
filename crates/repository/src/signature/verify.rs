//! Verifying the signatures of a repository.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use tokio_util::sync::CancellationToken;

use super::chain::{self, Chain, Memory};
use super::finding::{SignatureFinding, SignatureFindingKind as Kind};
use super::key::VerifyingKey;
use super::view::{View, Vouch};
use crate::check::Severity;
use crate::file_kind::FileKind;
use crate::format::{Id, Link};
use crate::own_files::OwnFolder;
use crate::progress::{Phase, Progress};
use crate::repository::Repository;
use crate::{Error, Result};

/// With what to verify.
#[derive(Debug, Clone, Default)]
pub struct SignatureOptions {
    /// Keys whose statements are believed.
    pub keys: Vec<VerifyingKey>,
    /// Heads of the chain that were seen before.
    pub remembered: Vec<Link>,
}

/// What a verification found.
#[derive(Debug, Clone, Default)]
pub struct SignatureReport {
    /// What is wrong or unsigned.
    pub findings: Vec<SignatureFinding>,
    /// Snapshots that are there, and that a key's holder has published.
    pub signed: BTreeSet<Id>,
    /// Who vouches for each of these.
    pub vouches: BTreeMap<Id, Vouch>,
    /// All snapshots that are there.
    pub present: BTreeSet<Id>,
    /// Heads of the chain, to be remembered.
    pub heads: Vec<Link>,
    /// Statements that count.
    pub statements: u64,
}

/// What was read, and what it means.
pub(super) struct Verified {
    pub chain: Chain,
    pub view: View,
    pub report: SignatureReport,
}

/// How often all is read anew because others wrote meanwhile. After that the findings may show their work.
const ATTEMPTS: u32 = 5;

impl SignatureReport {
    /// Findings that show the work of somebody without a key.
    pub fn tampering(&self) -> impl Iterator<Item = &SignatureFinding> {
        let is_error = |finding: &&SignatureFinding| finding.severity() == Severity::Error;
        self.findings.iter().filter(is_error)
    }

    /// Snapshots that nobody has signed.
    pub fn unsigned(&self) -> impl Iterator<Item = Id> {
        let unsigned = |finding: &SignatureFinding| match finding.kind {
            Kind::Unsigned { snapshot } => Some(snapshot),
            _ => None,
        };
        self.findings.iter().filter_map(unsigned)
    }
}

impl Repository {
    /// Verifies who published and removed the snapshots of this repository. The caller holds a lock of
    /// [`crate::lock::Access::Read`]. What a snapshot's file holds is compared with its name when it is read.
    ///
    /// What is wrong is no error but the content of the report.
    ///
    /// # Errors
    /// The storage's; [`ErrorKind::Signature`](crate::ErrorKind::Signature) for more statements than can be read;
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled).
    pub async fn verify_signatures(
        &self,
        options: &SignatureOptions,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<SignatureReport> {
        let verified = self.read_signatures(options, progress, cancel).await?;
        Ok(verified.report)
    }

    pub(super) async fn read_signatures(
        &self,
        options: &SignatureOptions,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Verified> {
        progress.begin(Phase::VerifySignatures);
        let mut memory = Memory::new();
        let mut left = ATTEMPTS;
        loop {
            left = left.saturating_sub(1);
            let chain = chain::load(self, &options.keys, &mut memory, cancel).await?;
            let snapshots = self.list(FileKind::Snapshot).await?;
            let after = self.list_own(OwnFolder::Signatures).await?;
            let after: BTreeSet<String> = after.into_iter().map(|file| file.name).collect();
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            if after != chain.files && left > 0 {
                continue;
            }
            let present: HashSet<Id> = snapshots.into_iter().map(|file| file.id).collect();
            let view = View::of(&chain);
            let report = judge(&chain, &view, &present, options);
            return Ok(Verified {
                chain,
                view,
                report,
            });
        }
    }
}

fn judge(
    chain: &Chain,
    view: &View,
    present: &HashSet<Id>,
    options: &SignatureOptions,
) -> SignatureReport {
    let mut findings = chain.findings.clone();
    findings.extend(strangers(chain));
    for (statement, missing) in &view.gaps {
        let (statement, missing) = (*statement, *missing);
        let message = format!(
            "a statement is missing: number {} follows on {}, which is not there",
            statement.generation,
            missing.short()
        );
        findings.push(SignatureFinding::new(
            Kind::Gap { statement, missing },
            message,
        ));
    }
    let forgotten = options.remembered.iter().filter(|link| !view.knows(link));
    findings.extend(forgotten.map(rolled_back));
    let gone = view.required().filter(|id| !present.contains(id));
    findings.extend(gone.map(|snapshot| {
        let message = format!(
            "snapshot {} was published and is gone, and nobody with a key has removed it",
            snapshot.short()
        );
        SignatureFinding::new(Kind::Gone { snapshot }, message)
    }));
    let (signed, others): (BTreeSet<Id>, BTreeSet<Id>) =
        present.iter().partition(|id| view.is_signed(id));
    let vouch = |id: &Id| Some((*id, view.vouch(id)?));
    let vouches = signed.iter().filter_map(vouch).collect();
    findings.extend(others.into_iter().map(|id| unsigned(id, view)));
    // The worse ones first.
    findings.sort_by_cached_key(|finding| {
        let is_hint = finding.severity() == Severity::Hint;
        (is_hint, finding.word(), finding.message.clone())
    });
    SignatureReport {
        findings,
        signed,
        vouches,
        present: present.iter().copied().collect(),
        heads: view.heads.iter().copied().collect(),
        statements: view.links.len() as u64,
    }
}

fn strangers(chain: &Chain) -> Vec<SignatureFinding> {
    if chain.unknown_keys.is_empty() {
        return Vec::new();
    }
    if chain.links.is_empty() && chain.announcements.is_empty() {
        let message = "there are signatures, and none was made with a key that was given";
        return vec![SignatureFinding::new(Kind::NoKnownKey, message)];
    }
    let one = |key: &Id| {
        let message = format!(
            "there are signatures of a key that was not given: {}",
            key.short()
        );
        SignatureFinding::new(Kind::UnknownKey { key: *key }, message)
    };
    chain.unknown_keys.iter().map(one).collect()
}

fn rolled_back(missing: &Link) -> SignatureFinding {
    let message = format!(
        "the repository was put back to an earlier state, or is a copy that went another way: \
         statement number {} ({}), seen here before, is missing",
        missing.generation,
        missing.hash.short()
    );
    SignatureFinding::new(Kind::RolledBack { missing: *missing }, message)
}

fn unsigned(snapshot: Id, view: &View) -> SignatureFinding {
    let short = snapshot.short();
    if view.is_removed(&snapshot) {
        let message = format!("snapshot {short} was removed, and is there again");
        return SignatureFinding::new(Kind::Back { snapshot }, message);
    }
    let message = format!("snapshot {short} is not signed");
    SignatureFinding::new(Kind::Unsigned { snapshot }, message)
}
