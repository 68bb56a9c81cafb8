//! What becomes of each pack. The rules and their order are restic's, so that both programs leave the same behind.

use super::figures::PruneFigures;
use super::options::PruneOptions;
use super::select::PackUse;
use crate::format::{Id, RepositoryVersion};
use crate::repository::Repository;
use crate::{Error, Result};

/// What becomes of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Action {
    /// It stays.
    #[default]
    Keep,
    /// What is used of it is moved to another pack; then it is removed.
    Repack,
    /// It is removed.
    Remove,
    /// It is gone, and the index forgets it.
    Forget,
}

impl Action {
    /// Whether index files must not name it any more.
    pub fn leaves_index(self) -> bool {
        self != Self::Keep
    }
}

/// Fewer small packs than this are not worth the trouble, and one that is alone would be rewritten for ever.
const SMALL_PACKS_MIN: usize = 10;

/// A pack that may be rewritten.
struct Candidate {
    number: usize,
    id: Id,
    pack: PackUse,
    must_compress: bool,
}

impl Candidate {
    fn is_data(&self) -> bool {
        self.pack.shape.has_data && !self.pack.shape.has_trees
    }
}

/// Decides for every pack, by its number.
///
/// # Errors
/// [`crate::ErrorKind::Damaged`] if a pack that is needed is missing or is not as long as the index says.
pub(super) fn decide(
    repository: &Repository,
    ids: &[Id],
    packs: &[PackUse],
    options: &PruneOptions,
    figures: &mut PruneFigures,
) -> Result<Vec<Action>> {
    refuse_damage(ids, packs)?;
    let compresses = repository.config().version >= RepositoryVersion::V2;
    let small_bytes = small_bytes(repository, options);
    let mut actions = vec![Action::Keep; packs.len()];
    let (mut candidates, mut small) = (Vec::new(), Vec::new());
    for (number, ((id, pack), action)) in ids.iter().zip(packs).zip(&mut actions).enumerate() {
        count(pack, figures);
        let mixed = pack.shape.has_data && pack.shape.has_trees;
        let is_data = pack.shape.has_data && !mixed;
        let must_compress = compresses
            && pack.shape.has_uncompressed
            && ((!is_data && !mixed) || options.repack_uncompressed);
        let candidate = Candidate {
            number,
            id: *id,
            pack: *pack,
            must_compress,
        };
        if pack.used_blobs == 0 {
            *action = if pack.exists {
                Action::Remove
            } else {
                Action::Forget
            };
            figures.remove.add(pack.unused_blobs, pack.unused_bytes);
        } else if options.repack_cacheable_only && is_data {
            // Stays.
        } else if pack.unused_blobs > 0 || mixed || must_compress {
            candidates.push(candidate);
        } else if pack.size_bytes() < small_bytes {
            small.push(candidate);
        }
    }
    if small.len() >= SMALL_PACKS_MIN {
        candidates.append(&mut small);
    }
    sort(&mut candidates, small_bytes);
    let limit = options.max_unused.limit_bytes(figures.used.bytes);
    for candidate in &candidates {
        if is_worth_it(candidate, options, figures, limit, small_bytes) {
            if let Some(action) = actions.get_mut(candidate.number) {
                *action = Action::Repack;
            }
            note_repack(&candidate.pack, figures);
        }
    }
    count_actions(&actions, figures);
    if !compresses {
        figures.uncompressed_bytes = 0;
    }
    Ok(actions)
}

fn refuse_damage(ids: &[Id], packs: &[PackUse]) -> Result<()> {
    let mut bad = ids
        .iter()
        .zip(packs)
        .filter(|(_, pack)| pack.used_blobs > 0 && !pack.is_whole);
    let Some((id, pack)) = bad.next() else {
        return Ok(());
    };
    let what = if pack.exists {
        "does not have the length that the index says"
    } else {
        "is missing"
    };
    let more = match bad.count() {
        0 => String::new(),
        more => format!(" and {more} more packs are damaged"),
    };
    Err(Error::damaged(format!(
        "pack {id}, which snapshots need, {what}{more}; nothing is removed"
    )))
}

fn small_bytes(repository: &Repository, options: &PruneOptions) -> u64 {
    let pack_size = u64::from(repository.settings().pack_size_bytes);
    match options.repack_smaller_than_bytes {
        Some(bytes) if bytes > 0 => bytes,
        _ if options.repack_small => pack_size / 5 * 4,
        // Very small packs are always worth it.
        _ => pack_size / 25,
    }
}

fn count(pack: &PackUse, figures: &mut PruneFigures) {
    if !pack.exists {
        return;
    }
    let counter = match (pack.used_blobs, pack.unused_blobs) {
        (0, _) => &mut figures.packs_unused,
        (_, 0) => &mut figures.packs_used,
        _ => &mut figures.packs_partly_used,
    };
    *counter = counter.saturating_add(1);
    if pack.shape.has_uncompressed {
        figures.uncompressed_bytes = figures.uncompressed_bytes.saturating_add(pack.size_bytes());
    }
}

/// Trees first, then small packs, then those with the largest share of unused data.
fn sort(candidates: &mut [Candidate], small_bytes: u64) {
    candidates.sort_by(|a, b| {
        let class = |c: &Candidate| (c.is_data(), c.pack.size_bytes() >= small_bytes);
        let unused = |x: &Candidate, y: &Candidate| {
            u128::from(x.pack.unused_bytes) * u128::from(y.pack.used_bytes)
        };
        class(a)
            .cmp(&class(b))
            .then_with(|| unused(b, a).cmp(&unused(a, b)))
            .then_with(|| a.id.cmp(&b.id))
    });
}

fn is_worth_it(
    candidate: &Candidate,
    options: &PruneOptions,
    figures: &PruneFigures,
    limit_bytes: u64,
    small_bytes: u64,
) -> bool {
    let size = candidate.pack.size_bytes();
    let repacked = figures.repack.bytes.saturating_add(size);
    if options.max_repack_bytes.is_some_and(|max| repacked >= max) {
        return false;
    }
    let enough = figures.unused_after().bytes < limit_bytes;
    !candidate.is_data() || candidate.must_compress || !enough || size < small_bytes
}

fn note_repack(pack: &PackUse, figures: &mut PruneFigures) {
    figures.repack.add(
        pack.used_blobs.saturating_add(pack.unused_blobs),
        pack.size_bytes(),
    );
    figures
        .repack_removes
        .add(pack.unused_blobs, pack.unused_bytes);
    if pack.shape.has_uncompressed {
        figures.uncompressed_bytes = figures.uncompressed_bytes.saturating_sub(pack.size_bytes());
    }
}

fn count_actions(actions: &[Action], figures: &mut PruneFigures) {
    let count = |wanted| actions.iter().filter(|action| **action == wanted).count() as u64;
    figures.packs_keep = count(Action::Keep);
    figures.packs_repack = count(Action::Repack);
    figures.packs_remove = count(Action::Remove);
    figures.packs_forget = count(Action::Forget);
}

#[cfg(test)]
mod tests;
