//! Pages like those of a database: a header, rows with sorted keys, small numbers, a random id, short words.

use super::text::Vocabulary;
use crate::random::Random;

/// Bytes of a page.
pub const PAGE: usize = 16 << 10;

/// What is behind the last row of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// 5 to 30 % zeros, as in the files of a B-tree. In 64 zero bytes restic's chunker cuts at once, so each chunk ends soon
    /// behind the shortest length.
    Free,
    /// Rows to the end, as in a log-structured table: chunks end where the content says so.
    Full,
}

/// Writes page `number` of a file. The same numbers give the same page, whatever was written before.
pub fn write_page(
    seed: u64,
    version: u64,
    number: u64,
    tail: Tail,
    words: &Vocabulary,
    page: &mut [u8],
) {
    let mut random = Random::of_part(seed, 0xDB00 + version, number);
    let end = match tail {
        Tail::Free => page.len() / 100 * (70 + random.index(26)),
        Tail::Full => page.len(),
    };
    page.fill(0);
    let mut out = Cursor {
        page: &mut page[..end],
        at: 0,
    };
    out.put(&number.to_be_bytes());
    out.put(&(0x4000_0000 + number / 3).to_be_bytes());
    out.put(&random.word().to_le_bytes()[..4]);
    let mut key = number * 200;
    let mut time = 1_700_000_000_u32.wrapping_add((number % 1_000_000) as u32 * 7);
    while !out.is_full() {
        key += 1 + random.below(3);
        time = time.wrapping_add(random.below(30) as u32);
        out.put(&[0x11, random.below(4) as u8]);
        out.put(&key.to_be_bytes());
        out.put(&time.to_le_bytes());
        out.put(&(random.below(100_000) as u32).to_le_bytes());
        out.put(&random.word().to_le_bytes());
        for _ in 0..2 + random.below(4) {
            out.put(words.name(&mut random).as_bytes());
            out.put(b" ");
        }
        out.put(&[0; 3]);
    }
}

/// Writes until the page is full, and no further.
struct Cursor<'a> {
    page: &'a mut [u8],
    at: usize,
}

impl Cursor<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let length = bytes.len().min(self.page.len() - self.at);
        self.page[self.at..self.at + length].copy_from_slice(&bytes[..length]);
        self.at += length;
    }

    fn is_full(&self) -> bool {
        self.at == self.page.len()
    }
}
