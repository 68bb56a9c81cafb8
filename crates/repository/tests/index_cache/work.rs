//! How much is read and written with a cache.

use std::fs;
use std::sync::Arc;

use strongroom_repository::format::BlobKind;
use strongroom_repository::progress::Silent;
use strongroom_storage::Operation;

use crate::scene::{Scene, blob_id, contents, pack_id};

#[tokio::test]
async fn an_index_that_is_cached_is_not_read_again() {
    let scene = Scene::new().await;
    for packs in 0..10 {
        scene.add_packs(packs..packs + 1, 200).await;
    }
    let cached = scene.cached(100);
    scene.storage.take();
    let reads = || {
        (
            scene.storage.count(Operation::Read, "index"),
            scene.storage.take(),
        )
            .0
    };
    cached.open_index(&Silent).await.unwrap();
    assert_eq!(reads(), 10);
    for _ in 0..2 {
        cached.open_index(&Silent).await.unwrap();
        assert_eq!(reads(), 0);
        cached.load_index(&Silent).await.unwrap();
        assert_eq!(reads(), 0);
    }
    // What is new is read, as long as it is little, and what is cached stays as it is.
    let table = fs::read(scene.table()).unwrap();
    scene.add_packs(20..21, 50).await;
    for _ in 0..2 {
        scene.storage.take();
        let index = cached.open_index(&Silent).await.unwrap();
        assert_eq!(reads(), 1);
        assert!(index.contains(BlobKind::Data, &blob_id(2_000_001)));
    }
    assert_eq!(fs::read(scene.table()).unwrap(), table);
    // Much of it goes into the cache.
    scene.add_packs(30..31, 500).await;
    scene.storage.take();
    cached.open_index(&Silent).await.unwrap();
    assert_eq!(reads(), 2);
    cached.open_index(&Silent).await.unwrap();
    assert_eq!(reads(), 0);
    assert_ne!(fs::read(scene.table()).unwrap(), table);
}

/// A look-up reads what it needs, not the whole.
#[tokio::test]
async fn looking_up_one_blob_needs_one_block() {
    const BLOCK: usize = 256 * 48 + 32;
    let scene = Scene::new().await;
    scene.add_packs(0..10, 1000).await;
    let cached = scene.cached(1);
    cached.load_index(&Silent).await.unwrap();
    let mut table = fs::read(scene.table()).unwrap();
    // All blocks but the first are spoilt: what lies there would be noticed.
    let header = table.len() - 8 - u64::from_le_bytes(*table.last_chunk().unwrap()) as usize;
    table[8 + BLOCK..header].fill(0xee);
    fs::write(scene.table(), &table).unwrap();
    let index = cached.open_index(&Silent).await.unwrap();
    let smallest = (0..10)
        .flat_map(|pack| (0..1000).map(move |n| pack * 100_000 + n))
        .filter(|number| number % 7 != 0)
        .map(blob_id)
        .min();
    assert!(index.contains(BlobKind::Data, &smallest.unwrap()));
    assert_eq!(scene.notices(), Vec::<String>::new());
}

/// Every backup to a local storage asks which packs are lost. That must not cost going through all records.
#[tokio::test]
async fn lost_packs_are_known_without_reading_the_records() {
    let scene = Scene::new().await;
    scene.add_packs(0..4, 300).await;
    scene.cached(1).load_index(&Silent).await.unwrap();
    scene.add_packs(4..6, 10).await;
    // 299 and 9 records of 40 bytes come before the last one, whose length follows from its number.
    let last = |number: u32| u64::from(32 + number % 8);
    let lengths = [299 * 40 + last(299), 299 * 40 + last(100_299) - 1];
    scene.store_pack(0, lengths[0]).await;
    scene.store_pack(1, lengths[1]).await;
    scene.store_pack(3, 1 << 20).await;
    scene.store_pack(4, 9 * 40 + last(400_009)).await;
    scene.store_pack(5, 100).await;
    let mut table = fs::read(scene.table()).unwrap();
    let header = table.len() - 8 - u64::from_le_bytes(*table.last_chunk().unwrap()) as usize;
    table[8..header].fill(0xee);
    fs::write(scene.table(), &table).unwrap();
    // Nothing is found lost in the packs that are whole, so that nothing but the header is read.
    let cached = scene.cached(100);
    let index = Arc::new(cached.open_index(&Silent).await.unwrap());
    let plain = Arc::new(scene.plain.load_index(&Silent).await.unwrap());
    let expected = scene.plain.present_index(&plain).await.unwrap().lost_packs;
    let mut lost = [1, 2, 5].map(pack_id);
    lost.sort_unstable();
    assert_eq!(expected, lost);
    for number in [1, 2, 5] {
        scene.store_pack(number, 1 << 20).await;
    }
    assert_eq!(cached.present_index(&index).await.unwrap().lost_packs, []);
    assert_eq!(scene.notices(), Vec::<String>::new());
    scene.store_pack(1, lengths[1]).await;
    let present = cached.present_index(&index).await.unwrap();
    assert_eq!(present.lost_packs, [pack_id(1)]);
    assert_eq!(
        present.index.len(BlobKind::Data),
        plain.len(BlobKind::Data) - 1
    );
}

#[tokio::test]
async fn small_indexes_are_not_cached() {
    let scene = Scene::new().await;
    scene.add_packs(0..1, 99).await;
    scene.cached(100).load_index(&Silent).await.unwrap();
    assert!(!scene.table().exists());
    scene.add_packs(1..2, 1).await;
    scene.cached(100).load_index(&Silent).await.unwrap();
    assert!(scene.table().exists());
    // One that has become small would be gone through by every run.
    let files = scene.cached(100).open_index(&Silent).await.unwrap();
    scene.remove(&files.files()[0].id).await;
    scene.cached(100).open_index(&Silent).await.unwrap();
    assert!(!scene.table().exists());
}

/// The identifiers of blobs tell what somebody has; they are not to be read from the cache.
#[tokio::test]
async fn the_cache_holds_no_identifier_in_the_clear() {
    let scene = Scene::new().await;
    let file = scene.add_packs(0..3, 100).await;
    let index = scene.cached(1).load_index(&Silent).await.unwrap();
    let table = fs::read(scene.table()).unwrap();
    let blobs = index.blobs(BlobKind::Data).map(|blob| blob.id);
    for id in blobs.chain(index.packs().iter().copied()).chain([file]) {
        let begin = &id.as_bytes()[..8];
        assert!(!table.windows(8).any(|window| window == begin));
    }
}

/// A cache that cannot be written harms nobody.
#[tokio::test]
async fn a_cache_that_cannot_be_written_is_told_and_fails_nothing() {
    let scene = Scene::new().await;
    scene.add_packs(0..3, 100).await;
    fs::write(scene.folder.path().join("one"), b"in the way").unwrap();
    let index = scene.cached(1).open_index(&Silent).await.unwrap();
    assert_eq!(contents(&index), scene.truth().await);
    let notices = scene.notices();
    assert!(!notices.is_empty(), "{notices:?}");
}
