//! Where in a snapshot the paths end up that the user named.
//!
//! The rules are restic's (`internal/archiver/tree.go`), since parents, deduplication of trees and `SNAPSHOT:PATH`
//! depend on them: a path keeps its components as they were written, cleaned; `..` is dropped; a path that names
//! nothing but folders above (`.`, `..`, `/`) stands for its entries; two top names from different folders are told
//! apart by a number (`a`, `a-1`). A folder that is only passed through has the metadata of the folder on disk. Where
//! one path lies in another, the outer one is unrolled into its entries.

use std::collections::{BTreeMap, HashSet};

use strongroom_repository::pattern::clean;

use crate::files::FilesError;
use crate::files::path::join;

/// A folder or a leaf of the layout.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Branch {
    /// What lies below, by its name in the snapshot.
    pub children: BTreeMap<Vec<u8>, Branch>,
    /// The path whose entry belongs here; a leaf has one.
    pub target: Option<Vec<u8>>,
    /// The folder on disk that the metadata comes from where only a part of it is backed up.
    pub folder: Vec<u8>,
    /// The folder that a top entry lies in, to tell apart equal names.
    origin: Vec<u8>,
}

/// The names in a directory.
pub(super) type List<'a> = &'a dyn Fn(&[u8]) -> Result<Vec<Vec<u8>>, FilesError>;

/// The parts of a path that have a name in the snapshot.
fn components(path: &[u8]) -> Vec<Vec<u8>> {
    join(b"/", path)
        .split(|&byte| byte == b'/')
        .filter(|part| !part.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

/// The folder that the first component of a clean path lies in.
fn origin(path: &[u8]) -> Vec<u8> {
    if path.first() == Some(&b'/') {
        return b"/".to_vec();
    }
    let above: Vec<&[u8]> = path
        .split(|&byte| byte == b'/')
        .filter(|part| *part == b"..")
        .collect();
    clean(&above.join(&b'/'))
}

/// Lays out some paths; `list` is asked for the entries of paths without a component and of paths that others lie in.
pub(super) fn lay_out(paths: &[Vec<u8>], list: List<'_>) -> Result<Branch, FilesError> {
    let mut top = Branch::default();
    let mut seen = HashSet::new();
    for path in paths {
        let path = clean(path);
        if !components(&path).is_empty() {
            if seen.insert(path.clone()) {
                top.add(path)?;
            }
            continue;
        }
        for name in list(&path)? {
            let entry = join(&path, &name);
            if seen.insert(entry.clone()) {
                top.add(entry)?;
            }
        }
    }
    top.unroll(list)?;
    Ok(top)
}

impl Branch {
    fn add(&mut self, path: Vec<u8>) -> Result<(), FilesError> {
        let components = components(&path);
        let Some((first, rest)) = components.split_first() else {
            return Err(FilesError::InvalidPath(path));
        };
        let origin = origin(&path);
        let top = self.top_entry(first, &origin);
        if rest.is_empty() {
            top.target = Some(path);
            return Ok(());
        }
        top.folder = join(&origin, first);
        top.add_below(rest, path)
    }

    /// The entry of this name from this folder, found or made; one from another folder gets a number.
    fn top_entry(&mut self, first: &[u8], origin: &[u8]) -> &mut Self {
        let mut name = first.to_vec();
        let mut number = 0_u64;
        while let Some(other) = self.children.get(&name) {
            number += 1;
            if other.origin == origin {
                break;
            }
            name = [first, format!("-{number}").as_bytes()].concat();
        }
        self.children.entry(name).or_insert_with(|| Self {
            origin: origin.to_vec(),
            ..Self::default()
        })
    }

    fn add_below(&mut self, components: &[Vec<u8>], path: Vec<u8>) -> Result<(), FilesError> {
        let mut branch = self;
        let Some((last, between)) = components.split_last() else {
            return Err(FilesError::InvalidPath(path));
        };
        for name in between {
            let folder = join(&branch.folder, name);
            branch = branch.children.entry(name.clone()).or_default();
            branch.folder = folder;
        }
        let leaf = branch.children.entry(last.clone()).or_default();
        if leaf.target.is_some() {
            return Err(FilesError::Collision(path));
        }
        leaf.target = Some(path);
        Ok(())
    }

    /// Replaces every target that others lie in by its entries.
    fn unroll(&mut self, list: List<'_>) -> Result<(), FilesError> {
        let mut pending = vec![self];
        while let Some(branch) = pending.pop() {
            if !branch.children.is_empty()
                && let Some(target) = branch.target.take()
            {
                branch.unroll_target(&target, list)?;
            }
            pending.extend(branch.children.values_mut());
        }
        Ok(())
    }

    fn unroll_target(&mut self, target: &[u8], list: List<'_>) -> Result<(), FilesError> {
        for name in list(target)? {
            let path = join(target, &name);
            let entry = self.children.entry(name).or_default();
            match &entry.target {
                None => entry.target = Some(path),
                Some(known) if *known == path => {}
                Some(_) => return Err(FilesError::Collision(path)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(branch: &Branch, above: &str, lines: &mut Vec<String>) {
        for (name, child) in &branch.children {
            let path = format!("{above}/{}", String::from_utf8_lossy(name));
            let from = child.target.as_ref().unwrap_or(&child.folder);
            lines.push(format!("{path} {}", String::from_utf8_lossy(from)));
            shown(child, &path, lines);
        }
    }

    fn laid_out(paths: &[&str]) -> Vec<String> {
        let list = |folder: &[u8]| {
            Ok(match folder {
                b"." | b"/w" => vec![b"a".to_vec(), b"b".to_vec()],
                b"a" | b"/w/a" => vec![b"x".to_vec(), b"y".to_vec()],
                _ => vec![b"z".to_vec()],
            })
        };
        let paths: Vec<_> = paths.iter().map(|path| path.as_bytes().to_vec()).collect();
        let mut lines = Vec::new();
        shown(&lay_out(&paths, &list).unwrap(), "", &mut lines);
        lines
    }

    #[test]
    fn absolute_paths_keep_the_folders_above_and_relative_ones_what_was_written() {
        assert_eq!(
            laid_out(&["/w/a/x", "a/../b/"]),
            ["/b b", "/w /w", "/w/a /w/a", "/w/a/x /w/a/x"]
        );
    }

    #[test]
    fn what_names_no_entry_stands_for_its_entries() {
        assert_eq!(laid_out(&["."]), ["/a a", "/b b"]);
        assert_eq!(laid_out(&[".."]), ["/z ../z"]);
    }

    #[test]
    fn equal_names_from_different_folders_get_a_number() {
        assert_eq!(
            laid_out(&["a", "../a", "../../a"]),
            ["/a a", "/a-1 ../a", "/a-2 ../../a"]
        );
        assert_eq!(
            laid_out(&["../a/x", "../a/y"]),
            ["/a ../a", "/a/x ../a/x", "/a/y ../a/y"]
        );
    }

    #[test]
    fn a_path_that_others_lie_in_is_unrolled_in_either_order() {
        let expected = ["/a a", "/a/x a/x", "/a/x/z a/x/z", "/a/y a/y"];
        assert_eq!(laid_out(&["a", "a/x/z"]), expected);
        assert_eq!(laid_out(&["a/x/z", "a"]), expected);
    }
}
