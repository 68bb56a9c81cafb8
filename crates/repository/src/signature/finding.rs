//! What a verification can find.

use crate::check::Severity;
use crate::format::{Id, Link};

/// Something that a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureFinding {
    /// What, and which snapshot or statement.
    pub kind: SignatureFindingKind,
    /// In words: one line.
    pub message: String,
}

/// What was found, and where.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureFindingKind {
    /// No statement speaks of a snapshot that is there.
    Unsigned {
        /// The snapshot.
        snapshot: Id,
    },
    /// A snapshot was published, no statement removes it, and it is gone.
    Gone {
        /// The snapshot.
        snapshot: Id,
    },
    /// A snapshot that was removed is there again.
    Back {
        /// The snapshot.
        snapshot: Id,
    },
    /// A file is no statement, or not the one that its name says.
    Unreadable {
        /// Its name in the folder of signatures.
        file: String,
    },
    /// A statement's signature does not hold.
    WrongSignature {
        /// Its name in the folder of signatures.
        file: String,
    },
    /// A statement was made for another repository.
    OtherRepository {
        /// Its name in the folder of signatures.
        file: String,
        /// The repository that it was made for.
        repository: Id,
    },
    /// Statements are signed with a key that was not given, beside others that are.
    UnknownKey {
        /// The key.
        key: Id,
    },
    /// There are statements, and none is signed with a key that was given.
    NoKnownKey,
    /// A statement follows on one that is missing.
    Gap {
        /// The statement.
        statement: Link,
        /// The one before it.
        missing: Id,
    },
    /// A statement that was seen before is missing: this is an older state, or another line of it.
    RolledBack {
        /// The statement.
        missing: Link,
    },
}

impl SignatureFinding {
    pub(super) fn new(kind: SignatureFindingKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// [`Severity::Error`] for what somebody without a key has done, [`Severity::Hint`] for what nobody has signed.
    pub fn severity(&self) -> Severity {
        match self.kind {
            SignatureFindingKind::Unsigned { .. } | SignatureFindingKind::UnknownKey { .. } => {
                Severity::Hint
            }
            _ => Severity::Error,
        }
    }

    /// Whether it says something of this snapshot, where `is_latest` tells that the snapshot was chosen for being the
    /// newest of several: then whatever may have hidden a newer one concerns it too.
    pub fn concerns(&self, id: &Id, is_latest: bool) -> bool {
        match &self.kind {
            SignatureFindingKind::Unsigned { snapshot }
            | SignatureFindingKind::Back { snapshot } => snapshot == id,
            SignatureFindingKind::UnknownKey { .. } => false,
            SignatureFindingKind::NoKnownKey => true,
            _ => is_latest,
        }
    }

    /// A word for programs.
    pub fn word(&self) -> &'static str {
        match self.kind {
            SignatureFindingKind::Unsigned { .. } => "unsigned",
            SignatureFindingKind::Gone { .. } => "gone",
            SignatureFindingKind::Back { .. } => "back",
            SignatureFindingKind::Unreadable { .. } => "unreadable",
            SignatureFindingKind::WrongSignature { .. } => "wrong_signature",
            SignatureFindingKind::OtherRepository { .. } => "other_repository",
            SignatureFindingKind::UnknownKey { .. } => "unknown_key",
            SignatureFindingKind::NoKnownKey => "no_known_key",
            SignatureFindingKind::Gap { .. } => "gap",
            SignatureFindingKind::RolledBack { .. } => "rolled_back",
        }
    }

    /// The snapshot that it is about, where it is one.
    pub fn snapshot(&self) -> Option<Id> {
        match self.kind {
            SignatureFindingKind::Unsigned { snapshot }
            | SignatureFindingKind::Gone { snapshot }
            | SignatureFindingKind::Back { snapshot } => Some(snapshot),
            _ => None,
        }
    }

    /// The file that it is about, where it is one.
    pub fn file(&self) -> Option<&str> {
        match &self.kind {
            SignatureFindingKind::Unreadable { file }
            | SignatureFindingKind::WrongSignature { file }
            | SignatureFindingKind::OtherRepository { file, .. } => Some(file),
            _ => None,
        }
    }
}
