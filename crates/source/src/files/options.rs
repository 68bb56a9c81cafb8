//! What the user can choose about a backup of files.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::files::Marker;

/// Tells from an absolute path (raw bytes) whether it is to be backed up. A directory that is not is never opened.
pub type Select = Arc<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// What happens to symbolic links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Symlinks {
    /// The link itself is stored.
    #[default]
    ArchiveLink,
    /// Links are left out, and each is told by `left_out`.
    Skip,
    /// What the link points to is stored in its place.
    ///
    /// A link that leads to nothing is stored as a link. So is one that leads back to a directory that it lies in: that
    /// directory is in the snapshot already; it is told by `left_out`. Directories that several links lead to are
    /// stored as often as they are reached.
    Follow,
}

/// Choices of a backup of files.
#[derive(Clone)]
pub struct Options {
    /// What relative paths are relative to; an absolute path.
    pub working_directory: PathBuf,
    /// The zone whose UTC offset the times are written with; restic writes the system's.
    pub zone: TimeZone,
    /// Store the time of the last read; otherwise the time of the last change stands for it, as in restic, so that
    /// reading a file does not make a new tree.
    pub with_atime: bool,
    /// What the user's patterns leave of it. Asked for named paths too, as restic does, but not for the folders above them.
    pub select: Option<Select>,
    /// Marks of directories whose content is left out.
    pub markers: Vec<Marker>,
    /// Regular files of more bytes are left out.
    pub larger_than_bytes: Option<u64>,
    /// Stay on the file systems of the paths that were given; mount points are stored as empty directories.
    pub one_file_system: bool,
    /// What happens to symbolic links.
    pub symlinks: Symlinks,
    /// Files and directories that are left out by what they are, whatever path leads to them: the repository and our
    /// cache. They are looked up once, at the beginning; what does not exist then is ignored.
    pub own: Vec<PathBuf>,
    /// Patterns of [`files_from`](crate::files_from) that matched nothing: asked for, so their absence is an error.
    pub unmatched: Vec<Vec<u8>>,
    /// How many directories are kept open at most. Each thread that works on an entry may hold two more.
    pub open_directories: usize,
}

impl Options {
    /// What is usual, for paths relative to `working_directory`.
    pub fn new(working_directory: PathBuf, zone: TimeZone) -> Self {
        Self {
            working_directory,
            zone,
            with_atime: false,
            select: None,
            markers: Vec::new(),
            larger_than_bytes: None,
            one_file_system: false,
            symlinks: Symlinks::ArchiveLink,
            own: Vec::new(),
            unmatched: Vec::new(),
            open_directories: 128,
        }
    }
}
