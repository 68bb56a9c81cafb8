//! A cache that is damaged, cut, foreign or old never changes an answer.

use std::fs;
use std::sync::Arc;

use strongroom_repository::progress::Silent;

use crate::scene::{Contents, Scene, contents};

/// An index of two blocks of data and one of trees in the cache.
async fn scene() -> (Scene, Vec<u8>, Contents) {
    let scene = Scene::new().await;
    scene.add_packs(0..3, 110).await;
    scene.cached(1).load_index(&Silent).await.unwrap();
    let table = fs::read(scene.table()).unwrap();
    let truth = scene.truth().await;
    assert_eq!(scene.notices(), Vec::<String>::new());
    (scene, table, truth)
}

/// Both ways to read the index answer right with this file in the cache. Whether it was noticed.
async fn is_noticed(scene: &Scene, table: &[u8], truth: &Contents, looks_up: bool) -> bool {
    fs::create_dir_all(scene.table().parent().unwrap()).unwrap();
    fs::write(scene.table(), table).unwrap();
    let cached = scene.cached(1);
    let index = match looks_up {
        true => cached.open_index(&Silent).await.unwrap(),
        false => cached.load_index(&Silent).await.unwrap(),
    };
    assert_eq!(&contents(&index), truth);
    let notices = scene.notices();
    assert!(notices.len() <= 1, "{notices:?}");
    // What was found damaged is gone, or replaced by what is whole.
    assert!(
        notices.is_empty() || fs::read(scene.table()).is_ok_and(|now| now != table) || looks_up
    );
    !notices.is_empty()
}

#[tokio::test]
async fn t09_no_flipped_byte_of_the_cache_changes_an_answer() {
    let (scene, table, truth) = scene().await;
    for looks_up in [false, true] {
        assert!(!is_noticed(&scene, &table, &truth, looks_up).await);
    }
    for at in 0..table.len() {
        let mut flipped = table.clone();
        flipped[at] ^= 1 << (at % 8);
        // Every byte one way; the other, which reads on another thread, for some.
        let looks_up = at % 5 == 0;
        let noticed = is_noticed(&scene, &flipped, &truth, looks_up).await;
        assert!(noticed, "byte {at} of {}", table.len());
    }
}

#[tokio::test]
async fn t09_a_cut_or_longer_cache_changes_no_answer() {
    let (scene, table, truth) = scene().await;
    for length in (0..table.len()).step_by(37).chain([table.len() - 1]) {
        for looks_up in [false, true] {
            assert!(is_noticed(&scene, &table[..length], &truth, looks_up).await);
        }
    }
    for more in [1, 8, 5000] {
        let longer = [&*table, &vec![0; more]].concat();
        assert!(is_noticed(&scene, &longer, &truth, true).await);
        let doubled = [&table[..more], &*table].concat();
        assert!(is_noticed(&scene, &doubled, &truth, true).await);
    }
    fs::remove_file(scene.table()).unwrap();
    fs::create_dir(scene.table()).unwrap();
    let index = scene.cached(1).open_index(&Silent).await.unwrap();
    assert_eq!(contents(&index), truth);
}

/// Blocks that are ours, of another place or of another time.
#[tokio::test]
async fn t09_blocks_in_the_wrong_place_are_noticed() {
    const BLOCK: usize = 256 * 48 + 32;
    let scene = Scene::new().await;
    let file = scene.add_packs(0..10, 110).await;
    scene.cached(1).load_index(&Silent).await.unwrap();
    let first = fs::read(scene.table()).unwrap();
    scene.remove(&file).await;
    scene.add_packs(5..15, 110).await;
    fs::remove_file(scene.table()).unwrap();
    scene.cached(1).load_index(&Silent).await.unwrap();
    let second = fs::read(scene.table()).unwrap();
    let truth = scene.truth().await;
    assert_eq!(first.len(), second.len());
    let mut swapped = second.clone();
    let (a, b) = swapped[8..8 + 2 * BLOCK].split_at_mut(BLOCK);
    a.swap_with_slice(b);
    let mut older = second.clone();
    older[8..8 + BLOCK].copy_from_slice(&first[8..8 + BLOCK]);
    for looks_up in [false, true] {
        assert!(is_noticed(&scene, &swapped, &truth, looks_up).await);
        assert!(is_noticed(&scene, &older, &truth, looks_up).await);
        // All of an older one is whole: what it says is compared with the index files that there are.
        assert!(!is_noticed(&scene, &first, &truth, looks_up).await);
    }
}

#[tokio::test]
async fn t09_the_cache_of_another_repository_is_refused() {
    let (_, foreign, _) = scene().await;
    let (scene, _, truth) = scene().await;
    for looks_up in [false, true] {
        assert!(is_noticed(&scene, &foreign, &truth, looks_up).await);
    }
}

/// The engine's threads all wait for the damaged block, and the caller's runtime has no other thread.
#[tokio::test]
async fn a_damaged_block_is_replaced_while_everybody_waits_for_it() {
    let (scene, mut table, _) = scene().await;
    table[100] ^= 1;
    fs::write(scene.table(), &table).unwrap();
    let cached = scene.cached(1);
    let index = Arc::new(cached.open_index(&Silent).await.unwrap());
    let truth = Arc::new(scene.truth().await);
    let jobs = (0..8).map(|_| {
        let (index, truth) = (Arc::clone(&index), Arc::clone(&truth));
        cached.workers().run(move || contents(&index) == *truth)
    });
    let all = futures::future::join_all(jobs).await;
    assert!(all.into_iter().all(|same| same.unwrap()));
    assert_eq!(scene.notices().len(), 1);
}

/// Both the cache and the index files are gone: what they named is not known, and nothing is made up.
#[tokio::test]
async fn a_damaged_block_without_its_index_files_answers_that_nothing_is_known() {
    let (scene, mut table, _) = scene().await;
    table[100] ^= 1;
    fs::write(scene.table(), &table).unwrap();
    let index = scene.cached(1).open_index(&Silent).await.unwrap();
    let file = index.files()[0].id;
    scene.remove(&file).await;
    let kind = strongroom_repository::format::BlobKind::Data;
    let told = index.blobs(kind).count();
    assert!(told < index.len(kind));
    assert_eq!(index.at(kind, 0), None);
}
