//! Large directories and deep ones: within a bounded number of descriptors, and nothing is missing (T-31).

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, mkdirat, openat, unlinkat};
use strongroom_repository::backup::{Handle, Source};
use strongroom_repository::format::NodeKind;
use strongroom_testkit::source_suite::walk;

use crate::{entry, inside};

/// Descriptors of this process that are open on something below a folder.
fn open_below(folder: &Path) -> usize {
    let links = fs::read_dir("/proc/self/fd").unwrap().flatten();
    let paths = links.filter_map(|link| fs::read_link(link.path()).ok());
    paths
        .filter(|path: &PathBuf| path.starts_with(folder))
        .count()
}

#[test]
fn a_directory_of_100_000_entries_is_whole_and_in_order() {
    const ENTRIES: u32 = 100_000;
    let folder = tempfile::tempdir().unwrap();
    let dir = fs::File::open(folder.path()).unwrap();
    for number in 0..ENTRIES {
        let flags = OFlags::CREATE | OFlags::WRONLY;
        openat(&dir, format!("{number}"), flags, Mode::RUSR).unwrap();
    }
    let mut expected: Vec<_> = (0..ENTRIES)
        .map(|number| number.to_string().into_bytes())
        .collect();
    expected.sort();
    let dir = entry(
        &inside(folder.path().parent().unwrap(), |_| {}),
        folder.path().file_name().unwrap().to_str().unwrap(),
    );
    let names = dir
        .handle
        .children()
        .unwrap()
        .map(|entry| entry.unwrap().node.name);
    assert!(names.eq(expected));
}

/// A chain of directories with a file in each.
fn dig(folder: &Path, depth: usize, name: &str) {
    let mut dir = openat(CWD, folder, OFlags::DIRECTORY, Mode::empty()).unwrap();
    for _ in 0..depth {
        openat(&dir, "file", OFlags::CREATE | OFlags::WRONLY, Mode::RUSR).unwrap();
        mkdirat(&dir, name, Mode::RWXU).unwrap();
        dir = openat(&dir, name, OFlags::DIRECTORY, Mode::empty()).unwrap();
    }
}

/// Removes what is too deep for a path: level by level, each moved up to the top first.
fn fill_in(folder: &Path, name: &str) {
    let top = openat(CWD, folder, OFlags::DIRECTORY, Mode::empty()).unwrap();
    let mut level = 0;
    let mut rename = |dir: &std::os::fd::OwnedFd| {
        level += 1;
        let up = format!("up-{level}");
        rustix::fs::renameat(dir, name, &top, &up).ok().map(|()| up)
    };
    let mut next = rename(&top);
    while let Some(up) = next {
        let dir = openat(&top, &up, OFlags::DIRECTORY, Mode::empty()).unwrap();
        next = rename(&dir);
        let _ = unlinkat(&dir, "file", AtFlags::empty());
        unlinkat(&top, &up, AtFlags::REMOVEDIR).unwrap();
    }
}

#[test]
fn t31_a_chain_of_5_000_directories_is_read_with_few_descriptors() {
    const DEPTH: usize = 5_000;
    const OPEN: usize = 16;
    let folder = tempfile::tempdir().unwrap();
    let name = "d".repeat(120);
    dig(folder.path(), DEPTH, &name);
    let files = inside(folder.path(), |options| options.open_directories = OPEN);
    // Down with every handle kept, as an engine with a queue would.
    let mut handles: Vec<Box<dyn Handle>> = vec![files.root()];
    let (mut found_files, mut most_open) = (Vec::new(), 0);
    for level in 0..=DEPTH {
        for entry in handles[level].children().unwrap() {
            let mut entry = entry.unwrap();
            entry.handle.complete(&mut entry.node).unwrap();
            match entry.node.kind {
                NodeKind::Dir => handles.push(entry.handle),
                _ => found_files.push(entry.handle),
            }
        }
        if level % 100 == 0 {
            most_open = most_open.max(open_below(folder.path()));
        }
    }
    assert_eq!((handles.len(), found_files.len()), (DEPTH + 1, DEPTH));
    // And up again: everything below the first few has been closed meanwhile.
    for file in found_files.iter().rev() {
        file.open().unwrap().read_to_end(&mut Vec::new()).unwrap();
    }
    most_open = most_open.max(open_below(folder.path()));
    assert!(
        most_open <= OPEN + 3,
        "{most_open} directories were open at once"
    );
    drop((handles, found_files, files));
    assert_eq!(open_below(folder.path()), 0);
    fill_in(folder.path(), &name);
}

#[test]
fn t31_attributes_and_links_beyond_the_longest_path_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let name = "n".repeat(250);
    dig(folder.path(), 20, &name);
    let mut dir = openat(CWD, folder.path(), OFlags::DIRECTORY, Mode::empty()).unwrap();
    for _ in 0..20 {
        dir = openat(&dir, &name, OFlags::DIRECTORY, Mode::empty()).unwrap();
    }
    rustix::fs::symlinkat("a target", &dir, "link").unwrap();
    let file = openat(&dir, "last", OFlags::CREATE | OFlags::WRONLY, Mode::RUSR).unwrap();
    rustix::fs::fsetxattr(&file, "user.deep", b"down", rustix::fs::XattrFlags::empty()).unwrap();
    let walked = walk(&inside(folder.path(), |_| {})).without_errors();
    let at = |last: &str| walked.at(format!("{}/{last}", format!("/{name}").repeat(20)));
    assert!(at("last").source_path.len() > 5_000);
    assert_eq!(at("link").node.link_target, b"a target");
    assert_eq!(at("last").node.extended_attributes[0].value, b"down");
    // A named path may be as long; it is given piece by piece.
    let mut options = crate::options(folder.path());
    options.own = Vec::new();
    let long = format!("{}/last", vec![name.clone(); 20].join("/")).into_bytes();
    let named = strongroom_source::files::Files::new(&[long], options).unwrap();
    let walked = walk(&named).without_errors();
    assert_eq!(walked.found.len(), 21);
    unlinkat(&dir, "link", AtFlags::empty()).unwrap();
    unlinkat(&dir, "last", AtFlags::empty()).unwrap();
    fill_in(folder.path(), &name);
}
