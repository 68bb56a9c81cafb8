//! The forged repositories of a run: made once in a working folder, each tool gets its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::corpus::Corpus;
use crate::forge::Forge;
use crate::phases::Block;
use crate::tools::PASSWORD;

/// Snapshots in the repository for lists.
const SNAPSHOTS: u32 = 1000;

/// The folder of the corpus that is really in each forged repository, and the tag of the snapshot that holds it.
pub const ONCE: &str = "once";

/// Where they are and what they hold.
pub struct Forged {
    work: PathBuf,
    corpus: PathBuf,
    seed: u64,
    blobs: u64,
    strongroom: PathBuf,
}

impl Forged {
    /// Makes nothing yet.
    pub fn new(work: &Path, corpus: &Corpus, blobs: u64, strongroom: &Path) -> Self {
        Self {
            work: work.to_owned(),
            corpus: corpus.folder().to_owned(),
            seed: corpus.seed(),
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

    /// The repository of a block with millions of blobs, and one small snapshot.
    pub fn blobs(&self, block: Block) -> Result<PathBuf> {
        let blobs = self.blobs * block.forged().unwrap_or(1);
        self.made(&format!("forged-blobs-{blobs}"), |folder| {
            Forge::open(folder, self.seed)?.add_blobs(folder, blobs)
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
        begin(&self.strongroom, &self.corpus, &partial)?;
        inflate(&partial)?;
        fs::rename(&partial, &folder)?;
        Ok(folder)
    }
}

/// A repository with one snapshot of one file, made by our own program.
fn begin(strongroom: &Path, corpus: &Path, folder: &Path) -> Result<()> {
    for words in [&["init", "-q"][..], &["backup", "-q", "--tag", ONCE, ONCE]] {
        let status = Command::new(strongroom)
            .args(words)
            .arg("--no-cache")
            .env("STRONGROOM_REPOSITORY", folder)
            .env("STRONGROOM_PASSWORD", PASSWORD)
            .current_dir(corpus)
            .status()?;
        ensure!(
            status.success(),
            "{} {} ended with {status}",
            strongroom.display(),
            words.join(" ")
        );
    }
    Ok(())
}
