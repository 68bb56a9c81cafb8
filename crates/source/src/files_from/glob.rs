//! The files that a pattern stands for, with the meaning of Go's `filepath.Glob`.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use strongroom_repository::pattern::{Case, PatternList, clean};

use super::FilesFromError;

/// Paths that match, sorted within each folder. What cannot be read matches nothing.
pub(super) fn expand(pattern: &[u8], base: &Path) -> Result<Vec<Vec<u8>>, FilesFromError> {
    compile(pattern)?;
    if !has_meta(pattern) {
        let found = on_disk(base, pattern).symlink_metadata().is_ok();
        return Ok(Vec::from_iter(found.then(|| pattern.to_vec())));
    }
    let cut = pattern
        .iter()
        .rposition(|&byte| byte == b'/')
        .map_or(0, |at| at + 1);
    let (folder, name) = pattern.split_at(cut);
    let folder = match folder {
        b"" => b".",
        b"/" => folder,
        _ => folder.strip_suffix(b"/").unwrap_or(folder),
    };
    let name = compile(name)?;
    let folders = if has_meta(folder) {
        expand(folder, base)?
    } else {
        vec![folder.to_vec()]
    };
    let matches = folders
        .iter()
        .flat_map(|folder| matches_in(folder, &name, base));
    Ok(matches.collect())
}

fn has_meta(pattern: &[u8]) -> bool {
    pattern.iter().any(|byte| b"*?[\\".contains(byte))
}

/// A pattern of one component, or several just to see whether they are well formed. The slash in front keeps a `!` from
/// meaning anything.
fn compile(pattern: &[u8]) -> Result<PatternList, FilesFromError> {
    PatternList::parse([[b"/", pattern].concat()], Case::Sensitive)
        .map_err(|_| FilesFromError::Pattern(String::from_utf8_lossy(pattern).into_owned()))
}

fn matches_in(folder: &[u8], name: &PatternList, base: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(on_disk(base, folder)) else {
        return Vec::new();
    };
    let names = entries.flatten().map(|entry| entry.file_name().into_vec());
    let mut names: Vec<_> = names
        .filter(|found| name.is_match(&[b"/", found.as_slice()].concat()))
        .collect();
    names.sort_unstable();
    names
        .iter()
        .map(|name| clean(&[folder, name].join(&b'/')))
        .collect()
}

fn on_disk(base: &Path, path: &[u8]) -> PathBuf {
    base.join(OsStr::from_bytes(path))
}
