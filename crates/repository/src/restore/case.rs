//! Names that the target takes for those of other entries.

use std::collections::{HashMap, HashSet};

use crate::restore::{Listing, Target, TargetPath};

/// Those of some names that a directory of the target does not have and takes for one that it has: on a target that
/// ignores case. Asks the target only where two names differ in case.
pub(super) fn clashes(
    target: &dyn Target,
    dir: &TargetPath,
    names: &[&[u8]],
    listing: &Listing,
) -> HashSet<Vec<u8>> {
    if listing.entries.is_empty() {
        return HashSet::new();
    }
    let there: HashSet<&[u8]> = listing.entries.iter().map(|e| e.name.as_slice()).collect();
    let folded: HashMap<String, _> = listing
        .entries
        .iter()
        .map(|entry| (fold(&entry.name), entry))
        .collect();
    let missing = names.iter().copied().filter(|name| !there.contains(name));
    let clashes = missing.filter(|&name| {
        let other = folded.get(&fold(name));
        let Some((other, path)) = other.and_then(|other| Some((other, dir.join(name).ok()?)))
        else {
            return false;
        };
        // What cannot be asked is found out when it is created, without harm.
        let taken_for = target.look(&path).ok().flatten();
        taken_for.is_some_and(|entry| entry.file_id == other.file_id)
    });
    clashes.map(<[u8]>::to_vec).collect()
}

/// Finds candidates alone, so it need not be the folding of the target.
fn fold(name: &[u8]) -> String {
    String::from_utf8_lossy(name).to_lowercase()
}
