//! What a prune rewrites though all of it is used.

use std::sync::Arc;

use strongroom_repository::check::ReadData;
use strongroom_repository::format::BlobKind;
use strongroom_repository::progress::Silent;
use strongroom_repository::prune::PruneOptions;
use strongroom_repository::{ErrorKind, Repository};
use strongroom_testkit::engine::open_repository;

use crate::fixture::{Fixture, assert_sound, check, in_memory, plan, prune};

/// Whoever gives a size means packs below it: zero is no size, and one above that of new packs would rewrite them for ever.
#[tokio::test(flavor = "multi_thread")]
async fn packs_are_small_by_the_size_that_was_given() {
    let fixture = Fixture::new(2);
    for round in 0..12 {
        fixture.write("file", round, 3000);
        fixture.backup();
    }
    let repository = open_repository(Arc::new(in_memory(&fixture.path()).await)).await;
    let pack_size = u64::from(repository.settings().pack_size_bytes);
    let repacked = async |bytes| {
        let options = PruneOptions {
            repack_smaller_than_bytes: bytes,
            ..PruneOptions::default()
        };
        let planned = plan(&repository, &options).await;
        planned
            .map(|plan| plan.figures().packs_repack)
            .map_err(|error| error.kind())
    };
    // Twelve packs of data and twelve of trees, all of them very small.
    assert_eq!(repacked(None).await, Ok(24));
    assert_eq!(repacked(Some(0)).await, Ok(24));
    assert_eq!(repacked(Some(1)).await, Ok(0));
    assert_eq!(repacked(Some(pack_size)).await, Ok(24));
    assert_eq!(repacked(Some(pack_size + 1)).await, Err(ErrorKind::Invalid));
}

/// How many blobs are stored as they are: data, trees.
async fn uncompressed(repository: &Repository) -> [usize; 2] {
    let index = repository.load_index(&Silent).await.unwrap();
    [BlobKind::Data, BlobKind::Tree].map(|kind| {
        let blobs = index.blobs(kind);
        let plain = blobs.filter(|blob| blob.location.uncompressed_length.is_none());
        plain.count()
    })
}

/// A repository of version 1 that restic has brought to version 2: trees are compressed by the first prune, data only where
/// that is asked for, since it is many times as much.
#[tokio::test(flavor = "multi_thread")]
async fn trees_that_are_not_compressed_are_and_data_only_when_asked_for() {
    let fixture = Fixture::new(1);
    fixture.write("file", 1, 300_000);
    fixture.backup();
    fixture.restic.run(["migrate", "upgrade_repo_v2"]).ok();
    let storage = in_memory(&fixture.path()).await;
    let repository = open_repository(Arc::new(storage.clone())).await;
    let [data, trees] = uncompressed(&repository).await;
    assert!(data > 0 && trees > 0);
    prune(&repository, &PruneOptions::default()).await.unwrap();
    assert_eq!(uncompressed(&repository).await, [data, 0]);
    assert_sound(&check(&repository, ReadData::All).await, "trees");
    let all = PruneOptions {
        repack_uncompressed: true,
        ..PruneOptions::default()
    };
    prune(&repository, &all).await.unwrap();
    assert_eq!(uncompressed(&repository).await, [0, 0]);
    assert_sound(&check(&repository, ReadData::All).await, "all");
    strongroom_testkit::on_disk(&storage)
        .await
        .1
        .check_read_data();
}
