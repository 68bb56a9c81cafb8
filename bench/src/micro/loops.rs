//! The loops.

use std::hint::black_box;

use anyhow::{Context, Result};
use strongroom_kernel::sha256_many;
use strongroom_repository::chunker::{Chunker, Cut, Polynomial};
use strongroom_repository::compression::{self, Level};
use strongroom_repository::crypto::MasterKey;
use strongroom_repository::format::index::IndexEncoder;
use strongroom_repository::format::pack_header::PackedBlob;
use strongroom_repository::format::{BlobKind, Id, Tree};
use strongroom_repository::index::Index;

use super::{Measured, Timer, input, limits};
use crate::random::Random;

/// One loop, or a few that belong together.
pub struct Loop {
    pub name: &'static str,
    pub run: fn(&Timer) -> Result<Vec<Measured>>,
}

/// All of them, in the order in which a byte meets them.
pub fn all() -> [Loop; 7] {
    [
        Loop {
            name: "chunker",
            run: chunker,
        },
        Loop {
            name: "hashing",
            run: hashing,
        },
        Loop {
            name: "compression",
            run: compression,
        },
        Loop {
            name: "decompression",
            run: decompression,
        },
        Loop {
            name: "encryption",
            run: encryption,
        },
        Loop {
            name: "index",
            run: index,
        },
        Loop {
            name: "trees",
            run: trees,
        },
    ]
}

/// Blobs as large as the chunker makes them on average.
const BLOB: usize = 1 << 20;

/// Blobs of a pack in the index that is looked up in.
const BLOBS_A_PACK: usize = 4000;

fn giga(name: impl Into<String>, rate: f64, limit: Option<(f64, String)>) -> Measured {
    Measured {
        name: name.into(),
        rate,
        unit: "GB/s",
        limit,
    }
}

fn chunker(timer: &Timer) -> Result<Vec<Measured>> {
    let polynomial = Polynomial::new(0x003D_A335_8B4D_C173)
        .map_err(|_| anyhow::anyhow!("a reducible polynomial"))?;
    let chunker = Chunker::new(polynomial);
    let inputs = [
        ("random", input::random(timer.effort.length)),
        ("pages", input::pages(timer.effort.length)),
        ("text", input::text(timer.effort.length)),
    ];
    let lines = inputs.map(|(name, data)| {
        let rate = timer.giga(data.len(), || {
            let mut rest = &data[..];
            while let (false, Cut::At(cut)) = (rest.is_empty(), chunker.next_cut(rest, 0, true)) {
                rest = &rest[cut..];
            }
            black_box(rest);
        });
        giga(
            format!("chunker: {name}"),
            rate,
            Some(limits::reading(timer, &data)),
        )
    });
    Ok(lines.into())
}

fn hashing(timer: &Timer) -> Result<Vec<Measured>> {
    let data = input::random(timer.effort.length);
    let limit = limits::openssl(timer, "sha256");
    let of_blobs = |length: usize| {
        timer.giga(data.len(), || {
            for blob in data.chunks(length) {
                black_box(Id::of(blob));
            }
        })
    };
    let many = |length: usize| {
        let blobs: Vec<&[u8]> = data.chunks(length).collect();
        timer.giga(data.len(), || {
            for together in blobs.chunks(64) {
                black_box(sha256_many(together));
            }
        })
    };
    Ok(vec![
        giga(
            "hashing: 1 MiB, one after the other",
            of_blobs(BLOB),
            limit.clone(),
        ),
        giga(
            "hashing: 8 KiB, one after the other",
            of_blobs(8 << 10),
            limit.clone(),
        ),
        giga("hashing: 1 MiB, many at once", many(BLOB), limit.clone()),
        giga("hashing: 8 KiB, many at once", many(8 << 10), limit),
    ])
}

fn compression(timer: &Timer) -> Result<Vec<Measured>> {
    let inputs = [
        ("text", input::text(timer.effort.length)),
        ("pages", input::pages(timer.effort.length)),
        ("random", input::random(timer.effort.length)),
    ];
    let mut lines = Vec::new();
    for (name, data) in inputs {
        let mut stored = 0;
        let mut failed = None;
        let rate = timer.giga(data.len(), || {
            for blob in data.chunks(BLOB) {
                let kept =
                    compression::with_compressed(Level::Auto, BlobKind::Data, blob, |frame| {
                        frame.map(<[u8]>::len)
                    });
                match kept {
                    Ok(length) => stored += length.unwrap_or(blob.len()),
                    Err(error) => failed = Some(error),
                }
            }
        });
        if let Some(error) = failed {
            return Err(error.into());
        }
        black_box(stored);
        lines.push(giga(
            format!("compression, level 3, with proof: {name}"),
            rate,
            Some(plain_zstd(timer, &data)?),
        ));
    }
    Ok(lines)
}

