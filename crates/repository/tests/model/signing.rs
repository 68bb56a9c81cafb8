//! Machines that sign, beside others that do not.

use strongroom_repository::format::Id;
use strongroom_repository::lock::Lock;
use strongroom_repository::progress::Silent;
use strongroom_repository::signature::{
    Link, SignatureFindingKind as Kind, SignatureOptions, SignatureReport, SigningKey,
};
use strongroom_repository::{Repository, Result};
use tokio_util::sync::CancellationToken;

use crate::actions::Job;
use crate::expected::Expected;

/// Verifies as a machine does that has seen these heads of the chain.
pub async fn verify(
    repository: &Repository,
    key: &SigningKey,
    remembered: &[Link],
) -> Result<SignatureReport> {
    let options = SignatureOptions {
        keys: vec![key.verifying_key()],
        remembered: remembered.to_vec(),
    };
    let cancel = CancellationToken::new();
    repository
        .verify_signatures(&options, &Silent, &cancel)
        .await
}

impl Job {
    /// A machine that signs said that it has published these: they are accepted from now on.
    pub fn signed(&self, ids: impl IntoIterator<Item = Id>) {
        if self.process.machine.signing.is_some() {
            let mut expected = self.expected.lock().unwrap();
            expected.signed(self.repository, ids);
        }
    }

    /// Without a key nobody can say that they removed these, or brought them back.
    pub fn touch(&self, ids: impl IntoIterator<Item = Id>) {
        if self.process.machine.signing.is_none() {
            let mut expected = self.expected.lock().unwrap();
            expected.touched(self.repository, ids);
        }
    }

    pub async fn compact(&self, lock: &Lock) -> Result<()> {
        let (repository, cancel) = (self.repository(), CancellationToken::new());
        if self.process.machine.signing.is_none() {
            return Ok(());
        }
        let plan = repository.plan_compact(&Silent, &cancel).await?;
        plan.execute(repository, lock).await
    }
}

impl Expected {
    /// What a verification says that is not so. `all_sign` is whether no machine is without a key.
    pub fn signatures(
        &self,
        repository: usize,
        report: &SignatureReport,
        all_sign: bool,
    ) -> Option<String> {
        let is_touched = |id: &Id| self.is_touched(repository, id);
        for finding in &report.findings {
            let may_be = match &finding.kind {
                Kind::Gone { snapshot } | Kind::Back { snapshot } => is_touched(snapshot),
                Kind::Unsigned { snapshot } => {
                    !all_sign && (is_touched(snapshot) || !self.is_signed(repository, snapshot))
                }
                _ => false,
            };
            if !may_be {
                return Some(format!("signatures: {finding:?}"));
            }
        }
        None
    }
}
