//! Large files: bytes that do not compress, and pages like those of a database.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::pages::{PAGE, Tail, write_page};
use super::set_modified;
use super::text::Vocabulary;
use crate::random::Random;

const MODIFIED: u64 = 1_600_000_000;

/// A file made of pages.
pub struct PageFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Number of its first page, so that no page is in two files.
    pub first_page: u64,
    /// What its pages end with.
    pub tail: Tail,
}

impl PageFile {
    /// Writes the whole file as it was at first.
    pub fn write(&self, seed: u64, words: &Vocabulary, length: u64) -> Result<()> {
        let mut file = create(&self.path)?;
        let mut page = vec![0; PAGE];
        for number in 0..length / PAGE as u64 {
            write_page(
                seed,
                0,
                self.first_page + number,
                self.tail,
                words,
                &mut page,
            );
            file.write_all(&page)?;
        }
        file.flush()?;
        self.reset_time()
    }

    /// Gives the file the time that it had at first.
    pub fn reset_time(&self) -> Result<()> {
        set_modified(&self.path, MODIFIED)
    }
}

/// Writes a file that does not compress.
pub fn write_random(path: &Path, seed: u64, number: u64, length: u64) -> Result<()> {
    let mut random = Random::of_part(seed, 0x4A4D, number);
    let mut file = create(path)?;
    let mut block = vec![0; 64 << 10];
    for _ in 0..length / block.len() as u64 {
        random.fill(&mut block);
        file.write_all(&block)?;
    }
    file.flush()?;
    set_modified(path, MODIFIED)
}

/// A new file with the folders above it.
pub fn create(path: &Path) -> Result<BufWriter<File>> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(BufWriter::with_capacity(1 << 20, File::create(path)?))
}
