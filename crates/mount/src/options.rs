//! What the user may choose.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use strongroom_repository::clock::Clock;
use strongroom_repository::format::Id;
use strongroom_repository::progress::Progress;
use strongroom_repository::snapshots::SnapshotFilter;

use crate::template::{PathTemplate, TimeTemplate};

/// Memory for what was read, where nobody chooses otherwise.
pub const READ_CACHE_BYTES: u64 = 128 * 1024 * 1024;

/// How a repository is mounted.
#[derive(Clone)]
pub struct Options {
    /// The folder to mount on.
    pub mountpoint: PathBuf,
    /// Only these snapshots are shown.
    pub filter: SnapshotFilter,
    /// Of these only those in here are shown, whatever appears later; `None`: all.
    pub only: Option<HashSet<Id>>,
    /// Where snapshots are shown.
    pub path_templates: Vec<PathTemplate>,
    /// How their times are written.
    pub time_template: TimeTemplate,
    /// Everything belongs to root.
    pub owner_root: bool,
    /// Users other than the one who mounts may look as well.
    pub allow_other: bool,
    /// With `allow_other`: the kernel asks the modes of files who may read them.
    pub default_permissions: bool,
    /// New snapshots are looked for at most this often.
    pub reload_after: Duration,
    /// Memory for trees and content that were read; what is in use at the moment comes on top of it.
    pub read_cache_bytes: u64,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Is told of what cannot be read.
    pub progress: Arc<dyn Progress>,
}
