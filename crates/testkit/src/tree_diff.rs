//! Compares two directory trees completely.
//!
//! A restore is right when nothing differs. So a difference that this comparison does not see is one that no
//! test sees: names are compared as bytes, times to the nanosecond, extended attributes (ACLs among them) by value.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::FileType;

use crate::tree_entry::{Entry, Folder};

/// What to compare beyond names, types, contents, link targets and device numbers, which always are.
#[derive(Debug, Clone)]
pub struct CompareOptions {
    /// The two given directories themselves, beside what lies in them.
    pub root: bool,
    /// Permission bits with setuid, setgid and sticky.
    pub modes: bool,
    /// User and group numbers.
    pub owners: bool,
    /// Modification times to the nanosecond, of symlinks too.
    pub times: bool,
    /// Extended attributes, with ACLs and capabilities.
    pub xattrs: bool,
    /// Which names are one and the same file.
    pub hard_links: bool,
    /// Sockets; a tool may leave them out at a restore, since only a server can make use of them.
    pub sockets: bool,
    /// That files of the second tree take no more space than those of the first (with some slack).
    pub sparse: bool,
}

impl Default for CompareOptions {
    /// Everything but the space taken.
    fn default() -> Self {
        Self {
            root: true,
            modes: true,
            owners: true,
            times: true,
            xattrs: true,
            hard_links: true,
            sockets: true,
            sparse: false,
        }
    }
}

/// One difference, with the path below the roots as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Below the roots; empty for the roots themselves.
    pub path: Vec<u8>,
    /// What differs, with both values.
    pub what: String,
}

/// All differences of two trees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreeDiff {
    /// In the order of the walk.
    pub differences: Vec<Difference>,
}

impl TreeDiff {
    /// Whether the trees are the same.
    pub fn is_empty(&self) -> bool {
        self.differences.is_empty()
    }

    fn add(&mut self, path: &[u8], what: impl Into<String>) {
        self.differences.push(Difference {
            path: path.to_vec(),
            what: what.into(),
        });
    }
}

impl fmt::Display for TreeDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for difference in &self.differences {
            writeln!(
                f,
                "\"{}\": {}",
                difference.path.escape_ascii(),
                difference.what
            )?;
        }
        Ok(())
    }
}

/// Compares the tree at `a` with the tree at `b`.
///
/// # Errors
/// Where one of them cannot be read to its end, which must not pass for equality.
pub fn compare_trees(a: &Path, b: &Path, options: &CompareOptions) -> io::Result<TreeDiff> {
    let (folder_a, folder_b) = (Folder::open(a)?, Folder::open(b)?);
    let mut walk = Walk {
        options,
        diff: TreeDiff::default(),
        links: [BTreeMap::new(), BTreeMap::new()],
    };
    if options.root {
        walk.compare_metadata(b"", &folder_a.own_entry()?, &folder_b.own_entry()?);
    }
    walk.compare_folders(&folder_a, &folder_b, b"")?;
    walk.compare_hard_links();
    Ok(walk.diff)
}

/// Compares everything and fails with the list of all differences.
///
/// # Panics
/// Where the trees differ or cannot be read.
#[track_caller]
pub fn assert_same_trees(a: &Path, b: &Path, options: &CompareOptions) {
    let diff = compare_trees(a, b, options)
        .unwrap_or_else(|e| panic!("cannot compare {} with {}: {e}", a.display(), b.display()));
    let count = diff.differences.len();
    assert!(
        diff.is_empty(),
        "{count} differences between {} and {}:\n{diff}",
        a.display(),
        b.display()
    );
}

/// The names of each file that has more than one link.
type Links = BTreeMap<(u64, u64), BTreeSet<Vec<u8>>>;

struct Walk<'a> {
    options: &'a CompareOptions,
    diff: TreeDiff,
    links: [Links; 2],
}

