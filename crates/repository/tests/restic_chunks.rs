//! We cut files where restic cuts them. If we did not, a file that restic has stored would be stored once more.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod reader;

use std::fs;

use reader::{Reader, restic};
use strongroom_kernel::CodePath;
use strongroom_repository::chunker::{Chunker, Cut};
use strongroom_repository::format::{BlobKind, Id};

fn random(length: usize) -> Vec<u8> {
    let mut state = 0x0123_4567_89ab_cdef_u64;
    let mut data = Vec::with_capacity(length + 8);
    while data.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        data.extend_from_slice(&state.to_le_bytes());
    }
    data.truncate(length);
    data
}

fn cuts(chunker: &Chunker, mut data: &[u8]) -> Vec<Id> {
    let mut ids = Vec::new();
    while !data.is_empty() {
        let Cut::At(length) = chunker.next_cut(data, 0, true) else {
            panic!("no cut at the end of the input");
        };
        let (blob, rest) = data.split_at(length);
        ids.push(Id::of(blob));
        data = rest;
    }
    ids
}

#[test]
fn files_of_tens_of_megabytes_are_cut_where_restic_cuts_them() {
    let temporary = tempfile::tempdir().unwrap();
    let (repository, source) = (
        temporary.path().join("repository"),
        temporary.path().join("source"),
    );
    fs::create_dir(&source).unwrap();
    let random = random(40 << 20);
    let lines: String = (0..600_000)
        .map(|line| format!("line {line} of a log, which goes on and on\n"))
        .collect();
    let mut mixed = vec![0; 9 << 20];
    mixed.extend_from_slice(&random[..5 << 20]);
    mixed.resize(mixed.len() + (20 << 20), 1);
    mixed.extend_from_slice(&random[..7 << 20]);
    let files = [
        ("random", random),
        ("lines", lines.into_bytes()),
        ("mixed", mixed),
        ("minimum", vec![3; 512 << 10]),
        ("one more", vec![0; (512 << 10) + 1]),
    ];
    for (name, content) in &files {
        fs::write(source.join(name), content).unwrap();
    }
    restic(&repository, &["init"]);
    restic(
        &repository,
        &["backup", "--quiet", source.to_str().unwrap()],
    );
    let reader = Reader::open(&repository, "test");
    let trees = reader.trees();
    for path in CodePath::ALL {
        path.allow_up_to();
        let chunker = Chunker::new(reader.config.chunker_polynomial);
        for (name, content) in &files {
            let node = trees
                .values()
                .find_map(|tree| tree.find(name.as_bytes()))
                .unwrap();
            assert_eq!(
                node.content.as_ref().unwrap(),
                &cuts(&chunker, content),
                "{name}, {path:?}"
            );
        }
    }
    let chunker = Chunker::new(reader.config.chunker_polynomial);
    let stored = reader.blobs(BlobKind::Data);
    assert!(
        cuts(&chunker, &files[0].1)
            .iter()
            .all(|id| stored.contains_key(id))
    );
}
