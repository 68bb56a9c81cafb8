//! What a user can ask of a restore.

use std::fmt;
use std::sync::Arc;

/// Whose an entry shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OwnerPolicy {
    /// The user and group of the snapshot by their numbers.
    #[default]
    Id,
    /// The user and group of the snapshot by their names; by their numbers where this machine does not know the name.
    Name,
    /// Whoever runs the restore.
    None,
    /// These numbers for every entry.
    Fixed {
        /// The user; `None` for the one of the snapshot.
        uid: Option<u32>,
        /// The group; `None` for the one of the snapshot.
        gid: Option<u32>,
    },
}

/// Which times an entry shall have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimePolicy {
    /// Those of the snapshot.
    #[default]
    Snapshot,
    /// Those of the restore.
    Now,
}

/// Chooses extended attributes by their name.
#[derive(Clone, Default)]
pub struct AttributeFilter(Option<Arc<AttributeTest>>);

type AttributeTest = dyn Fn(&str) -> bool + Send + Sync;

impl AttributeFilter {
    /// Every attribute.
    pub fn all() -> Self {
        Self(None)
    }

    /// Those that the function says yes to.
    pub fn new(selected: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(selected)))
    }

    /// Whether an attribute is restored (or, where the snapshot does not have it, removed).
    pub fn selects(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|test| test(name))
    }
}

impl fmt::Debug for AttributeFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "some" } else { "all" })
    }
}

/// Which attributes of an entry are restored.
#[derive(Debug, Clone, Default)]
pub struct Attributes {
    /// Owner and group.
    pub owner: OwnerPolicy,
    /// Access and modification time.
    pub times: TimePolicy,
    /// Extended attributes and ACLs.
    pub extended: AttributeFilter,
}
