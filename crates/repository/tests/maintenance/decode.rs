//! Reading many blobs at once.

use std::sync::Arc;

use strongroom_repository::ErrorKind;
use strongroom_repository::format::{BlobKind, Id};
use strongroom_repository::pack::{BlobWriter, WriterOptions};
use strongroom_repository::progress::Silent;
use strongroom_repository::repository::{BlobMemory, StoredBlob};
use strongroom_storage::MemoryStorage;
use strongroom_testkit::Random;
use strongroom_testkit::engine::new_repository;
use tokio_util::sync::CancellationToken;

/// Blobs are decoded in groups, their hashes together. A damaged one must not spoil those beside it, nor pass as one of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_blob_among_many_is_told_and_no_other() {
    let repository = new_repository(Arc::new(MemoryStorage::new())).await;
    let options = WriterOptions::default();
    let cancel = CancellationToken::new();
    let writer = BlobWriter::new(&repository, Arc::default(), options, cancel);
    // Three groups by number, and blobs that are compressed, that are not, and one larger than a group.
    let contents: Vec<Vec<u8>> = (0..40_usize)
        .map(|number| match number {
            7 => Random::new(7).bytes(17 << 20),
            _ if number % 2 == 0 => vec![number as u8; 5000 + number],
            _ => Random::new(number as u64).bytes(3000 + number),
        })
        .collect();
    let (job, to_store) = (writer.clone(), contents.clone());
    let store = move || -> Vec<Id> {
        let stored = to_store
            .iter()
            .map(|content| job.store(BlobKind::Data, content));
        stored.map(|stored| stored.unwrap().id).collect()
    };
    let ids = repository.workers().run(store).await.unwrap();
    writer.finish().await.unwrap();
    let index = repository.load_index(&Silent).await.unwrap();
    let mut stored = Vec::new();
    for id in &ids {
        let location = index.locate(BlobKind::Data, id).unwrap();
        let bytes = repository
            .load_blob_raw(BlobKind::Data, &location)
            .await
            .unwrap();
        stored.push((location, bytes.to_vec()));
    }
    // Damaged in itself, missing, and whole but another's.
    stored[3].1[40] ^= 1;
    stored[20].1.clear();
    stored[31] = stored[29].clone();
    let blobs = ids
        .iter()
        .zip(&stored)
        .map(|(id, (location, stored))| StoredBlob {
            id: *id,
            location: *location,
            stored,
        });
    let blobs: Vec<StoredBlob<'_>> = blobs.collect();
    let mut next = 0;
    let mut memory = BlobMemory::default();
    repository.decode_blobs(&mut memory, &blobs, |number, content| {
        assert_eq!(number, next);
        next += 1;
        match number {
            3 | 20 | 31 => assert_eq!(content.unwrap_err().kind(), ErrorKind::Damaged),
            _ => assert_eq!(content.unwrap(), contents[number]),
        }
    });
    assert_eq!(next, contents.len());
}
