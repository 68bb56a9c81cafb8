//! Indexes that are written down, for the tests of what a prune decides.

use crate::format::index::IndexEncoder;
use crate::format::pack_header::PackedBlob;
use crate::format::{BlobKind, Id};
use crate::index::{Index, IndexBuilder, Part};

/// Bytes of every blob.
pub(super) const BLOB_BYTES: u32 = 100;

/// A pack with its blobs, all by their names.
pub(super) type Pack<'a> = (&'a str, &'a [&'a str]);

pub(super) fn id(name: &str) -> Id {
    Id::of(name.as_bytes())
}

/// An index of these packs of data.
pub(super) fn index(packs: &[Pack<'_>]) -> Index {
    index_of_files(&[packs])
}

/// An index that several files describe.
pub(super) fn index_of_files(files: &[&[Pack<'_>]]) -> Index {
    let mut builder = IndexBuilder::default();
    for packs in files {
        let mut encoder = IndexEncoder::new();
        for (pack, blobs) in *packs {
            let blobs: Vec<PackedBlob> = (0..).zip(*blobs).map(blob).collect();
            encoder.pack(&id(pack), &blobs);
        }
        let json = encoder.finish();
        let file = Id::of(&json);
        builder.add(file, Part::decode(&file, &json).unwrap());
    }
    builder.build()
}

fn blob((number, name): (u32, &&str)) -> PackedBlob {
    PackedBlob {
        kind: BlobKind::Data,
        id: id(name),
        offset: number * BLOB_BYTES,
        length: BLOB_BYTES,
        uncompressed_length: None,
    }
}

/// The position of a blob's record in a pack.
pub(super) fn position(index: &Index, blob: &str, pack: &str) -> usize {
    let mut records = index.blobs(BlobKind::Data);
    let found =
        records.position(|record| record.id == id(blob) && record.location.pack == id(pack));
    found.unwrap()
}
