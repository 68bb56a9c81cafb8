//! The root of the cache: what is in it, and removing what is old.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::bound::Candidate;
use super::rules;
use crate::StoragePath;
use crate::local::walk_files;

/// The file whose time says when a storage's copies were last used, and whose presence that a folder is ours.
pub(super) const LAST_USED: &str = "last-used";

const TAG_NAME: &str = "CACHEDIR.TAG";
/// The first line is fixed by <https://bford.info/cachedir/>.
const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
                   # This file marks a cache directory of strongroom. All of it can be deleted at any time.\n";

/// The copies of one storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheFolder {
    /// The name under which they are cached.
    pub name: String,
    /// Bytes of all copies.
    pub size_bytes: u64,
    /// When a process last opened them.
    pub last_used: SystemTime,
}

/// A directory that holds caches, for looking at it and cleaning it up.
#[derive(Debug, Clone)]
pub struct CacheDirectory {
    root: PathBuf,
}

impl CacheDirectory {
    /// The cache in this directory, which need not exist.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// All folders that have copies here, by name. Blocks.
    ///
    /// A folder without our mark is not listed, so that nothing is removed where the root is a wrong directory.
    ///
    /// # Errors
    /// The root cannot be read. That it does not exist is no error.
    pub fn folders(&self) -> io::Result<Vec<CacheFolder>> {
        let mut folders: Vec<_> = marked(&self.root)?
            .into_iter()
            .map(|(name, last_used)| {
                let size_bytes = copies_of(&self.root, &name)
                    .iter()
                    .map(|copy| copy.size_bytes)
                    .sum();
                CacheFolder {
                    name,
                    size_bytes,
                    last_used,
                }
            })
            .collect();
        folders.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(folders)
    }

    /// The folders whose copies nobody has used for this long: what [`Self::remove`] is to remove. Blocks.
    ///
    /// # Errors
    /// As [`Self::folders`].
    pub fn plan_removal(
        &self,
        unused_for: Duration,
        now: SystemTime,
    ) -> io::Result<Vec<CacheFolder>> {
        let mut folders = self.folders()?;
        folders.retain(|folder| {
            now.duration_since(folder.last_used)
                .is_ok_and(|age| age >= unused_for)
        });
        Ok(folders)
    }

    /// Removes the copies of these folders, all of them. Blocks.
    ///
    /// # Errors
    /// The first that could not be removed; the others are tried all the same. What is gone already is no error.
    pub fn remove(&self, folders: &[CacheFolder]) -> io::Result<()> {
        let mut result = Ok(());
        for folder in folders.iter().filter(|folder| is_name(&folder.name)) {
            // The mark goes last: an interrupted removal leaves a folder that is still known as ours.
            let folder = self.root.join(&folder.name);
            let removed = remove_all_but_mark(&folder).and_then(|()| fs::remove_dir_all(&folder));
            if let Err(error) = removed
                && error.kind() != io::ErrorKind::NotFound
                && result.is_ok()
            {
                result = Err(error);
            }
        }
        result
    }
}

fn remove_all_but_mark(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() == LAST_USED {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Whether a text can be the folder of one storage.
pub(super) fn is_name(name: &str) -> bool {
    !name.contains('/') && StoragePath::new(name).is_ok()
}

/// Our folders in the root, with their times.
fn marked(root: &Path) -> io::Result<Vec<(String, SystemTime)>> {
    let entries = match fs::read_dir(root) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let mark =
            fs::symlink_metadata(entry.path().join(LAST_USED)).and_then(|meta| meta.modified());
        if let Ok(last_used) = mark
            && is_name(&name)
            && entry.file_type()?.is_dir()
        {
            folders.push((name, last_used));
        }
    }
    Ok(folders)
}

/// All copies and tables of all folders; what cannot be read is left out.
pub(super) fn copies(root: &Path) -> Vec<Candidate> {
    let folders = marked(root).unwrap_or_default();
    folders
        .into_iter()
        .flat_map(|(name, _)| copies_of(root, &name))
        .collect()
}

fn copies_of(root: &Path, name: &str) -> Vec<Candidate> {
    let mut copies = Vec::new();
    for top in rules::FOLDERS.into_iter().chain([rules::TABLES]) {
        let folder = root.join(name);
        let Ok(top) = StoragePath::new(top) else {
            continue;
        };
        let Ok(found) = walk_files(&folder, Some(&top)) else {
            continue;
        };
        let originals = found
            .files
            .into_iter()
            .map(|file| folder.join(file.path.as_str()));
        copies.extend(originals.filter_map(|path| {
            let meta = fs::symlink_metadata(&path).ok()?;
            Some(Candidate {
                last_used: meta.modified().ok()?,
                size_bytes: meta.len(),
                path,
            })
        }));
    }
    copies
}

/// Makes the root and marks it, so that backups and search engines leave it out.
pub(super) fn make(root: &Path) -> io::Result<()> {
    make_folder(root)?;
    match fs::File::options()
        .write(true)
        .create_new(true)
        .open(root.join(TAG_NAME))
    {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(e),
        Ok(mut tag) => tag.write_all(TAG.as_bytes()),
    }
}

/// Makes a folder and those above it, for its owner alone.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
