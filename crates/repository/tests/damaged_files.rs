//! What a repository holds is hostile until it is decoded: damaged files are errors or other values, never a panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod reader;

use std::fs;

use reader::{Reader, fixture};
use strongroom_repository::compression;
use strongroom_repository::format::{
    BlobKind, Config, FormatError, KeyFile, Lock, RepositoryVersion, Snapshot, Tree, index,
    pack_header, unpacked,
};

/// Damaged copies of each content that are tried, besides all truncations of a short one.
const COPIES: usize = 400;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    /// Flips bits, cuts, doubles, moves and overwrites parts.
    fn damage(&mut self, content: &[u8]) -> Vec<u8> {
        let mut damaged = content.to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(damaged.len());
            let end = (at + self.below(40)).min(damaged.len());
            match self.below(6) {
                0 => damaged.truncate(at),
                1 => drop(damaged.drain(at..end)),
                2 => {
                    let part = damaged.get(at..end).unwrap_or_default().to_vec();
                    let to = self.below(damaged.len());
                    damaged.splice(to..to, part);
                }
                3 => {
                    let telling = [
                        &b"null"[..],
                        b"{",
                        b"[",
                        b"\"",
                        b"\\u0000",
                        b"-1",
                        b"1e999",
                        b"18446744073709551616",
                        b"\xff",
                    ];
                    let part = telling[self.below(telling.len())];
                    damaged.splice(at..end, part.iter().copied());
                }
                _ => {
                    if let Some(byte) = damaged.get_mut(at) {
                        *byte ^= 1 << self.below(8);
                    }
                }
            }
        }
        damaged
    }
}

type Decoder = fn(&[u8]) -> Result<(), FormatError>;

fn tree(json: &[u8]) -> Result<(), FormatError> {
    // What was read may be written again, or refused.
    Tree::decode(json).map(|tree| drop(tree.encode()))
}

fn header(header: &[u8]) -> Result<(), FormatError> {
    for blob in pack_header::decode(header, 1 << 24)? {
        assert!(u64::from(blob.offset) + u64::from(blob.length) <= 1 << 24);
    }
    Ok(())
}

fn version_2(content: &[u8]) -> Result<(), FormatError> {
    let limit = 1 << 20;
    let decoded = unpacked::decode(RepositoryVersion::V2, content.to_vec(), limit)?;
    assert!(decoded.len() as u64 <= limit);
    Ok(())
}

/// Everything that restic wrote into the small repositories, each with what decodes it.
fn contents() -> Vec<(&'static str, Decoder, Vec<u8>)> {
    let mut contents: Vec<(&str, Decoder, Vec<u8>)> = Vec::new();
    for name in ["v1", "v2"] {
        let root = fixture(name);
        let reader = Reader::open(&root, "fixture");
        let config = reader
            .key
            .open(&fs::read(root.join("config")).unwrap())
            .unwrap();
        contents.push(("config", |json| Config::decode(json).map(drop), config));
        for (_, json) in reader::files(&root.join("keys")) {
            contents.push(("key", |json| KeyFile::decode(json).map(drop), json));
        }
        for (folder, decoder) in [
            ("locks", (|json| Lock::decode(json).map(drop)) as Decoder),
            ("snapshots", |json| Snapshot::decode(json).map(drop)),
            ("index", |json| index::decode(json, |_, _| {}).map(drop)),
        ] {
            for (_, json) in reader.unpacked(folder) {
                let encoded = unpacked::encode(RepositoryVersion::V2, &json).unwrap();
                contents.push(("unpacked file", version_2, encoded));
                contents.push((folder, decoder, json));
            }
        }
        for json in reader.blobs(BlobKind::Tree).into_values() {
            contents.push(("tree", tree, json));
        }
        for blobs in reader.packs().values() {
            contents.push(("pack header", header, pack_header::encode(blobs)));
        }
    }
    contents
}

#[test]
fn t38_truncated_and_damaged_files_are_errors_and_not_panics() {
    let seed = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()) << 20 | 0x9e37_79b9);
    println!("SEED={seed}");
    let mut random = Random(seed);
    for (what, decode, content) in contents() {
        decode(&content).unwrap_or_else(|error| panic!("{what}: {error}"));
        for length in (0..content.len()).step_by(content.len() / 1000 + 1) {
            let _ = decode(&content[..length]);
        }
        let mut refused = 0;
        for _ in 0..COPIES {
            refused += usize::from(decode(&random.damage(&content)).is_err());
        }
        assert!(
            refused > COPIES / 20,
            "{what}: only {refused} of {COPIES} were refused"
        );
    }
}

#[test]
fn t38_damaged_blobs_do_not_decompress_to_more_than_was_asked_for() {
    let content: Vec<u8> = (0..30_000_u32)
        .flat_map(|n| (n / 5).to_le_bytes())
        .collect();
    let mut frame = Vec::new();
    compression::compress_into(compression::Level::Auto, &content, &mut frame).unwrap();
    let mut random = Random(0x1234_5678_9abc_def1);
    for _ in 0..20_000 {
        let damaged = random.damage(&frame);
        if let Ok(again) = compression::decompress(&damaged, content.len()) {
            assert_eq!(again.len(), content.len());
        }
        if let Ok(again) = compression::decompress_unknown(&damaged, 1 << 20) {
            assert!(again.len() <= 1 << 20);
        }
    }
}
