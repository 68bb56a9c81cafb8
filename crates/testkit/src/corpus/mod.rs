//! A directory tree with everything that a Linux file system holds, the same for the same seed.

mod dirs;
mod files;
mod links;
mod metadata;
mod names;
mod plant;
mod specials;

use std::io;
use std::path::{Path, PathBuf};

use plant::Plant;

use crate::Random;

/// One part of the corpus; each is a folder of its own below the root, named like the variant in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// Files of many small sizes, around block and window borders too.
    Files,
    /// Files around the chunker's borders and of several MiB: random, compressible, zeros, duplicates.
    Large,
    /// Files with holes: at the start, in the middle, at the end, nothing but a hole.
    Sparse,
    /// Names of one file in one directory and in several.
    HardLinks,
    /// Symlinks: relative, absolute, dangling, in loops, with targets that are no UTF-8 and very long ones.
    Symlinks,
    /// Fifos.
    Fifos,
    /// Character and block devices; only root can make them.
    Devices,
    /// Extended attributes: of the user, with binary and empty values, many; as root trusted ones and capabilities.
    Xattrs,
    /// POSIX access lists, default lists of directories too.
    Acls,
    /// Odd modes: setuid, setgid, sticky, everything, nothing.
    Modes,
    /// Owners that have no name here; only root can set them.
    Owners,
    /// Times: nanoseconds, before 1970, far in the future; of files, directories and symlinks.
    Times,
    /// Names that break scripts, patterns, terminals and character sets.
    Names,
    /// Paths that come near to the limit of 4096 bytes.
    Deep,
    /// Empty directories, a directory with many entries, many directories.
    Dirs,
    /// What the format holds and restic 0.18 does not bring back: sockets, hard links between symlinks,
    /// times after the year 2262. Leave it out where restic restores.
    BeyondRestic,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 16] = [
        Self::Files,
        Self::Large,
        Self::Sparse,
        Self::HardLinks,
        Self::Symlinks,
        Self::Fifos,
        Self::Devices,
        Self::Xattrs,
        Self::Acls,
        Self::Modes,
        Self::Owners,
        Self::Times,
        Self::Names,
        Self::Deep,
        Self::Dirs,
        Self::BeyondRestic,
    ];

    /// The folder of the part.
    pub fn folder(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

/// What to grow.
#[derive(Debug, Clone)]
pub struct Corpus {
    seed: u64,
    parts: Vec<Part>,
    deep_path_bytes: usize,
}

/// What has been grown.
#[derive(Debug, Clone, Default)]
pub struct Grown {
    /// What this user or file system cannot hold, with the reason. A test that needs a thing asserts that it is not in here.
    pub left_out: Vec<String>,
}

impl Corpus {
    /// Everything: about 60 MiB and 1,500 entries.
    pub fn new(seed: u64) -> Self {
        Self::of(seed, &Part::ALL)
    }

    /// Everything but large contents: below 1 MiB, for tests of metadata.
    pub fn small(seed: u64) -> Self {
        Self::new(seed).without(Part::Large).without(Part::Sparse)
    }

    /// Only these parts.
    pub fn of(seed: u64, parts: &[Part]) -> Self {
        Self {
            seed,
            parts: parts.to_vec(),
            deep_path_bytes: 3500,
        }
    }

    /// Leaves a part out.
    #[must_use]
    pub fn without(mut self, part: Part) -> Self {
        self.parts.retain(|p| *p != part);
        self
    }

    /// The length of the deepest path below the root. The default of 3,500 leaves room for the path of the root
    /// (of the source and of the target, one within the other) below the kernel's limit of 4,096.
    #[must_use]
    pub fn deep_path_bytes(mut self, bytes: usize) -> Self {
        self.deep_path_bytes = bytes;
        self
    }

    /// Grows the tree in `root`, which is made and must be new or empty.
    ///
    /// # Errors
    /// What the file system refused, except for what [`Grown::left_out`] names.
    pub fn grow(&self, root: &Path) -> io::Result<Grown> {
        let mut grown = Grown::default();
        let mut folders = Vec::new();
        for part in &self.parts {
            let folder = self.grow_part(*part, root, &mut grown.left_out);
            folders.push(
                folder.map_err(|e| io::Error::new(e.kind(), format!("growing {part:?}: {e}")))?,
            );
        }
        // Directories take the time of their last change; give those of the parts one that does not depend on the clock.
        for (n, folder) in folders.iter().enumerate() {
            plant::set_time(folder, 1_600_000_000 + n as i64, 1 + n as i64)?;
        }
        plant::set_time(root, 1_600_000_000, 999_999_999)?;
        Ok(grown)
    }

    /// The folder of the part, grown.
    fn grow_part(
        &self,
        part: Part,
        root: &Path,
        left_out: &mut Vec<String>,
    ) -> io::Result<PathBuf> {
        let mut random = Random::new(self.seed ^ (part as u64) << 32);
        let mut plant = Plant::new(root.join(part.folder()), left_out)?;
        match part {
            Part::Files => files::small(&plant, &mut random)?,
            Part::Large => files::large(&plant, &mut random)?,
            Part::Sparse => files::sparse(&plant, &mut random)?,
            Part::HardLinks => links::hard(&plant, &mut random)?,
            Part::Symlinks => links::symbolic(&plant)?,
            Part::Fifos => specials::fifos(&plant)?,
            Part::Devices => specials::devices(&mut plant)?,
            Part::Xattrs => metadata::xattrs(&mut plant, &mut random)?,
            Part::Acls => metadata::access_lists(&plant)?,
            Part::Modes => metadata::modes(&mut plant)?,
            Part::Owners => metadata::owners(&mut plant)?,
            Part::Times => metadata::times(&plant)?,
            Part::Names => names::hostile(&plant, &mut random)?,
            Part::Deep => names::deep(&plant, self.deep_path_bytes)?,
            Part::Dirs => dirs::dirs(&plant)?,
            Part::BeyondRestic => specials::beyond_restic(&plant)?,
        }
        Ok(plant.into_root())
    }
}
