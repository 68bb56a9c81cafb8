//! A day's change of one per cent, and back. Since all content follows from the seed, nothing has to be kept to undo it.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;

use anyhow::Result;

use super::pages::{PAGE, write_page};
use super::{Corpus, small_files};
use crate::random::Random;

/// Pages that are changed together, at most.
const RUN: u64 = 64;

enum Change {
    Edited,
    Removed,
    Added,
}

impl Corpus {
    /// Changes one per cent: of the small files edited, 0.2 % removed, 0.2 % added; of the pages, in runs.
    pub fn churn(&self) -> Result<()> {
        File::create(self.churn_mark())?;
        let root = self.folder.join("src");
        for (number, change) in self.changes() {
            let path = root.join(small_files::path(number));
            match change {
                Change::Removed => fs::remove_file(&path)?,
                Change::Added => fs::write(self.added(number), self.content(number + (1 << 32)))?,
                Change::Edited => {
                    let mut content = self.content(number);
                    let at = content.len() / 2;
                    Random::of_part(self.seed, 0xED17, number).fill(&mut content[at..at + 16]);
                    // A new file under the old name, as editors do.
                    fs::remove_file(&path)?;
                    fs::write(&path, content)?;
                }
            }
        }
        self.rewrite_pages(1)
    }

    /// Makes everything as it was.
    pub fn undo_churn(&self) -> Result<()> {
        let root = self.folder.join("src");
        for (number, change) in self.changes() {
            match change {
                Change::Added => {
                    if self.added(number).exists() {
                        fs::remove_file(self.added(number))?;
                    }
                }
                Change::Edited | Change::Removed => {
                    small_files::write(&root, self.seed, number, &self.words)?;
                }
            }
        }
        self.rewrite_pages(0)?;
        for file in self.page_files() {
            file.reset_time()?;
        }
        Ok(fs::remove_file(self.churn_mark())?)
    }

    pub(super) fn undo_left_churn(&self) -> Result<()> {
        if self.churn_mark().exists() {
            self.undo_churn()
        } else {
            Ok(())
        }
    }

    fn churn_mark(&self) -> PathBuf {
        self.folder.join("churned")
    }

    fn content(&self, number: u64) -> Vec<u8> {
        small_files::content(self.seed, number, &self.words)
    }

    fn added(&self, number: u64) -> PathBuf {
        let beside = self.folder.join("src").join(small_files::path(number));
        beside.with_extension("new")
    }

    fn changes(&self) -> impl Iterator<Item = (u64, Change)> {
        let mut random = Random::of_part(self.seed, 0xC402, 0);
        (0..self.size.files()).filter_map(move |number| match random.below(1000) {
            0..10 => Some((number, Change::Edited)),
            10..12 => Some((number, Change::Removed)),
            12..14 => Some((number, Change::Added)),
            _ => None,
        })
    }

    /// Writes one per cent of the pages in that version.
    fn rewrite_pages(&self, version: u64) -> Result<()> {
        let pages = self.size.large_bytes() / PAGE as u64;
        for file in self.page_files() {
            let mut random = Random::of_part(self.seed, 0xC402, file.first_page + 1);
            let mut out = File::options().write(true).open(&file.path)?;
            let mut page = vec![0; PAGE];
            let mut done = 0;
            while done < pages.div_ceil(100) {
                let run = 1 + random.below(RUN.min(pages / 20));
                let first = random.below(pages - run);
                out.seek(SeekFrom::Start(first * PAGE as u64))?;
                for number in first..first + run {
                    write_page(
                        self.seed,
                        version,
                        file.first_page + number,
                        file.tail,
                        &self.words,
                        &mut page,
                    );
                    out.write_all(&page)?;
                }
                done += run;
            }
        }
        Ok(())
    }
}
