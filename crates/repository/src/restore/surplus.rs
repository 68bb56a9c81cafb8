//! What a restore with `delete` removes.

use crate::restore::plan::Deletion;
use crate::restore::problem::OrProblem;
use crate::restore::{Existing, ExistingKind, Problem, Selection, Target, TargetPath};

/// Everything below a directory of the target, contents before their directories, without the directory itself.
pub(super) struct Contents {
    pub deletions: Vec<Deletion>,
    /// Something in it is not covered by the selection and has to stay; so have the directories that lead to it.
    pub keeps_some: bool,
}

/// Lists everything below a directory.
pub(super) fn contents(
    target: &dyn Target,
    dir: &TargetPath,
    selection: &Selection,
) -> OrProblem<Contents> {
    let listing = target.list(dir).map_err(Problem::from)?;
    let entries = listing
        .entries
        .into_iter()
        .chain(listing.leftovers)
        .collect();
    collect(target, dir, entries, selection)
}

/// What is removed of the entries of a directory.
///
/// Not recursive, so that no depth is too much for it.
pub(super) fn collect(
    target: &dyn Target,
    dir: &TargetPath,
    entries: Vec<Existing>,
    selection: &Selection,
) -> OrProblem<Contents> {
    // Directories before what they hold; turned round at the end.
    let mut found: Vec<(Deletion, bool)> = Vec::new();
    let mut open: Vec<(TargetPath, Vec<Existing>)> = vec![(dir.clone(), entries)];
    while let Some((dir, entries)) = open.pop() {
        for entry in entries {
            let Ok(path) = dir.join(&entry.name) else {
                continue;
            };
            let selected = selection.judge(&path.absolute()).matched;
            let is_dir = entry.kind == ExistingKind::Dir;
            if is_dir && selected {
                let listing = target.list(&path).map_err(Problem::from)?;
                open.push((
                    path.clone(),
                    listing
                        .entries
                        .into_iter()
                        .chain(listing.leftovers)
                        .collect(),
                ));
            }
            let deletion = Deletion {
                path,
                dir: is_dir,
                first: false,
                leftover: false,
            };
            found.push((deletion, selected));
        }
    }
    Ok(without_kept(found))
}

/// Drops what is not selected and every directory that leads to it.
fn without_kept(found: Vec<(Deletion, bool)>) -> Contents {
    let mut kept_dirs = std::collections::HashSet::new();
    let mut deletions = Vec::with_capacity(found.len());
    let mut keeps_some = false;
    // Contents come after their directory in the list, so before it from the end.
    for (deletion, selected) in found.into_iter().rev() {
        let keep = !selected || (deletion.dir && kept_dirs.contains(&deletion.path));
        if keep {
            keeps_some = true;
            if let Some((parent, _)) = deletion.path.split() {
                kept_dirs.insert(parent);
            }
        } else {
            deletions.push(deletion);
        }
    }
    Contents {
        deletions,
        keeps_some,
    }
}
