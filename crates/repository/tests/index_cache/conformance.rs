//! Random histories of a repository, with the cache looked at in between.

use proptest::prelude::*;
use strongroom_repository::Repository;
use strongroom_repository::format::Id;
use strongroom_repository::format::pack_header::PackedBlob;
use strongroom_repository::progress::Silent;

use crate::scene::{Scene, blob, contents, pack_id};

#[derive(Debug, Clone)]
enum Step {
    /// An index file: for each pack its number, the first blob and how many.
    Add(Vec<(u8, u16, u8)>),
    /// One of the index files goes.
    Remove(u8),
    /// A run that goes through the index.
    Load,
    /// A run that looks things up.
    Open,
}

fn step() -> impl Strategy<Value = Step> {
    let pack = (0_u8..12, 0_u16..600, 0_u8..120);
    prop_oneof![
        3 => prop::collection::vec(pack, 0..6).prop_map(Step::Add),
        1 => any::<u8>().prop_map(Step::Remove),
        2 => Just(Step::Load),
        3 => Just(Step::Open),
    ]
}

/// What an index file says of a pack: the same blob always in the same place of it, whoever names it.
fn packs(chosen: &[(u8, u16, u8)]) -> Vec<(Id, Vec<PackedBlob>)> {
    let blobs = |first: u16, count: u8| {
        let numbers = u32::from(first)..u32::from(first) + u32::from(count);
        numbers.map(|number| blob(number, number * 40)).collect()
    };
    let chosen = chosen.iter();
    let packs =
        chosen.map(|(pack, first, count)| (pack_id(u32::from(*pack)), blobs(*first, *count)));
    packs.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// If the cached index said more than the index files, a backup would skip data that is stored nowhere; if it said
    /// less, a prune would remove what is needed.
    #[test]
    fn t09_the_cached_index_says_what_the_index_files_say(
        steps in prop::collection::vec(step(), 1..25),
        blobs_min in prop_oneof![Just(0_usize), Just(1), Just(40), Just(300)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let scene = Scene::new().await;
            let mut files = Vec::new();
            for step in &steps {
                match step {
                    Step::Add(chosen) => files.push(scene.add(&packs(chosen)).await),
                    Step::Remove(number) if !files.is_empty() => {
                        let file = files.swap_remove(usize::from(*number) % files.len());
                        scene.remove(&file).await;
                    }
                    Step::Remove(_) => {}
                    Step::Load => {
                        let index = scene.cached(blobs_min).load_index(&Silent).await.unwrap();
                        assert_eq!(contents(&index), scene.truth().await);
                    }
                    Step::Open => {
                        let index = scene.cached(blobs_min).open_index(&Silent).await.unwrap();
                        assert_eq!(contents(&index), scene.truth().await);
                    }
                }
            }
            assert_eq!(scene.notices(), Vec::<String>::new());
        });
    }
}

async fn agrees(scene: &Scene, cached: &Repository) {
    let truth = scene.truth().await;
    for index in [
        cached.open_index(&Silent).await.unwrap(),
        cached.load_index(&Silent).await.unwrap(),
    ] {
        assert_eq!(contents(&index), truth);
    }
}

/// A repair states a pack anew without the blobs that are lost. What an older index file said of it must not live on in
/// the cache: a backup would believe that the lost blobs are there.
#[tokio::test]
async fn t09_what_a_vanished_index_file_said_of_a_pack_is_forgotten() {
    let scene = Scene::new().await;
    let cached = scene.cached(1);
    let all: Vec<_> = (0..50).map(|n| blob(n, n * 40)).collect();
    let old = scene
        .add(&[(pack_id(1), all.clone()), (pack_id(2), all.clone())])
        .await;
    scene.add(&[(pack_id(1), all[..10].to_vec())]).await;
    agrees(&scene, &cached).await;
    scene.remove(&old).await;
    agrees(&scene, &cached).await;
    scene.add(&[(pack_id(2), all[40..].to_vec())]).await;
    agrees(&scene, &cached).await;
    assert_eq!(scene.notices(), Vec::<String>::new());
}

/// Identifiers that begin alike are no attack on the look-up, and span blocks.
#[tokio::test]
async fn identifiers_that_share_their_beginning_are_told_apart() {
    let scene = Scene::new().await;
    let cached = scene.cached(1);
    let alike = |n: u32| {
        let mut bytes = [9; 32];
        bytes[28..].copy_from_slice(&n.to_be_bytes());
        PackedBlob {
            id: Id::from_bytes(bytes),
            ..blob(1, n * 40)
        }
    };
    let same = |pack: u32| (pack_id(pack), vec![blob(8, 0), blob(7, 50)]);
    let mut packs: Vec<_> = (10..800).map(same).collect();
    packs.push((pack_id(1), (0..900).map(alike).collect()));
    scene.add(&packs).await;
    agrees(&scene, &cached).await;
    scene.add(&(900..1200).map(same).collect::<Vec<_>>()).await;
    agrees(&scene, &scene.cached(500)).await;
}

/// Processes that open, write and replace the cached index at the same time, for repositories that went different ways.
#[test]
fn t09_writers_of_one_cache_do_not_harm_each_other() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let scene = Scene::new().await;
        scene.add_packs(0..4, 300).await;
        let runs = (0..4_usize).map(|number| {
            let cached = scene.cached(number * 100);
            let truth = scene.plain.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    let opened = cached.open_index(&Silent).await.unwrap();
                    let loaded = cached.load_index(&Silent).await.unwrap();
                    let expected = contents(&truth.load_index(&Silent).await.unwrap());
                    assert_eq!(contents(&opened), expected);
                    assert_eq!(contents(&loaded), expected);
                }
            })
        });
        let removing = std::thread::spawn({
            let table = scene.table();
            move || {
                for _ in 0..200 {
                    let _ = std::fs::remove_file(&table);
                    std::thread::yield_now();
                }
            }
        });
        for run in runs.collect::<Vec<_>>() {
            run.await.unwrap();
        }
        removing.join().unwrap();
        assert_eq!(scene.notices(), Vec::<String>::new());
    });
}
