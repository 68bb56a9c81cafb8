//! A restored tree, compared with the manifest of its snapshot.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use strongroom_repository::format::Id;

use crate::manifest::{Entry, Snapshot};

/// The first and last second that ext4 holds, in 1901 and 2446. It moves other times there, and cuts their nanoseconds off.
const TIMES: (i64, i64) = (-(1 << 31), 15_032_385_535);

pub fn assert_holds(target: &Path, snapshot: &Snapshot) {
    let found = differences(target, snapshot);
    assert!(
        found.is_empty(),
        "snapshot {}:\n{}",
        snapshot.id,
        found.join("\n")
    );
}

/// What is not as the manifest says, a line each.
pub fn differences(target: &Path, snapshot: &Snapshot) -> Vec<String> {
    let mut there = BTreeMap::new();
    read(target, &[], &mut HashMap::new(), &mut there);
    let mut found = Vec::new();
    for (path, expected) in &snapshot.entries {
        let shown = String::from_utf8_lossy(path).into_owned();
        match there.remove(path) {
            None => found.push(format!("{shown:?} is missing")),
            Some(restored) => {
                let (expected, restored) = (
                    comparable(expected, snapshot),
                    comparable(&restored, snapshot),
                );
                if expected != restored {
                    found.push(format!("{shown:?}: {restored:?} in place of {expected:?}"));
                }
            }
        }
    }
    // The manifests were made from trees in which restic restores no sockets.
    there.retain(|_, entry| entry.kind != "socket");
    found.extend(
        there
            .keys()
            .map(|path| format!("{:?} is too many", String::from_utf8_lossy(path))),
    );
    found
}

fn comparable(entry: &Entry, snapshot: &Snapshot) -> Entry {
    let mut entry = entry.clone();
    let (first, last) = TIMES;
    if entry.modified.0 <= first || entry.modified.0 >= last {
        entry.modified = (entry.modified.0.clamp(first, last), 0);
    }
    if snapshot.content_only {
        entry.modified = (0, 0);
        entry.mode = 0;
    }
    entry
}

fn read(
    folder: &Path,
    below: &[u8],
    names: &mut HashMap<(u64, u64), Vec<u8>>,
    out: &mut BTreeMap<Vec<u8>, Entry>,
) {
    let mut listed: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    listed.sort();
    for name in listed {
        let path = folder.join(&name);
        let mut inside = below.to_vec();
        if !inside.is_empty() {
            inside.push(b'/');
        }
        inside.extend_from_slice(name.as_bytes());
        let mut entry = entry(&path);
        let about = fs::symlink_metadata(&path).unwrap();
        if about.nlink() > 1 && !about.is_dir() {
            let first = names
                .entry((about.dev(), about.ino()))
                .or_insert_with(|| inside.clone());
            entry.same = (*first != inside).then(|| first.clone());
        }
        if about.is_dir() {
            read(&path, &inside, names, out);
        }
        out.insert(inside, entry);
    }
}

fn entry(path: &Path) -> Entry {
    let about = fs::symlink_metadata(path).unwrap();
    let kind = about.file_type();
    let (mut size_bytes, mut content) = (0, b"-".to_vec());
    let kind = if kind.is_file() {
        let bytes = fs::read(path).unwrap();
        size_bytes = bytes.len() as u64;
        content = Id::of(&bytes).to_hex().into_bytes();
        "file"
    } else if kind.is_symlink() {
        content = fs::read_link(path).unwrap().as_os_str().as_bytes().to_vec();
        "symlink"
    } else if kind.is_dir() {
        "dir"
    } else if kind.is_fifo() {
        "fifo"
    } else if kind.is_socket() {
        "socket"
    } else if kind.is_char_device() {
        "chardev"
    } else {
        "dev"
    };
    Entry {
        kind: kind.to_owned(),
        mode: about.mode() & 0o7777,
        modified: (about.mtime(), u32::try_from(about.mtime_nsec()).unwrap()),
        size_bytes,
        content,
        xattrs: xattrs(path),
        same: None,
    }
}

fn xattrs(path: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut buffer = vec![0; 64 * 1024];
    let length = rustix::fs::llistxattr(path, &mut buffer).unwrap_or(0);
    let names = buffer[..length]
        .split(|byte| *byte == 0)
        .filter(|name| name.starts_with(b"user."));
    let value = |name: &[u8]| {
        let mut value = vec![0; 64 * 1024];
        let length = rustix::fs::lgetxattr(path, OsStr::from_bytes(name), &mut value).unwrap();
        value.truncate(length);
        value
    };
    names.map(|name| (name.to_vec(), value(name))).collect()
}
