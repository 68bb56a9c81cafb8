//! Many small files, about 20 a directory, three levels deep.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::set_modified;
use super::text::Vocabulary;
use crate::random::Random;

const FILES_A_DIRECTORY: u64 = 20;
const GROUPS: u64 = 10;
const PACKAGES: u64 = 30;

const EXTENSIONS: [&str; 5] = ["rs", "c", "py", "h", "md"];

/// The folder of a tenth of the files, below the root of all.
pub fn group(number: u64) -> PathBuf {
    PathBuf::from(format!("module{number}"))
}

/// The path of a file below the root of all.
pub fn path(number: u64) -> PathBuf {
    let directory = number / FILES_A_DIRECTORY;
    let extension = EXTENSIONS[(number % 5) as usize];
    group(directory % GROUPS)
        .join(format!("package{:02}", directory / GROUPS % PACKAGES))
        .join(format!("folder{directory:05}"))
        .join(format!("file{number:06}.{extension}"))
}

/// The content of a file: 1 to 40 KiB, each octave of lengths as likely as the next; one file in sixteen does not compress.
pub fn content(seed: u64, number: u64, words: &Vocabulary) -> Vec<u8> {
    let mut random = Random::of_part(seed, 0x5FC, number);
    // 532 hundredths of an octave lie between 1 and 40 KiB.
    let octave = 1024_u64 << (random.below(532) / 100);
    let length = (octave + random.below(octave)).min(40 << 10) as usize;
    let mut content = Vec::with_capacity(length + 256);
    if number % 16 == 7 {
        content.resize(length, 0);
        random.fill(&mut content);
    } else {
        words.write(&mut random, length, &mut content);
    }
    content
}

/// Writes files of these numbers.
pub fn write_all(
    root: &Path,
    seed: u64,
    words: &Vocabulary,
    numbers: impl Iterator<Item = u64>,
) -> Result<()> {
    for number in numbers {
        write(root, seed, number, words)?;
    }
    Ok(())
}

/// Writes one file, as it was at first.
pub fn write(root: &Path, seed: u64, number: u64, words: &Vocabulary) -> Result<()> {
    let path = root.join(path(number));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, content(seed, number, words))?;
    set_modified(&path, 1_600_000_000 + number)
}
