//! Backing up files and directories of real file systems, beside the real restic where it has an opinion.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod excludes;
mod kinds;
mod layout;
mod own;
mod races;
mod restic;
mod scale;
mod symlinks;
mod unprivileged;

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use jiff::tz::TimeZone;
use strongroom_repository::backup::{Entry, Handle, Source};
use strongroom_source::files::{Files, Options};

/// Usual options; relative paths are relative to `folder`.
fn options(folder: &Path) -> Options {
    Options::new(folder.to_owned(), TimeZone::UTC)
}

/// The entries of a folder as a backup of `.` within it.
fn inside(folder: &Path, change: impl FnOnce(&mut Options)) -> Files {
    let mut options = options(folder);
    change(&mut options);
    Files::new(&[b".".to_vec()], options).unwrap()
}

/// The entry of a name.
#[track_caller]
fn child(handle: &dyn Handle, name: &str) -> Entry {
    let mut children = handle.children().unwrap().map(Result::unwrap);
    children
        .find(|entry| entry.node.name == name.as_bytes())
        .expect(name)
}

/// The entry of a path.
#[track_caller]
fn entry(source: &dyn Source, path: &str) -> Entry {
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let mut entry = child(source.root().as_ref(), first);
    for name in rest.split('/').filter(|name| !name.is_empty()) {
        entry = child(entry.handle.as_ref(), name);
    }
    entry
}

fn bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}
