//! A piece of a file while it is read and stored.

use std::io::{self, Read};

use crate::chunker::{CHUNK_MAX, CHUNK_MIN};
use strongroom_storage::{Buffer, Buffers};

/// Bytes that are read at a time: few enough that they are still in the processor's cache when they are cut and hashed.
const STEP_BYTES: usize = 256 << 10;

/// Bytes that a chunk's memory may have: it is cut at the latest when one step more than a chunk's most bytes is there.
const MEMORY_MAX: usize = CHUNK_MAX + CHUNK_MIN + 2 * STEP_BYTES;

/// Memory for so many chunks at the same time.
pub(super) fn buffers(count: usize) -> Buffers {
    Buffers::new(count, MEMORY_MAX)
}

/// The beginning of a chunk, with what was read behind its end before that was known.
///
/// The memory has had other content before and is not cleared: all access goes through [`Chunk::bytes`], which ends
/// where this one's ends.
pub(super) struct Chunk {
    memory: Buffer,
    length: usize,
}

impl Chunk {
    /// A chunk of which so much is there already.
    pub fn beginning(bytes: &[u8], buffers: &Buffers) -> Self {
        let mut memory = buffers.take();
        if memory.len() < bytes.len() {
            memory.resize(bytes.len(), 0);
        }
        if let Some(space) = memory.get_mut(..bytes.len()) {
            space.copy_from_slice(bytes);
        }
        Self {
            memory,
            length: bytes.len(),
        }
    }

    /// What was read.
    pub fn bytes(&self) -> &[u8] {
        self.memory.get(..self.length).unwrap_or_default()
    }

    /// Reads on, at first as much as a chunk has at least. Returns the bytes read, and whether the content has ended.
    pub fn read(&mut self, content: &mut dyn Read) -> io::Result<(usize, bool)> {
        let begin = self.length;
        let end = begin.max(CHUNK_MIN).saturating_add(STEP_BYTES);
        let has_ended = read_up_to(&mut self.memory, &mut self.length, end, content)?;
        Ok((self.length.saturating_sub(begin), has_ended))
    }

    /// Ends the chunk after `length` bytes; what lies behind them is the beginning of the one that is returned.
    pub fn cut(&mut self, length: usize, buffers: &Buffers) -> Self {
        let rest = Self::beginning(self.bytes().get(length..).unwrap_or_default(), buffers);
        self.length = self.length.min(length);
        rest
    }
}

/// Reads into the memory behind its first `length` bytes, until there are `end` or the content has ended; whether it has.
///
/// On an error `length` counts what had been read before.
pub(super) fn read_up_to(
    memory: &mut Vec<u8>,
    length: &mut usize,
    end: usize,
    content: &mut dyn Read,
) -> io::Result<bool> {
    if memory.len() < end {
        memory.resize(end, 0);
    }
    while let Some(space) = memory
        .get_mut(*length..end)
        .filter(|space| !space.is_empty())
    {
        match content.read(space) {
            Ok(0) => return Ok(true),
            Ok(count) => *length = length.saturating_add(count).min(end),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Yields what it has in pieces of other lengths than asked for, as a pipe does.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = buffer.len().min(10_007).min(self.0.len());
            let (now, later) = self.0.split_at(count);
            buffer[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    /// A byte of one file in another one's blob would be a disclosure to whoever may restore that file.
    #[test]
    fn memory_that_is_used_again_shows_nothing_of_its_last_content() {
        let buffers = buffers(4);
        let secret = vec![b's'; 3 << 20];
        let mut first = Chunk::beginning(&[], &buffers);
        let mut source = Drip(&secret);
        while !first.read(&mut source).unwrap().1 {}
        assert_eq!(first.bytes(), secret);
        let rest = first.cut(1 << 20, &buffers);
        assert_eq!(
            (first.bytes().len(), rest.bytes().len()),
            (1 << 20, 2 << 20)
        );
        drop((first, rest));

        for length in [0, 1, 10_007, CHUNK_MIN, CHUNK_MIN + STEP_BYTES] {
            let content = vec![b'p'; length];
            let mut chunk = Chunk::beginning(&[], &buffers);
            assert!(chunk.bytes().is_empty());
            let (mut source, mut total) = (Drip(&content), 0);
            loop {
                let (count, ended) = chunk.read(&mut source).unwrap();
                total += count;
                assert_eq!(chunk.bytes(), &content[..total]);
                if ended {
                    break;
                }
            }
            assert_eq!(total, length);
            let rest = chunk.cut(length / 2, &buffers);
            assert_eq!(chunk.bytes(), &content[..length / 2]);
            assert_eq!(rest.bytes(), &content[length / 2..]);
        }
    }
}