/// zstd alone, with a context and memory that are used again.
fn plain_zstd(timer: &Timer, data: &[u8]) -> Result<(f64, String)> {
    let mut context = zstd::bulk::Compressor::new(3)?;
    let mut out = Vec::with_capacity(zstd::zstd_safe::compress_bound(BLOB));
    let rate = timer.giga(data.len(), || {
        for blob in data.chunks(BLOB) {
            out.clear();
            let _ = black_box(context.compress_to_buffer(blob, &mut out));
        }
    });
    Ok((rate, "zstd level 3 alone, without proof".to_owned()))
}

fn decompression(timer: &Timer) -> Result<Vec<Measured>> {
    let mut lines = Vec::new();
    for (name, data) in [
        ("text", input::text(timer.effort.length)),
        ("pages", input::pages(timer.effort.length)),
    ] {
        let mut frames = Vec::new();
        for blob in data.chunks(BLOB) {
            let mut frame = Vec::new();
            compression::compress_into(Level::Auto, blob, &mut frame)?;
            frames.push((frame, blob.len()));
        }
        let rate = timer.giga(data.len(), || {
            for (frame, length) in &frames {
                black_box(compression::decompress(frame, *length).is_ok());
            }
        });
        let mut context = zstd::bulk::Decompressor::new()?;
        let mut out = Vec::with_capacity(BLOB);
        let limit = timer.giga(data.len(), || {
            for (frame, _) in &frames {
                out.clear();
                let _ = black_box(context.decompress_to_buffer(frame, &mut out));
            }
        });
        lines.push(giga(
            format!("decompression: {name}"),
            rate,
            Some((limit, "zstd alone, into the same memory".to_owned())),
        ));
    }
    Ok(lines)
}

fn encryption(timer: &Timer) -> Result<Vec<Measured>> {
    let data = input::random(timer.effort.length);
    let key = MasterKey::generate()?;
    let mut sealed = Vec::with_capacity(data.len() + (data.len() / BLOB + 1) * 32);
    let limit =
        limits::openssl(timer, "aes-256-gcm").or_else(|| limits::openssl(timer, "aes-256-ctr"));
    let seal = timer.giga(data.len(), || {
        sealed.clear();
        for blob in data.chunks(BLOB) {
            black_box(key.seal_into(blob, &mut sealed).is_ok());
        }
    });
    let one = key.seal(&data[..BLOB])?;
    let mut plain = Vec::with_capacity(BLOB);
    let open = timer.giga(BLOB, || {
        plain.clear();
        black_box(key.open_into(&one, &mut plain).is_ok());
    });
    let copying = limits::copying(timer, &data);
    Ok(vec![
        giga("encryption and MAC", seal, limit.clone()),
        giga("check of the MAC and decryption", open, limit),
        giga("copying memory", copying.0, None),
    ])
}

fn index(timer: &Timer) -> Result<Vec<Measured>> {
    let (index, ids) = filled_index(timer.effort.blobs)?;
    let limit = limits::missing(timer, timer.effort.blobs);
    let found = timer.mega(ids.len(), || {
        for id in &ids {
            black_box(index.locate(BlobKind::Data, id));
        }
    });
    let mut random = Random::new(9);
    let others: Vec<Id> = (0..ids.len()).map(|_| random_id(&mut random)).collect();
    let missed = timer.mega(others.len(), || {
        for id in &others {
            black_box(index.contains(BlobKind::Data, id));
        }
    });
    let line = |name: &str, rate| Measured {
        name: name.to_owned(),
        rate,
        unit: "M/s",
        limit: Some(limit.clone()),
    };
    Ok(vec![
        line("index, a million blobs: look-up of what is there", found),
        line("index, a million blobs: look-up of what is not", missed),
    ])
}

/// An index, and some of what it holds in another order.
fn filled_index(blobs: usize) -> Result<(Index, Vec<Id>)> {
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
    let index = Index::of_file(random_id(&mut random), &encoder.finish())?;
    Ok((index, ids))
}

fn random_id(random: &mut Random) -> Id {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    Id::from_bytes(bytes)
}

fn trees(timer: &Timer) -> Result<Vec<Measured>> {
    let tree = input::tree(10_000).context("a tree")?;
    let rate = timer.giga(tree.len(), || {
        let mut nodes = 0_usize;
        let read = Tree::decode_each(&tree, |node| nodes += node.name.len());
        black_box((read.is_ok(), nodes));
    });
    let limit = timer.giga(tree.len(), || {
        black_box(serde_json::from_slice::<serde::de::IgnoredAny>(&tree).is_ok());
    });
    let limit = (
        limit,
        "serde_json, which looks at the JSON and keeps nothing".to_owned(),
    );
    Ok(vec![giga(
        "reading a tree of 10,000 files",
        rate,
        Some(limit),
    )])
}
