//! Listings.

use bytes::Bytes;

use super::{Fixture, created, listed, put};

/// Prune deletes what listings do not show in use; a listing with a hole costs snapshots.
pub async fn a_listing_has_every_file_below_and_no_other(fixture: &Fixture) {
    let storage = created(fixture).await;
    let files = [
        "config",
        "data/00/a",
        "data/ab/a",
        "data/ab/b",
        "data/flat",
        "data2/a",
        "index/a",
        "index2",
        "strongroom/x/y/z/deep",
    ];
    for file in files {
        put(storage, file, Bytes::from(vec![7; file.len()])).await;
    }
    let below = |prefix: &str| -> Vec<(String, u64)> {
        let inside = files.iter().filter(|file| file.starts_with(prefix));
        inside
            .map(|file| ((*file).to_owned(), file.len() as u64))
            .collect()
    };
    assert_eq!(listed(storage, None).await, below(""));
    for folder in [
        "data",
        "data/ab",
        "data2",
        "index",
        "strongroom",
        "strongroom/x/y",
    ] {
        let prefix = format!("{folder}/");
        assert_eq!(
            listed(storage, Some(folder)).await,
            below(&prefix),
            "{folder}"
        );
    }
}

/// restic makes `snapshots` at `init`, others make it with the first snapshot; both have none yet.
pub async fn a_listing_of_a_missing_folder_is_empty(fixture: &Fixture) {
    let storage = created(fixture).await;
    assert!(listed(storage, None).await.is_empty());
    put(storage, "config", "x").await;
    put(storage, "data/ab/a", "x").await;
    for folder in [
        "snapshots",
        "data/cd",
        "data/a",
        "config",
        "conf",
        "config/x",
    ] {
        assert!(listed(storage, Some(folder)).await.is_empty(), "{folder}");
    }
}

/// More files than a page of a listing has on any server.
pub async fn a_listing_of_many_files_is_complete(fixture: &Fixture) {
    const FILES: usize = 2500;
    let storage = created(fixture).await;
    let mut tasks = tokio::task::JoinSet::new();
    for worker in 0..8 {
        let storage = fixture.storage.clone();
        tasks.spawn(async move {
            for i in (worker..FILES).step_by(8) {
                put(storage.as_ref(), &name(i), Bytes::from(vec![0; i % 5])).await;
            }
        });
    }
    tasks.join_all().await;
    let mut expected: Vec<_> = (0..FILES).map(|i| (name(i), (i % 5) as u64)).collect();
    expected.sort();
    assert!(listed(storage, Some("data")).await == expected);
}

fn name(i: usize) -> String {
    format!("data/{:02x}/{i:05}", i % 16)
}
