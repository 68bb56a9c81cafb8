//! The loops: what each works on and does, and what limits it.

use std::hint::black_box;

use anyhow::{Context, Result};
use strongroom_kernel::sha256_many;
use strongroom_repository::chunker::{Chunker, Cut};
use strongroom_repository::compression::{self, Level};
use strongroom_repository::crypto::MasterKey;
use strongroom_repository::format::index::IndexEncoder;
use strongroom_repository::format::pack_header::PackedBlob;
use strongroom_repository::format::{BlobKind, Id, Tree};
use strongroom_repository::index::Index;

use super::limits::{self, Limit};
use super::{Effort, Timer, input};
use crate::random::Random;

/// One loop.
pub struct Loop {
    /// For people, and to choose it by.
    pub name: &'static str,
    /// `GB/s` or `M/s`.
    pub unit: &'static str,
    /// Makes what it works on.
    pub prepare: fn(Effort) -> Result<Work>,
    /// What the machine can do at most.
    pub limit: fn(&Timer) -> Result<Option<Limit>>,
}

/// Something that can be done again and again.
pub struct Work {
    /// Bytes or operations of each time.
    pub amount: usize,
    /// Does it once.
    pub once: Box<dyn FnMut()>,
}

impl Work {
    fn new(amount: usize, once: impl FnMut() + 'static) -> Self {
        Self {
            amount,
            once: Box::new(once),
        }
    }
}

const BYTES: &str = "GB/s";
const OPERATIONS: &str = "M/s";

/// Blobs as large as the chunker makes them on average.
const BLOB: usize = 1 << 20;

/// Blobs as small as files are.
const SMALL_BLOB: usize = 8 << 10;

/// Blobs of a pack in the index that is looked up in.
const BLOBS_A_PACK: usize = 4000;

/// Files of the tree that is read.
const FILES: usize = 10_000;

/// All of them, in the order in which a byte meets them.
pub const LOOPS: [Loop; 19] = [
    Loop {
        name: "chunker: random",
        unit: BYTES,
        prepare: |effort| chunker(input::random(effort.length)),
        limit: |timer| Ok(Some(limits::reading(timer))),
    },
    Loop {
        name: "chunker: pages",
        unit: BYTES,
        prepare: |effort| chunker(input::pages(effort.length)),
        limit: |timer| Ok(Some(limits::reading(timer))),
    },
    Loop {
        name: "chunker: text",
        unit: BYTES,
        prepare: |effort| chunker(input::text(effort.length)),
        limit: |timer| Ok(Some(limits::reading(timer))),
    },
    Loop {
        name: "hashing: 1 MiB, one after the other",
        unit: BYTES,
        prepare: |effort| Ok(hashing(effort, BLOB)),
        limit: |timer| Ok(limits::openssl(timer, "sha256")),
    },
    Loop {
        name: "hashing: 8 KiB, one after the other",
        unit: BYTES,
        prepare: |effort| Ok(hashing(effort, SMALL_BLOB)),
        limit: |timer| Ok(limits::openssl(timer, "sha256")),
    },
    Loop {
        name: "hashing: 1 MiB, many at once",
        unit: BYTES,
        prepare: |effort| Ok(hashing_many(effort, BLOB)),
        limit: |timer| Ok(limits::openssl(timer, "sha256")),
    },
    Loop {
        name: "hashing: 8 KiB, many at once",
        unit: BYTES,
        prepare: |effort| Ok(hashing_many(effort, SMALL_BLOB)),
        limit: |timer| Ok(limits::openssl(timer, "sha256")),
    },
    Loop {
        name: "compression, level 3, with proof: text",
        unit: BYTES,
        prepare: |effort| compression(input::text(effort.length)),
        limit: |timer| limits::zstd(timer, input::text, BLOB),
    },
    Loop {
        name: "compression, level 3, with proof: pages",
        unit: BYTES,
        prepare: |effort| compression(input::pages(effort.length)),
        limit: |timer| limits::zstd(timer, input::pages, BLOB),
    },
    Loop {
        name: "compression, level 3, with proof: random",
        unit: BYTES,
        prepare: |effort| compression(input::random(effort.length)),
        limit: |timer| limits::zstd(timer, input::random, BLOB),
    },
    Loop {
        name: "decompression: text",
        unit: BYTES,
        prepare: |effort| decompression(input::text(effort.length)),
        limit: |timer| limits::zstd_back(timer, input::text, BLOB),
    },
    Loop {
        name: "decompression: pages",
        unit: BYTES,
        prepare: |effort| decompression(input::pages(effort.length)),
        limit: |timer| limits::zstd_back(timer, input::pages, BLOB),
    },
    Loop {
        name: "encryption and MAC",
        unit: BYTES,
        prepare: encryption,
        limit: |timer| Ok(limits::openssl(timer, "aes-256-gcm")),
    },
    Loop {
        name: "check of the MAC and decryption",
        unit: BYTES,
        prepare: decryption,
        limit: |timer| Ok(limits::openssl(timer, "aes-256-gcm")),
    },
    Loop {
        name: "index: reading an index file",
        unit: BYTES,
        prepare: index_file,
        limit: |timer| Ok(Some(limits::copying(timer))),
    },
    Loop {
        name: "index: look-up of what is there",
        unit: OPERATIONS,
        prepare: |effort| look_up(effort, true),
        limit: |timer| Ok(Some(limits::missing(timer))),
    },
    Loop {
        name: "index: look-up of what is not",
        unit: OPERATIONS,
        prepare: |effort| look_up(effort, false),
        limit: |timer| Ok(Some(limits::missing(timer))),
    },
    Loop {
        name: "trees: reading one of 10,000 files",
        unit: BYTES,
        prepare: |_| reading_tree(),
        limit: |timer| limits::json(timer, &input::tree(FILES)?),
    },
    Loop {
        name: "trees: writing one of 10,000 files",
        unit: BYTES,
        prepare: |_| writing_tree(),
        limit: |timer| Ok(Some(limits::copying(timer))),
    },
];

