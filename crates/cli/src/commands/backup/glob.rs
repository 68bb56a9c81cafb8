//! Patterns of `--files-from`, expanded to the paths that exist.
//!
//! As in restic, a pattern is expanded a component at a time, so `*` and `?` never cross a `/`, and names that begin with
//! a dot match like others.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use strongroom_repository::pattern::{Case, PatternList};

use crate::error::{Error, Result};

/// Whether a text is a pattern and not a plain path.
pub fn is_pattern(text: &[u8]) -> bool {
    text.iter().any(|byte| b"*?[\\".contains(byte))
}

/// The paths that match, in the order of their names. Relative ones are relative to `root` and stay relative.
pub fn expand(pattern: &[u8], root: &Path) -> Result<Vec<Vec<u8>>> {
    let start: &[u8] = if pattern.starts_with(b"/") { b"/" } else { b"" };
    let mut found = vec![start.to_vec()];
    for component in pattern.split(|byte| *byte == b'/') {
        if component.is_empty() {
            continue;
        }
        found = match is_pattern(component) {
            false => found
                .iter()
                .map(|folder| join(folder, component))
                .filter(|path| {
                    root.join(OsStr::from_bytes(path))
                        .symlink_metadata()
                        .is_ok()
                })
                .collect(),
            true => matching(&found, component, root)?,
        };
    }
    found.retain(|path| path != start);
    Ok(found)
}

fn matching(folders: &[Vec<u8>], component: &[u8], root: &Path) -> Result<Vec<Vec<u8>>> {
    // Anchored, so that `!` and `**` have no meaning of their own.
    let anchored = [b"/", component].concat();
    let list = PatternList::parse([&anchored], Case::Sensitive)?;
    let mut found = Vec::new();
    for folder in folders {
        // What is no directory has nothing that could match.
        let Ok(entries) = std::fs::read_dir(root.join(OsStr::from_bytes(folder))) else {
            continue;
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| {
                Error::file(&e, format!("list {}", String::from_utf8_lossy(folder)))
            })?;
            names.push(entry.file_name().into_vec());
        }
        names.retain(|name| list.is_match(&[b"/", name.as_slice()].concat()));
        names.sort_unstable();
        found.extend(names.iter().map(|name| join(folder, name)));
    }
    Ok(found)
}

fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    match folder {
        b"" => name.to_vec(),
        b"/" => [b"/", name].concat(),
        _ => [folder, b"/", name].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::expand;

    /// A pattern that means less than in restic leaves files out of the backup without a word.
    #[test]
    fn components_match_one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        for file in ["a/x.conf", "a/.y.conf", "b/x.conf", "b/c/x.conf", "b/[z]"] {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"").unwrap();
        }
        let found = |pattern: &str| {
            let found = expand(pattern.as_bytes(), dir.path()).unwrap();
            let text = |path: Vec<u8>| String::from_utf8(path).unwrap();
            found.into_iter().map(text).collect::<Vec<_>>()
        };
        assert_eq!(found("*/*.conf"), ["a/.y.conf", "a/x.conf", "b/x.conf"]);
        assert_eq!(found("?/c/*"), ["b/c/x.conf"]);
        assert_eq!(found("[ab]"), ["a", "b"]);
        assert_eq!(found("b/\\[z\\]"), ["b/[z]"]);
        assert_eq!(found("**/x.conf"), ["a/x.conf", "b/x.conf"]);
        assert!(found("nothing/*").is_empty());
        let absolute = format!("{}/a/*.conf", dir.path().display());
        assert_eq!(found(&absolute).len(), 2);
    }
}
