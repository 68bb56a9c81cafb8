//! What takes long and is asked once a kind: large files, and many in one folder.

use bytes::Bytes;
use strongroom_storage::{ByteRange, Class};

use super::{Fixture, content, created, get, listed, path, put};

/// Larger than any pack, as an index of a very large repository may be.
const LARGE_BYTES: usize = 300 << 20;

/// What a kind cuts into parts must come back as one, whatever the number of parts.
pub async fn a_file_of_300_mib_is_stored_whole(fixture: &Fixture) {
    let storage = created(fixture).await;
    let data = content(11, LARGE_BYTES);
    let file = path("data/large");
    put(storage, file.as_str(), data.clone()).await;
    let size_bytes = storage.stat(&file).await.unwrap().size_bytes;
    assert_eq!(size_bytes, LARGE_BYTES as u64);
    // No assert_eq: it would print 300 MiB.
    assert!(get(storage, "data/large").await == data);
    for offset in [0, (256 << 20) - 1, LARGE_BYTES - 4096] {
        let range = ByteRange {
            offset: offset as u64,
            length: 4096,
        };
        let read = storage.read(&file, Some(range), Class::Data).await;
        assert!(read.unwrap() == data[offset..offset + 4096]);
    }
}

/// A listing that ends after its tenth page loses snapshots.
pub async fn ten_thousand_files_in_a_folder_are_all_listed(fixture: &Fixture) {
    const FILES: usize = 10_000;
    const WRITERS: usize = 16;
    let storage = created(fixture).await;
    let name = |number: usize| format!("index/{number:05}");
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let storage = fixture.storage.clone();
        tasks.spawn(async move {
            for number in (writer..FILES).step_by(WRITERS) {
                let data = Bytes::from(vec![7; number % 7]);
                put(storage.as_ref(), &name(number), data).await;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let expected: Vec<_> = (0..FILES)
        .map(|number| (name(number), (number % 7) as u64))
        .collect();
    assert!(listed(storage, Some("index")).await == expected);
}
