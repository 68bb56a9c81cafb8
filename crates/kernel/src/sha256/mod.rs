//! SHA-256 of many messages at once.
//!
//! One message is a chain: each round waits for the one before, and most of a processor is idle. Independent messages fill it: two or
//! more with the instructions for SHA-256 (`pair`), sixteen in the lanes of 512-bit vectors (`lanes16`). `schedule` keeps these lanes full with
//! messages of unequal lengths. One message alone, and the portable path, is the crate `sha2`.

#[cfg(target_arch = "x86_64")]
mod constants;
#[cfg(target_arch = "x86_64")]
mod lanes16;
#[cfg(target_arch = "x86_64")]
mod pair;
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
mod schedule;

use sha2::block_api::compress256;

use crate::CodePath;
use schedule::Item;

/// What one step of the hash takes in.
type Block = [u8; 64];

/// The state that every hash begins with (FIPS 180-4, section 5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The SHA-256 of each message, in their order. The more there are at once, the better: from eleven on with AVX-512, from two on
/// with the processor's SHA instructions. Lengths may differ.
pub fn sha256_many(messages: &[&[u8]]) -> Vec<[u8; 32]> {
    sha256_many_on(CodePath::current(), messages)
}

/// [`sha256_many`] on a path of one's own choice, or the widest one below that exists here.
pub fn sha256_many_on(path: CodePath, messages: &[&[u8]]) -> Vec<[u8; 32]> {
    hash_beside(path, messages, Item::new(INITIAL, &[], &[])).0
}

/// The hash of each message, and the state that `item` comes to beside them.
fn hash_beside(path: CodePath, messages: &[&[u8]], item: Item) -> (Vec<[u8; 32]>, [u32; 8]) {
    let tails: Vec<Tail> = messages
        .iter()
        .map(|message| Tail::new(message.as_chunks::<64>().1, message.len() as u64))
        .collect();
    let whole = messages
        .iter()
        .zip(&tails)
        .map(|(message, tail)| Item::new(INITIAL, message.as_chunks().0, tail.blocks()));
    let mut items: Vec<Item> = std::iter::once(item).chain(whole).collect();
    compress_many(path, &mut items);
    let mut states = items.iter().map(|item| item.state);
    let state = states.next().unwrap_or(INITIAL);
    (states.map(|state| bytes(&state)).collect(), state)
}

/// A hash to which data is added piece by piece, alone or together with others.
#[derive(Clone)]
pub struct Sha256 {
    state: [u32; 8],
    /// What did not fill a block yet, in the first `length_bytes % 64`.
    rest: Block,
    length_bytes: u64,
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

impl Sha256 {
    /// The hash of nothing yet.
    pub fn new() -> Self {
        Self {
            state: INITIAL,
            rest: [0; 64],
            length_bytes: 0,
        }
    }

    /// Adds data.
    pub fn update(&mut self, data: &[u8]) {
        let mut filled = [0; 64];
        let mut item = self.take_in(data, &mut filled);
        item.finish();
        self.state = item.state;
    }

    /// Adds to each hash its data. As good as [`sha256_many`] if the pieces are long or of equal lengths.
    pub fn update_many(pieces: &mut [(&mut Self, &[u8])]) {
        Self::update_many_on(CodePath::current(), pieces);
    }

    /// [`Sha256::update_many`] on a path of one's own choice, or the widest one below that exists here.
    pub fn update_many_on(path: CodePath, pieces: &mut [(&mut Self, &[u8])]) {
        let mut filled = vec![[0; 64]; pieces.len()];
        let mut items: Vec<Item> = pieces
            .iter_mut()
            .zip(&mut filled)
            .map(|((hash, data), filled)| hash.take_in(data, filled))
            .collect();
        compress_many(path, &mut items);
        let states: Vec<[u32; 8]> = items.iter().map(|item| item.state).collect();
        for ((hash, _), state) in pieces.iter_mut().zip(states) {
            hash.state = state;
        }
    }

