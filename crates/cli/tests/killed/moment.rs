//! Killing a process at what it has done.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Child;

/// Kills the process once the condition holds. Whether it did: the process may have ended before.
pub fn kill_when(mut child: Child, condition: impl Fn() -> bool) -> bool {
    // Its pipes are closed, so that it cannot wait for somebody to read them.
    drop((child.stdin.take(), child.stdout.take(), child.stderr.take()));
    let killed = loop {
        if condition() {
            child.kill().unwrap();
            break true;
        }
        if child.try_wait().unwrap().is_some() {
            break false;
        }
        std::thread::yield_now();
    };
    child.wait().unwrap();
    killed
}

/// The files below a folder and their sizes. What goes away meanwhile is left out.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, u64> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => found.extend(files(&path)),
            Ok(metadata) => drop(found.insert(path, metadata.len())),
            Err(_) => {}
        }
    }
    found
}

/// The same of a repository's files alone: what is still being written, or was when the process died, has another name.
pub fn stored(folder: &Path) -> BTreeMap<PathBuf, u64> {
    let mut files = files(folder);
    files.retain(|path, _| path.file_name().is_some_and(|name| name.len() == 64));
    files
}

/// Bytes of the packs below `data`.
pub fn pack_bytes(data: &Path) -> u64 {
    stored(data).into_values().sum()
}
