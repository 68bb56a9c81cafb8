//! The forged repositories of a run: made once in a working folder, each tool gets its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::forge::Forge;
use crate::tools::PASSWORD;

/// Snapshots in the repository for lists.
const SNAPSHOTS: u32 = 1000;

/// Where they are and what they hold.
pub struct Forged {
    work: PathBuf,
    seed: u64,
    blobs: u64,
    strongroom: PathBuf,
}

impl Forged {
    /// Makes nothing yet.
    pub fn new(work: &Path, seed: u64, blobs: u64, strongroom: &Path) -> Self {
        Self {
            work: work.to_owned(),
            seed,
            blobs,
            strongroom: strongroom.to_owned(),
        }
    }

    /// A repository with a thousand snapshots and one.
    pub fn snapshots(&self) -> Result<PathBuf> {
        self.made(&format!("forged-snapshots-{SNAPSHOTS}"), |folder| {
            Forge::open(folder, self.seed)?.add_snapshots(SNAPSHOTS)
        })
    }

    /// A repository with millions of blobs, and one small snapshot.
    pub fn blobs(&self) -> Result<PathBuf> {
        self.made(&format!("forged-blobs-{}", self.blobs), |folder| {
            Forge::open(folder, self.seed)?.add_blobs(folder, self.blobs)
        })
    }

    /// The repository of that name; made under another, so that none is half made.
    fn made(&self, name: &str, inflate: impl Fn(&Path) -> Result<()>) -> Result<PathBuf> {
        let folder = self.work.join(name);
        if folder.exists() {
            return Ok(folder);
        }
        eprintln!("making {name}");
        let partial = self.work.join(format!("{name}.partial"));
        if partial.exists() {
            fs::remove_dir_all(&partial)?;
        }
        begin(&self.strongroom, &partial)?;
        inflate(&partial)?;
        fs::rename(&partial, &folder)?;
        Ok(folder)
    }
}

/// A repository with one snapshot of one small folder, made by our own program.
pub fn begin(strongroom: &Path, folder: &Path) -> Result<()> {
    let source = folder.with_extension("source");
    fs::create_dir_all(&source)?;
    fs::write(
        source.join("file-once"),
        "the only file that is really there",
    )?;
    for words in [&["init", "-q"][..], &["backup", "-q", "."]] {
        let status = Command::new(strongroom)
            .args(words)
            .arg("--no-cache")
            .env("STRONGROOM_REPOSITORY", folder)
            .env("STRONGROOM_PASSWORD", PASSWORD)
            .current_dir(&source)
            .status()?;
        ensure!(
            status.success(),
            "{} {} ended with {status}",
            strongroom.display(),
            words.join(" ")
        );
    }
    Ok(fs::remove_dir_all(source)?)
}
