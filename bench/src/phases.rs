//! What is measured, and what we aim at.

/// A group of phases that share a repository. Each tool goes through a block in turn before the next block begins, so that what is
/// compared lies close together in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// Many small files.
    Small,
    /// Large files.
    Large,
    /// A disk image and its later version.
    Image,
    /// Forgetting and freeing.
    Prune,
    /// A repository with a thousand snapshots.
    Snapshots,
    /// A repository with millions of blobs.
    Blobs,
    /// A repository with twice as many.
    Opening,
}

impl Block {
    /// In the order in which they run.
    pub const ALL: [Self; 7] = [
        Self::Small,
        Self::Large,
        Self::Image,
        Self::Prune,
        Self::Snapshots,
        Self::Blobs,
        Self::Opening,
    ];

    /// How many times the blobs that a run is told to forge lie in its repository.
    pub fn forged(self) -> Option<u64> {
        match self {
            Self::Blobs => Some(1),
            Self::Opening => Some(2),
            _ => None,
        }
    }
}

/// What the wall time of a phase is to be, as a ratio.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// At most so much of restic's.
    pub restic: f64,
    /// At most so much of that of these peers, or of the best of them all.
    pub peers: Option<(Peers, f64)>,
}

/// Whom a target speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peers {
    /// Whoever is fastest.
    Best,
    /// Whoever is fastest, without bupstash: it derives no key from a password.
    BestButBupstash,
    /// bupstash.
    Bupstash,
    /// rustic.
    Rustic,
}

/// One phase.
#[derive(Debug, Clone, Copy)]
pub struct Phase {
    /// For the command line and the results.
    pub id: &'static str,
    /// For people.
    pub title: &'static str,
    /// Where it is measured.
    pub block: Block,
    /// What we aim at.
    pub target: Option<Target>,
}

const fn phase(block: Block, id: &'static str, title: &'static str) -> Phase {
    Phase {
        id,
        title,
        block,
        target: None,
    }
}

impl Phase {
    const fn aims(mut self, restic: f64, peers: Option<(Peers, f64)>) -> Self {
        self.target = Some(Target { restic, peers });
        self
    }
}

use Block::{Blobs, Image, Large, Opening, Prune, Small, Snapshots};
use Peers::{Best, BestButBupstash, Bupstash, Rustic};

/// "Below the best": not as much as it.
const BELOW: f64 = 0.999;

/// All phases in the order in which they run.
pub const PHASES: [Phase; 30] = [
    phase(Small, "first-small", "first backup, small files").aims(0.33, Some((Bupstash, 0.85))),
    phase(
        Small,
        "unchanged-small",
        "unchanged second backup, small files",
    )
    .aims(0.2, Some((BestButBupstash, BELOW))),
    phase(
        Small,
        "changed-small",
        "backup with 1 % changed, small files",
    )
    .aims(0.35, Some((Best, BELOW))),
    phase(Small, "restore-small", "restore of all small files").aims(0.25, Some((Best, BELOW))),
    phase(Small, "restore-tenth", "restore of 10 % of the small files"),
    phase(Small, "restore-one", "restore of one small file"),
    phase(Small, "check-small", "check of the structure, small files").aims(0.5, Some((Best, 1.0))),
    phase(Small, "check-data-small", "check of all data, small files")
        .aims(0.33, Some((Best, BELOW))),
    phase(Small, "find", "find a file in three snapshots").aims(0.5, Some((Best, 1.0))),
    phase(Small, "mount", "mount, walk and read a tenth"),
    phase(Large, "first-random", "first backup, incompressible files")
        .aims(0.20, Some((Bupstash, 0.6))),
    phase(Large, "first-pages", "first backup, database-like pages")
        .aims(0.40, Some((Bupstash, 0.85))),
    phase(
        Large,
        "known-large",
        "backup of known content without a parent, large files",
    ),
    phase(
        Large,
        "unchanged-large",
        "unchanged second backup, large files",
    ),
    phase(
        Large,
        "changed-large",
        "backup with 1 % changed, large files",
    )
    .aims(0.35, Some((Best, BELOW))),
    phase(Large, "restore-large", "restore of the large files").aims(0.4, Some((Best, BELOW))),
    phase(Large, "check-data-large", "check of all data, large files")
        .aims(0.33, Some((Best, BELOW))),
    phase(Image, "first-image", "first backup, disk image"),
    phase(
        Image,
        "shifted-image",
        "backup of the image with insertions",
    ),
    phase(
        Prune,
        "prune-half",
        "forget and prune, half of the small files",
    ),
    phase(Prune, "prune-most", "forget and prune, most of the data").aims(0.25, None),
    phase(Snapshots, "list-snapshots", "list of 1,000 snapshots").aims(0.5, Some((Best, 1.0))),
    phase(
        Blobs,
        "ten-cold",
        "ten files into a repository of millions of blobs, without a cache",
    )
    .aims(0.15, Some((Rustic, BELOW))),
    phase(Blobs, "ten-warm", "ten files into it, with a cache").aims(0.05, Some((Rustic, BELOW))),
    phase(Blobs, "list-warm", "list of its snapshots, with a cache"),
    phase(Blobs, "prune-dry-run", "prune --dry-run there").aims(0.06, Some((Rustic, BELOW))),
    phase(Blobs, "check-blobs", "check of the structure there").aims(0.5, Some((Best, 1.0))),
    phase(Blobs, "find-blobs", "find there").aims(0.5, Some((Best, 1.0))),
    phase(
        Opening,
        "open-cold",
        "restore of one file where there are twice as many blobs, without a cache",
    ),
    phase(
        Opening,
        "open-warm",
        "restore of one file there, with a cache",
    ),
];

/// The phase of an id.
pub fn by_id(id: &str) -> Option<&'static Phase> {
    PHASES.iter().find(|phase| phase.id == id)
}

/// CPU time is to be at most so much of restic's in every phase.
pub const CPU_TARGET: f64 = 0.5;

/// The repository is to be at most so much of restic's.
pub const SIZE_TARGET: f64 = 1.01;

/// Memory is to be at most so many MiB, and so many more for each core ...
pub const PEAK_TARGET_MIB: (u64, u64) = (100, 24);

/// ... and so many bytes for each blob of a forged repository, which the index takes.
pub const PEAK_TARGET_BLOB: u64 = 48;