    /// Adds data, and returns the SHA-256 of whole messages, all of it side by side: as fast for two long ones as for many.
    pub fn update_beside(&mut self, data: &[u8], messages: &[&[u8]]) -> Vec<[u8; 32]> {
        self.update_beside_on(CodePath::current(), data, messages)
    }

    /// [`Sha256::update_beside`] on a path of one's own choice, or the widest one below that exists here.
    pub fn update_beside_on(
        &mut self,
        path: CodePath,
        data: &[u8],
        messages: &[&[u8]],
    ) -> Vec<[u8; 32]> {
        let mut filled = [0; 64];
        let item = self.take_in(data, &mut filled);
        let (digests, state) = hash_beside(path, messages, item);
        self.state = state;
        digests
    }

    /// The hash of all that was added.
    pub fn finish(self) -> [u8; 32] {
        let used = self.used();
        let tail = Tail::new(self.rest.get(..used).unwrap_or_default(), self.length_bytes);
        let mut item = Item::new(self.state, &[], tail.blocks());
        item.finish();
        bytes(&item.state)
    }

    /// Bytes in `rest`.
    fn used(&self) -> usize {
        (self.length_bytes % 64) as usize
    }

    /// Counts the data, keeps what fills no block, and returns the blocks that are to be compressed: the one that the
    /// data fills up, for which `filled` is the place, and those that lie in the data.
    fn take_in<'a>(&mut self, mut data: &'a [u8], filled: &'a mut Block) -> Item<'a> {
        let used = self.used();
        self.length_bytes = self.length_bytes.wrapping_add(data.len() as u64);
        let mut first: &[Block] = &[];
        if used > 0 {
            let missing = data.len().min(64 - used);
            let (head, behind) = data.split_at(missing);
            self.rest[used..used + missing].copy_from_slice(head);
            if used + missing < 64 {
                return Item::new(self.state, &[], &[]);
            }
            *filled = self.rest;
            first = std::slice::from_ref(filled);
            data = behind;
        }
        let (blocks, rest) = data.as_chunks();
        self.rest[..rest.len()].copy_from_slice(rest);
        Item::new(self.state, first, blocks)
    }
}

impl std::fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sha256({} bytes)", self.length_bytes)
    }
}

/// The end of a message with its padding: a bit, zeros, and the length in bits.
struct Tail {
    blocks: [Block; 2],
    count: usize,
}

impl Tail {
    /// `rest` is what fills no block of a message of so many bytes.
    fn new(rest: &[u8], length_bytes: u64) -> Self {
        let mut padded = [0; 128];
        padded[..rest.len()].copy_from_slice(rest);
        padded[rest.len()] = 0x80;
        let count = if rest.len() < 56 { 1 } else { 2 };
        let length_bits = length_bytes.wrapping_mul(8).to_be_bytes();
        padded[64 * count - 8..64 * count].copy_from_slice(&length_bits);
        let (mut blocks, (halves, _)) = ([[0; 64]; 2], padded.as_chunks::<64>());
        blocks.copy_from_slice(halves);
        Self { blocks, count }
    }

    fn blocks(&self) -> &[Block] {
        &self.blocks[..self.count]
    }
}

fn bytes(state: &[u32; 8]) -> [u8; 32] {
    let mut digest = [0; 32];
    for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    digest
}

/// Advances each state over its blocks.
fn compress_many(path: CodePath, items: &mut [Item]) {
    #[cfg(target_arch = "x86_64")]
    {
        let mut pair = (path >= CodePath::Avx2).then(pair::Pair::new).flatten();
        if path >= CodePath::Avx512
            && let Some(mut lanes) = lanes16::Lanes16::new()
        {
            // Without SHA instructions two lanes are faster than one message after the other.
            let fewest = if pair.is_some() { lanes16::FEWEST } else { 2 };
            schedule::compress(&mut lanes, fewest, items);
        }
        if let Some(pair) = &mut pair {
            schedule::compress(pair, 2, items);
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = path;
    items.iter_mut().for_each(Item::finish);
}

#[cfg(test)]
mod tests;
