//! What parity a repository has, and what it is good for.

use std::collections::{HashMap, HashSet};

use strongroom_storage::Storage;

use super::existing::{Existing, UnreadableGroup};
use super::files::{Name, Present, name};
use crate::Result;
use crate::format::Id;
use crate::format::parity::ParityMemberKind;

/// The parity of a repository, by listings and descriptors.
#[derive(Debug, Clone, Default)]
pub struct ParityStatus {
    /// The percentage; `None` where there is no parity.
    pub percent: Option<u8>,
    /// Groups.
    pub groups: u64,
    /// Bytes of parity files, those that nothing needs any more included.
    pub parity_bytes: u64,
    /// Files that are there and in a group.
    pub files_protected: u64,
    /// Their bytes.
    pub bytes_protected: u64,
    /// Files that are there and in no group.
    pub files_unprotected: u64,
    /// Their bytes.
    pub bytes_unprotected: u64,
    /// The smallest number of further files that a group can lose.
    pub losses_min: u64,
    /// Groups with parity files that are missing or too short.
    pub groups_weakened: u64,
    /// Protected files that are gone or have another size, and nothing explains why.
    pub missing: Vec<(ParityMemberKind, Id)>,
    /// Descriptors that cannot be read.
    pub unreadable: Vec<UnreadableGroup>,
    /// Parity files that no descriptor names.
    pub files_unreferenced: u64,
}

/// Surveys the parity in a storage. Needs no password; changes nothing.
pub async fn status(storage: &dyn Storage) -> Result<ParityStatus> {
    let existing = Existing::load(storage).await?;
    let present = Present::survey(storage).await?;
    Ok(ParityStatus::of(&existing, &present))
}

impl ParityStatus {
    fn of(existing: &Existing, present: &Present) -> Self {
        let mut covered: HashMap<Name, u64> = HashMap::new();
        let mut missing: HashSet<Name> = HashSet::new();
        let mut status = Self {
            percent: existing.percent(),
            groups: existing.groups.len() as u64,
            parity_bytes: existing.files.values().sum(),
            unreadable: existing.unreadable.clone(),
            files_unreferenced: existing.unreferenced().len() as u64,
            losses_min: u64::MAX,
            ..Self::default()
        };
        for stored in &existing.groups {
            let mut gone = 0;
            for member in &stored.group.members {
                if present.sizes.get(&name(member)) == Some(&member.size_bytes) {
                    covered.insert(name(member), member.size_bytes);
                    continue;
                }
                gone += 1;
                if !member.removed {
                    missing.insert(name(member));
                }
            }
            let parts = stored.parts_present();
            status.groups_weakened += u64::from(parts < stored.group.parts());
            status.losses_min = status.losses_min.min(parts.saturating_sub(gone));
        }
        if existing.groups.is_empty() {
            status.losses_min = 0;
        }
        status.files_protected = covered.len() as u64;
        status.bytes_protected = covered.values().sum();
        let files = present.sizes.iter();
        for (_, size_bytes) in files.filter(|(name, _)| !covered.contains_key(*name)) {
            status.files_unprotected += 1;
            status.bytes_unprotected += size_bytes;
        }
        status.missing = missing
            .into_iter()
            .filter(|name| !covered.contains_key(name))
            .collect();
        status.missing.sort_unstable();
        status
    }
}
