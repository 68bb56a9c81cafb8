//! The directory of this machine as a target: what it writes, and that nothing leads out of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod attributes;
mod escape;
mod files;
mod specials;
mod unprivileged;
mod whole_files;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use strongroom_repository::format::{Mode, Node, NodeKind, Time};
use strongroom_repository::restore::{
    Attributes, Basis, Existing, NewFile, Place, Target, TargetPath, TargetResult, Withheld,
};
use strongroom_source::files::target::DirectoryTarget;

fn path(text: &str) -> TargetPath {
    bytes(text.as_bytes())
}

fn bytes(text: &[u8]) -> TargetPath {
    text.split(|&byte| byte == b'/')
        .fold(TargetPath::root(), |path, name| path.join(name).unwrap())
}

fn node(kind: NodeKind) -> Node {
    let time = Time::utc(Timestamp::new(1_000_000_000, 123_456_789).unwrap());
    Node {
        name: b"unused".to_vec(),
        kind,
        mode: Mode(0o640),
        mtime: time,
        atime: time,
        ctime: time,
        uid: rustix::process::geteuid().as_raw(),
        gid: rustix::process::getegid().as_raw(),
        user: String::new(),
        group: String::new(),
        inode: 1,
        device_id: 1,
        size_bytes: 0,
        links: 1,
        link_target: Vec::new(),
        extended_attributes: Vec::new(),
        generic_attributes: BTreeMap::new(),
        device: 0,
        content: None,
        subtree: None,
        error: String::new(),
    }
}

fn new_file(size_bytes: usize, basis: Basis, place: Place) -> NewFile {
    NewFile {
        size_bytes: size_bytes as u64,
        basis,
        place,
        sparse: false,
    }
}

/// Writes a small file as the engine does: all of it at once.
fn write(
    target: &DirectoryTarget,
    path: &TargetPath,
    data: &[u8],
    place: Place,
) -> TargetResult<Withheld> {
    let (node, all) = (node(NodeKind::File), Attributes::default());
    target.write_file(path, place, data, &node, &all)
}

/// Writes a file as the engine does one that comes in parts.
fn write_in_steps(
    target: &DirectoryTarget,
    path: &TargetPath,
    data: &[u8],
    place: Place,
) -> TargetResult<Withheld> {
    let file = target.create_file(path, &new_file(data.len(), Basis::Nothing, place))?;
    file.write_at(0, data)?;
    file.finish(&node(NodeKind::File), &Attributes::default())
}

fn existing(target: &DirectoryTarget, dir: &TargetPath, name: &[u8]) -> Existing {
    let listing = target.list(dir).unwrap();
    let mut all = listing.entries.into_iter().chain(listing.leftovers);
    all.find(|entry| entry.name == name)
        .expect("the entry is listed")
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A target in a new folder on the disk and one in memory: ext4 and tmpfs differ in what they can do.
fn targets() -> Vec<(tempfile::TempDir, DirectoryTarget)> {
    let mut folders = vec![tempfile::tempdir().unwrap()];
    if Path::new("/dev/shm").is_dir() {
        folders.push(tempfile::tempdir_in("/dev/shm").unwrap());
    }
    folders
        .into_iter()
        .map(|folder| {
            let target = DirectoryTarget::new(folder.path().join("target"));
            target.create().unwrap();
            (folder, target)
        })
        .collect()
}
