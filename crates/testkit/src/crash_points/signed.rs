//! What signatures say where an operation was stopped, and after the next run of it.

use std::sync::Arc;

use strongroom_repository::format::{Id, Snapshot};
use strongroom_repository::lock::Access;
use strongroom_repository::own_files::OwnFolder;
use strongroom_repository::progress::Silent;
use strongroom_repository::signature::{
    Link, SignatureFinding, SignatureFindingKind, SignatureOptions, SignatureReport, Signer,
    SigningKey,
};
use strongroom_repository::{FileKind, Repository};
use strongroom_storage::{MemoryStorage, Storage, StoragePath};
use tokio_util::sync::CancellationToken;

use super::end::End;
use super::judge::Judge;
use super::survey::{self, Survey};
use crate::engine::{FakeClock, FakeHost};

/// Verifies as somebody does who has seen these heads before.
pub(super) async fn verify(
    repository: &Repository,
    key: &SigningKey,
    remembered: &[Link],
) -> SignatureReport {
    let options = SignatureOptions {
        keys: vec![key.verifying_key()],
        remembered: remembered.to_vec(),
    };
    let cancel = CancellationToken::new();
    repository
        .verify_signatures(&options, &Silent, &cancel)
        .await
        .unwrap()
}

impl Judge<'_> {
    /// Every snapshot is one that a run may restore which demands signatures, and nobody is called a thief. `reported` is
    /// whether the stopped operation said that all was well.
    pub fn signatures(
        &self,
        survey: &Survey,
        end: End,
        hit: Option<&StoragePath>,
        reported: bool,
        at_end: bool,
    ) {
        let Some(report) = &survey.signatures else {
            return;
        };
        let when = &self.when;
        for finding in &report.findings {
            let may_be = match end {
                // Half of a file is told for what it is.
                End::Torn => is_file(finding, hit),
                End::Short | End::Lost => {
                    let is_unheard = is_unsigned(finding) && is_announcement(hit) && !reported;
                    is_file(finding, hit) || is_unheard
                }
                _ => false,
            };
            // What the operation is to mend may not be mended yet.
            let was_there = !at_end && self.had_before(finding);
            assert!(
                may_be || was_there,
                "{when}, at the end {at_end}: {finding:?}"
            );
        }
        if at_end && !end.is_lie() {
            assert_eq!(report.signed, report.present, "{when}");
        }
    }

    fn had_before(&self, finding: &SignatureFinding) -> bool {
        let before = self.before.signatures.as_ref();
        before.is_some_and(|report| report.findings.contains(finding))
    }

    /// The next run that signs goes on with the chain, whatever the stopped one left: `left` is changed.
    pub async fn chain_goes_on(&self, left: &MemoryStorage, key: &SigningKey, survey: &Survey) {
        let (when, before) = (&self.when, survey.signatures.as_ref());
        let before = before.unwrap_or_else(|| panic!("{when}: nobody looked at the signatures"));
        remove_locks(left).await;
        let plain = survey::open(left, self.passwords).await.unwrap().0;
        let signer = Signer::new(
            key.clone(),
            Vec::new(),
            before.heads.clone(),
            FakeClock::new(),
        );
        let repository = plain.with_signer(Arc::new(signer));
        let cancel = CancellationToken::new();
        let locks = FakeHost::new("testhost", 7).lock_options(&FakeClock::new());
        let lock = repository.lock(Access::Exclusive, &locks, &cancel).await;
        let lock = lock.unwrap();
        if !before.findings.is_empty() {
            // What a person does who has looked at it.
            let plan = repository.plan_accept(&Silent, &cancel).await.unwrap();
            plan.execute(&repository, &lock).await.unwrap();
            let plan = repository.plan_sign(&[], &Silent, &cancel).await.unwrap();
            plan.execute(&repository, &lock).await.unwrap();
        }
        let next = repository.publish_snapshot(&another(), &lock).await;
        let next = next.unwrap_or_else(|error| panic!("{when}, and the next: {error}"));
        lock.release().await.unwrap();
        let report = verify(&repository, key, &before.heads).await;
        assert_eq!(report.findings, [], "{when}, and the next");
        assert!(report.signed.contains(&next), "{when}, and the next");
        assert_eq!(report.heads.len(), 1, "{when}: {:?}", report.heads);
        let files = repository.list_own(OwnFolder::Signatures).await.unwrap();
        let left_over = files
            .iter()
            .find(|file| file.name.starts_with("announced-"));
        assert!(left_over.is_none(), "{when}: {left_over:?}");
    }
}

/// Whether it is about a file among the signatures, and that one.
fn is_file(finding: &SignatureFinding, hit: Option<&StoragePath>) -> bool {
    let file = finding.file();
    file.is_some() && file == hit.map(StoragePath::file_name)
}

fn is_unsigned(finding: &SignatureFinding) -> bool {
    matches!(finding.kind, SignatureFindingKind::Unsigned { .. })
}

fn is_announcement(hit: Option<&StoragePath>) -> bool {
    hit.is_some_and(|path| path.file_name().starts_with("announced-"))
}

async fn remove_locks(storage: &MemoryStorage) {
    let folder = StoragePath::new(FileKind::Lock.folder()).unwrap();
    for file in storage.list(Some(&folder)).await.unwrap() {
        storage.delete(&file.path).await.unwrap();
    }
}

/// A snapshot of nothing: what it names is no matter here.
fn another() -> Snapshot {
    Snapshot {
        time: "2027-01-01T00:00:00Z".parse().unwrap(),
        parent: None,
        tree: Id::of(b"tree"),
        paths: vec!["/another".into()],
        hostname: "testhost".into(),
        username: "tester".into(),
        uid: 0,
        gid: 0,
        excludes: Vec::new(),
        tags: Vec::new(),
        original: None,
        program_version: "test".into(),
        summary: None,
    }
}
