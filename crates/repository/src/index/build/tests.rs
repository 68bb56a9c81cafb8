//! Index files of which only the beginning has the usual shape: they are begun twice.

use crate::format::index::IndexEncoder;
use crate::format::pack_header::PackedBlob;
use crate::format::{BlobKind, Id};
use crate::index::Index;

/// If what was read before the unusual place stayed, every blob there would have a second copy in the same place, and a
/// prune would take one of them for superfluous.
#[test]
fn a_file_that_only_begins_as_usual_is_read_once() {
    let blob = |kind, name: &[u8], offset| PackedBlob {
        kind,
        id: Id::of(name),
        offset,
        length: 40,
        uncompressed_length: None,
    };
    let blobs = [
        blob(BlobKind::Data, b"1", 0),
        blob(BlobKind::Tree, b"2", 40),
    ];
    let mut encoder = IndexEncoder::new();
    for pack in [b"a", b"b"] {
        encoder.pack(&Id::of(pack), &blobs);
    }
    let usual = encoder.finish();
    let (begin, end) = usual.split_at(usual.len() - 4);
    let unusual = [begin, b" \n", end].concat();
    for json in [usual, unusual] {
        let index = Index::of_file(Id::of(&json), &json).unwrap();
        assert_eq!(index.packs(), [Id::of(b"a"), Id::of(b"b")]);
        for kind in [BlobKind::Data, BlobKind::Tree] {
            assert_eq!(index.len(kind), 2);
        }
        assert!(!index.is_empty());
    }
    assert!(Index::default().is_empty());
    let data = &blobs[..1];
    let mut encoder = IndexEncoder::new();
    encoder.pack(&Id::of(b"a"), data);
    let json = encoder.finish();
    let index = Index::of_file(Id::of(&json), &json).unwrap();
    assert!(!index.is_empty());
}