impl Walk<'_> {
    fn compare_folders(&mut self, a: &Folder, b: &Folder, path: &[u8]) -> io::Result<()> {
        let (names_a, names_b) = (self.wanted_names(a)?, self.wanted_names(b)?);
        for name in names_a.difference(&names_b) {
            self.diff.add(&joined(path, name), "only in the first tree");
        }
        for name in names_b.difference(&names_a) {
            self.diff
                .add(&joined(path, name), "only in the second tree");
        }
        for name in names_a.intersection(&names_b) {
            let below = joined(path, name);
            self.compare_entries(a, b, name, &below)
                .map_err(|e| with_path(&below, &e))?;
        }
        Ok(())
    }

    fn wanted_names(&self, folder: &Folder) -> io::Result<BTreeSet<Vec<u8>>> {
        let mut names = BTreeSet::new();
        for name in folder.names()? {
            if self.options.sockets || folder.entry(&name)?.kind != FileType::Socket {
                names.insert(name);
            }
        }
        Ok(names)
    }

    fn compare_entries(
        &mut self,
        a: &Folder,
        b: &Folder,
        name: &[u8],
        path: &[u8],
    ) -> io::Result<()> {
        let (entry_a, entry_b) = (a.entry(name)?, b.entry(name)?);
        if entry_a.kind != entry_b.kind {
            self.diff.add(
                path,
                format!("is {:?} and {:?}", entry_a.kind, entry_b.kind),
            );
            return Ok(());
        }
        self.compare_metadata(path, &entry_a, &entry_b);
        for (links, entry) in self.links.iter_mut().zip([&entry_a, &entry_b]) {
            if entry.kind != FileType::Directory {
                links
                    .entry(entry.identity)
                    .or_default()
                    .insert(path.to_vec());
            }
        }
        match entry_a.kind {
            FileType::Directory => {
                self.compare_folders(&a.open_below(name)?, &b.open_below(name)?, path)
            }
            FileType::RegularFile => self.compare_files(a, b, name, path, (&entry_a, &entry_b)),
            _ => Ok(()),
        }
    }

    fn compare_metadata(&mut self, path: &[u8], a: &Entry, b: &Entry) {
        let options = self.options;
        if options.modes && a.mode != b.mode {
            self.diff
                .add(path, format!("mode {:04o} and {:04o}", a.mode, b.mode));
        }
        if options.owners && a.owner != b.owner {
            self.diff
                .add(path, format!("owner {:?} and {:?}", a.owner, b.owner));
        }
        if options.times && a.modified != b.modified {
            self.diff.add(
                path,
                format!("modified {:?} and {:?}", a.modified, b.modified),
            );
        }
        if a.link_target != b.link_target {
            let shown = |target: &Option<Vec<u8>>| {
                target
                    .as_deref()
                    .unwrap_or_default()
                    .escape_ascii()
                    .to_string()
            };
            let (target_a, target_b) = (shown(&a.link_target), shown(&b.link_target));
            self.diff
                .add(path, format!("points to \"{target_a}\" and \"{target_b}\""));
        }
        let is_device = matches!(a.kind, FileType::BlockDevice | FileType::CharacterDevice);
        if is_device && a.device != b.device {
            self.diff
                .add(path, format!("device {:?} and {:?}", a.device, b.device));
        }
        if options.xattrs {
            self.compare_xattrs(path, &a.xattrs, &b.xattrs);
        }
    }

    fn compare_xattrs(
        &mut self,
        path: &[u8],
        a: &BTreeMap<Vec<u8>, Vec<u8>>,
        b: &BTreeMap<Vec<u8>, Vec<u8>>,
    ) {
        let names: BTreeSet<&Vec<u8>> = a.keys().chain(b.keys()).collect();
        for name in names {
            let shown = |value: Option<&Vec<u8>>| {
                value.map_or("missing".to_owned(), |v| {
                    format!("\"{}\"", v.escape_ascii())
                })
            };
            let (value_a, value_b) = (a.get(name), b.get(name));
            if value_a != value_b {
                let name = name.escape_ascii();
                self.diff.add(
                    path,
                    format!(
                        "attribute {name}: {} and {}",
                        shown(value_a),
                        shown(value_b)
                    ),
                );
            }
        }
    }

    fn compare_files(
        &mut self,
        a: &Folder,
        b: &Folder,
        name: &[u8],
        path: &[u8],
        (entry_a, entry_b): (&Entry, &Entry),
    ) -> io::Result<()> {
        if entry_a.size_bytes != entry_b.size_bytes {
            self.diff.add(
                path,
                format!(
                    "{} bytes and {} bytes",
                    entry_a.size_bytes, entry_b.size_bytes
                ),
            );
        }
        if let Some(offset) = first_difference(a.open_file(name)?, b.open_file(name)?)? {
            self.diff
                .add(path, format!("content differs from byte {offset} on"));
        }
        // File systems differ in block sizes and in how they pad.
        let slack_bytes = 64 * 1024 + entry_a.allocated_bytes / 8;
        if self.options.sparse && entry_b.allocated_bytes > entry_a.allocated_bytes + slack_bytes {
            let (taken_a, taken_b) = (entry_a.allocated_bytes, entry_b.allocated_bytes);
            self.diff
                .add(path, format!("takes {taken_a} bytes of disk and {taken_b}"));
        }
        Ok(())
    }

    fn compare_hard_links(&mut self) {
        if !self.options.hard_links {
            return;
        }
        let [a, b] = std::mem::take(&mut self.links).map(names_of_each);
        for (path, names_a) in &a {
            let Some(names_b) = b.get(path) else { continue };
            if names_a != names_b {
                let shown = |names: &BTreeSet<Vec<u8>>| {
                    let names: Vec<_> =
                        names.iter().map(|n| n.escape_ascii().to_string()).collect();
                    names.join("\", \"")
                };
                self.diff.add(
                    path,
                    format!(
                        "one file are \"{}\" and \"{}\"",
                        shown(names_a),
                        shown(names_b)
                    ),
                );
            }
        }
    }
}

/// For every path all the paths of the same file.
fn names_of_each(links: Links) -> BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>> {
    let groups = links.into_values();
    groups
        .flat_map(|names| {
            names
                .clone()
                .into_iter()
                .map(move |name| (name, names.clone()))
        })
        .collect()
}

/// The first offset at which two files differ; the length of the shorter one where it is a prefix of the other.
fn first_difference(mut a: impl Read, mut b: impl Read) -> io::Result<Option<u64>> {
    let (mut chunk_a, mut chunk_b) = (vec![0; 256 * 1024], vec![0; 256 * 1024]);
    let mut offset = 0;
    loop {
        let (len_a, len_b) = (
            read_full(&mut a, &mut chunk_a)?,
            read_full(&mut b, &mut chunk_b)?,
        );
        let (read_a, read_b) = (&chunk_a[..len_a], &chunk_b[..len_b]);
        if read_a != read_b {
            let common = read_a
                .iter()
                .zip(read_b)
                .take_while(|(x, y)| x == y)
                .count();
            return Ok(Some(offset + common as u64));
        }
        if len_a == 0 {
            return Ok(None);
        }
        offset += len_a as u64;
    }
}

fn read_full(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..])? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}

fn joined(path: &[u8], name: &[u8]) -> Vec<u8> {
    if path.is_empty() {
        name.to_vec()
    } else {
        [path, b"/", name].concat()
    }
}

fn with_path(path: &[u8], error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("\"{}\": {error}", path.escape_ascii()),
    )
}