fn chunker(data: Vec<u8>) -> Result<Work> {
    let chunker = Chunker::new(input::polynomial()?);
    Ok(Work::new(data.len(), move || {
        let mut rest = &data[..];
        while let (false, Cut::At(cut)) = (rest.is_empty(), chunker.next_cut(rest, 0, true)) {
            rest = &rest[cut..];
        }
        black_box(rest);
    }))
}

fn hashing(effort: Effort, length: usize) -> Work {
    let data = input::random(effort.length);
    Work::new(data.len(), move || {
        for blob in data.chunks(length) {
            black_box(Id::of(blob));
        }
    })
}

fn hashing_many(effort: Effort, length: usize) -> Work {
    let data = input::random(effort.length);
    Work::new(data.len(), move || {
        let blobs: Vec<&[u8]> = data.chunks(length).collect();
        for together in blobs.chunks(64) {
            black_box(sha256_many(together));
        }
    })
}

fn compression(data: Vec<u8>) -> Result<Work> {
    let compress = |blob: &[u8]| {
        compression::with_compressed(Level::Auto, BlobKind::Data, blob, |frame| {
            frame.map(<[u8]>::len)
        })
    };
    // Once before, so that a failure is not a speed.
    for blob in data.chunks(BLOB) {
        compress(blob)?;
    }
    Ok(Work::new(data.len(), move || {
        for blob in data.chunks(BLOB) {
            black_box(compress(blob).is_ok());
        }
    }))
}

fn decompression(data: Vec<u8>) -> Result<Work> {
    let mut frames = Vec::new();
    for blob in data.chunks(BLOB) {
        let mut frame = Vec::new();
        compression::compress_into(Level::Auto, blob, &mut frame)?;
        compression::decompress(&frame, blob.len())?;
        frames.push((frame, blob.len()));
    }
    Ok(Work::new(data.len(), move || {
        for (frame, length) in &frames {
            black_box(compression::decompress(frame, *length).is_ok());
        }
    }))
}

fn encryption(effort: Effort) -> Result<Work> {
    let data = input::random(effort.length);
    let key = MasterKey::generate()?;
    let mut sealed = Vec::with_capacity(data.len() + (data.len() / BLOB + 1) * 32);
    Ok(Work::new(data.len(), move || {
        sealed.clear();
        for blob in data.chunks(BLOB) {
            black_box(key.seal_into(blob, &mut sealed).is_ok());
        }
    }))
}

fn decryption(effort: Effort) -> Result<Work> {
    let data = input::random(effort.length.min(BLOB));
    let key = MasterKey::generate()?;
    let sealed = key.seal(&data)?;
    let mut plain = Vec::with_capacity(BLOB);
    key.open_into(&sealed, &mut plain)?;
    Ok(Work::new(data.len(), move || {
        plain.clear();
        black_box(key.open_into(&sealed, &mut plain).is_ok());
    }))
}

/// An index file, its plain text, and some of what it names in another order.
fn filled_index(blobs: usize) -> (Id, Vec<u8>, Vec<Id>) {
    let mut random = Random::new(5);
    let mut encoder = IndexEncoder::new();
    let mut ids = Vec::new();
    for pack in 0..blobs.div_ceil(BLOBS_A_PACK) {
        let here = BLOBS_A_PACK.min(blobs - pack * BLOBS_A_PACK);
        let packed: Vec<PackedBlob> = (0..here)
            .map(|number| PackedBlob {
                kind: BlobKind::Data,
                id: random_id(&mut random),
                offset: number as u32 * 4000,
                length: 4000,
                uncompressed_length: None,
            })
            .collect();
        ids.extend(packed.iter().step_by(10).map(|blob| blob.id));
        encoder.pack(&random_id(&mut random), &packed);
    }
    for at in (1..ids.len()).rev() {
        ids.swap(at, random.index(at + 1));
    }
    (random_id(&mut random), encoder.finish(), ids)
}

fn index_file(effort: Effort) -> Result<Work> {
    let (id, json, _) = filled_index(effort.blobs / 20);
    Index::of_file(id, &json)?;
    Ok(Work::new(json.len(), move || {
        black_box(Index::of_file(id, &json).is_ok());
    }))
}

fn look_up(effort: Effort, of_what_is_there: bool) -> Result<Work> {
    let (id, json, mut ids) = filled_index(effort.blobs);
    let index = Index::of_file(id, &json)?;
    if !of_what_is_there {
        let mut random = Random::new(9);
        ids = ids.iter().map(|_| random_id(&mut random)).collect();
    }
    Ok(Work::new(ids.len(), move || {
        for id in &ids {
            black_box(index.locate(BlobKind::Data, id));
        }
    }))
}

fn random_id(random: &mut Random) -> Id {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    Id::from_bytes(bytes)
}

fn reading_tree() -> Result<Work> {
    let tree = input::tree(FILES).context("a tree")?;
    Tree::decode_each(&tree, |_| ())?;
    Ok(Work::new(tree.len(), move || {
        let mut nodes = 0_usize;
        let read = Tree::decode_each(&tree, |node| nodes += node.name.len());
        black_box((read.is_ok(), nodes));
    }))
}

fn writing_tree() -> Result<Work> {
    let nodes = input::nodes(FILES);
    let length = input::written(&nodes)?.len();
    Ok(Work::new(length, move || {
        black_box(input::written(&nodes).is_ok());
    }))
}
