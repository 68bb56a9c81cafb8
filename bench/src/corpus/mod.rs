//! The data that is backed up: the same bytes on every machine for the same seed and size.
//!
//! | folder | what |
//! |---|---|
//! | `src` | small files of 1 to 40 KiB, text but for one in sixteen |
//! | `half` | every second file of `src`, for prunes that leave packs half used |
//! | `big/random` | two files that do not compress |
//! | `big/pages` | two files of database-like pages, one with free space in its pages, one without |
//! | `vm`, `vm2` | a disk image with zeros and repetition; the same with insertions, removals and changes |
//! | `ten` | ten small files that nothing else holds |
//! | `once` | one more |

mod churn;
mod image;
pub mod large_files;
pub mod pages;
pub mod small_files;
pub mod text;

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use pages::Tail;
use text::Vocabulary;

/// Changes when the same seed would give other bytes.
const GENERATOR: u32 = 2;

/// How much data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// 60,000 small files, four large ones of 1 GiB, images of 2 GiB
    Full,
    /// 60,000 small files, four large ones of 512 MiB, images of 1 GiB
    Half,
    /// 60,000 small files, four large ones of 256 MiB, images of 512 MiB
    Quarter,
    /// 600 small files, four larger ones of 4 MiB, images of 8 MiB: for tests, says nothing of speed
    Small,
}

impl Size {
    /// Number of small files.
    pub fn files(self) -> u64 {
        match self {
            Self::Full | Self::Half | Self::Quarter => 60_000,
            Self::Small => 600,
        }
    }

    /// Bytes of each large file.
    pub fn large_bytes(self) -> u64 {
        match self {
            Self::Full => 1 << 30,
            Self::Half => 512 << 20,
            Self::Quarter => 256 << 20,
            Self::Small => 4 << 20,
        }
    }

    /// The word for it on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Half => "half",
            Self::Quarter => "quarter",
            Self::Small => "small",
        }
    }
}

/// A corpus on disk.
pub struct Corpus {
    folder: PathBuf,
    size: Size,
    seed: u64,
    words: Vocabulary,
}

/// What a corpus was made from; in a file that is written last.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    generator: u32,
    seed: u64,
    size: Size,
}

impl Corpus {
    /// The corpus below `work`, made if it is not there, and without any churn that an earlier run may have left.
    pub fn prepare(work: &Path, size: Size, seed: u64) -> Result<Self> {
        let folder = work.join(format!("corpus-{}-{seed}", size.word()));
        let corpus = Self {
            folder,
            size,
            seed,
            words: Vocabulary::new(seed),
        };
        let stamp = Stamp {
            generator: GENERATOR,
            seed,
            size,
        };
        let file = corpus.folder.join("stamp.json");
        let is_there = fs::read(&file).is_ok_and(|text| {
            serde_json::from_slice::<Stamp>(&text).is_ok_and(|found| found == stamp)
        });
        if is_there {
            corpus.undo_left_churn()?;
        } else {
            if corpus.folder.exists() {
                fs::remove_dir_all(&corpus.folder)?;
            }
            corpus
                .generate()
                .with_context(|| format!("generate {}", corpus.folder.display()))?;
            fs::write(&file, serde_json::to_vec(&stamp)?)?;
        }
        Ok(corpus)
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How large it is.
    pub fn size(&self) -> Size {
        self.size
    }

    /// What it was made from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// A small file, by its path below the corpus.
    pub fn one_file(&self) -> PathBuf {
        Path::new("src").join(small_files::path(self.size.files() / 2))
    }

    /// A folder with a tenth of the small files, by its path below the corpus.
    pub fn a_tenth(&self) -> PathBuf {
        Path::new("src").join(small_files::group(3))
    }

    fn generate(&self) -> Result<()> {
        let (seed, words) = (self.seed, &self.words);
        small_files::write_all(&self.folder.join("src"), seed, words, 0..self.size.files())?;
        let half = (0..self.size.files()).step_by(2);
        small_files::write_all(&self.folder.join("half"), seed, words, half)?;
        let behind = self.size.files()..self.size.files() + 10;
        small_files::write_all(&self.folder.join("ten"), seed, words, behind)?;
        let one = self.size.files() + 10..self.size.files() + 11;
        small_files::write_all(&self.folder.join("once"), seed, words, one)?;
        for number in 0..2 {
            let path = self.folder.join(format!("big/random/random{number}"));
            large_files::write_random(&path, seed, number, self.size.large_bytes())?;
        }
        for file in self.page_files() {
            file.write(seed, words, self.size.large_bytes())?;
        }
        let plan = image::plan(seed, self.size.large_bytes() * 2);
        image::write(&self.folder.join("vm/disk.img"), &plan, words)?;
        image::write(
            &self.folder.join("vm2/disk.img"),
            &image::edited(seed, &plan),
            words,
        )
    }

    fn page_files(&self) -> [large_files::PageFile; 2] {
        [(0, Tail::Free), (1, Tail::Full)].map(|(number, tail)| large_files::PageFile {
            path: self.folder.join(format!("big/pages/pages{number}")),
            first_page: number << 32,
            tail,
        })
    }

    /// Reads every file once, so that all tools find it in memory.
    pub fn warm(&self) -> Result<()> {
        let mut buffer = vec![0; 1 << 20];
        for path in files_below(&self.folder)? {
            let mut file = File::open(&path)?;
            while file.read(&mut buffer)? > 0 {}
        }
        Ok(())
    }
}

/// All regular files below a folder, sorted.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Times in the past and the same in each run: a file that was just written looks changed to some tools.
fn set_modified(path: &Path, seconds: u64) -> Result<()> {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    Ok(File::options().write(true).open(path)?.set_modified(time)?)
}
