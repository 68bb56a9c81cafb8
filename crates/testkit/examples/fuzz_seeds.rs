//! Takes real objects out of the repositories in `testdata/` into the corpus of each fuzz target:
//! `cargo run -p strongroom-testkit --example fuzz_seeds`. A file's name is the hash of its content.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use strongroom_repository::compression;
use strongroom_repository::crypto::MasterKey;
use strongroom_repository::format::{BlobKind, Config, Id, KeyFile, pack_header, unpacked};

/// Longer ones say nothing new to a fuzzer.
const LENGTH_MAX: usize = 6_000;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for release in [
        "restic-0.11.0/v1",
        "restic-0.14.0/v2",
        "restic-0.19.1/v2",
        "strongroom-0.1.0/v2",
    ] {
        take_all(
            &root.join("testdata").join(release),
            &root.join("fuzz/corpus"),
        );
    }
}

fn keep(corpus: &Path, target: &str, content: &[u8]) {
    let folder = corpus.join(target);
    fs::create_dir_all(&folder).unwrap();
    if content.len() <= LENGTH_MAX {
        fs::write(folder.join(Id::of(content).short()), content).unwrap();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect();
    files.sort();
    files
}

fn take_all(repository: &Path, corpus: &Path) {
    let keys = files(&repository.join("keys"));
    let json = fs::read(&keys[0]).unwrap();
    keep(corpus, "key_file", &json);
    let file = KeyFile::decode(&json).unwrap();
    let passwords = ["fixture", "second"];
    let key = passwords
        .iter()
        .find_map(|password| file.unlock(password.as_bytes()).unwrap())
        .unwrap();
    let config = key
        .open(&fs::read(repository.join("config")).unwrap())
        .unwrap();
    keep(corpus, "config", &config);
    let version = Config::decode(&config).unwrap().version;
    for (folder, target) in [
        ("locks", "lock"),
        ("snapshots", "snapshot"),
        ("index", "index"),
    ] {
        for path in files(&repository.join(folder)) {
            let content = key.open(&fs::read(path).unwrap()).unwrap();
            keep(
                corpus,
                "unpacked",
                &[&[version as u8 - 1], content.as_slice()].concat(),
            );
            keep(
                corpus,
                target,
                &unpacked::decode(version, content, 1 << 20).unwrap(),
            );
        }
    }
    for path in files(&repository.join("data")) {
        take_pack(&key, &fs::read(path).unwrap(), corpus);
    }
}

fn take_pack(key: &MasterKey, pack: &[u8], corpus: &Path) {
    let (rest, field) = pack.split_last_chunk::<4>().unwrap();
    let sealed = pack_header::sealed_length(*field, pack.len() as u64).unwrap() as usize;
    let (blobs, header) = rest.split_at(rest.len() - sealed);
    let header = key.open(header).unwrap();
    let length = u32::try_from(blobs.len()).unwrap();
    keep(
        corpus,
        "pack_header",
        &[&length.to_le_bytes(), header.as_slice()].concat(),
    );
    for blob in pack_header::decode(&header, length.into()).unwrap() {
        let content = key
            .open(&blobs[blob.offset as usize..][..blob.length as usize])
            .unwrap();
        let plain = match blob.uncompressed_length {
            None => content,
            Some(length) => {
                let field = (length.get() as u16).to_le_bytes();
                keep(corpus, "frame", &[&field, content.as_slice()].concat());
                compression::decompress(&content, length.get() as usize).unwrap()
            }
        };
        if blob.kind == BlobKind::Tree {
            keep(corpus, "tree", &plain);
        }
    }
}
