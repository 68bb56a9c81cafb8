//! What the cache saves, what it holds, and how it is cleaned up.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::bench::{Bench, hash_name, range, read_all};
use strongroom_storage::{
    CacheDirectory, CacheSettings, CacheStorage, Class, ErrorKind, MemoryStorage, Operation,
    Storage, StoragePath, WriteMode,
};

fn path(text: &str) -> StoragePath {
    StoragePath::new(text).unwrap()
}

/// Opening a repository must not fetch its indexes each time.
#[tokio::test]
async fn indexes_and_snapshots_are_fetched_once_in_all_processes() {
    for folder in ["index", "snapshots"] {
        let bench = Bench::new();
        let (file, data) = bench.stored(folder, 1, 10_000).await;
        assert_eq!(
            bench
                .cache()
                .read(&file, None, Class::Metadata)
                .await
                .unwrap(),
            data
        );
        assert_eq!(bench.recording.count(Operation::Read, ""), 1);
        for _process in 0..2 {
            let cache = bench.cache();
            for _ in 0..2 {
                assert_eq!(
                    cache.read(&file, None, Class::Metadata).await.unwrap(),
                    data
                );
                let part = cache
                    .read(&file, range(5, 100), Class::Metadata)
                    .await
                    .unwrap();
                assert_eq!(part, data[5..105]);
            }
        }
        assert_eq!(bench.recording.count(Operation::Read, ""), 1);
    }
}

/// The next backup reads the trees that this one wrote.
#[tokio::test]
async fn what_was_written_is_read_without_the_storage() {
    let bench = Bench::new();
    for (i, folder) in ["index", "snapshots", "data/ab"].iter().enumerate() {
        let (name, data) = hash_name(folder, i as u64, 5000);
        let cache = bench.cache();
        let write = cache.write(&name, data.clone(), WriteMode::New, Class::Metadata);
        write.await.unwrap();
        for cache in [cache, bench.cache()] {
            assert_eq!(
                cache
                    .read(&name, range(10, 10), Class::Metadata)
                    .await
                    .unwrap(),
                data[10..20]
            );
            assert_eq!(
                cache.read(&name, None, Class::Metadata).await.unwrap(),
                data
            );
        }
    }
    assert_eq!(bench.recording.count(Operation::Read, ""), 0);
    assert_eq!(bench.recording.count(Operation::Write, ""), 3);
}

/// A thousand trees of one pack are one request, not a thousand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_of_one_pack_fetch_it_once() {
    let bench = Bench::new();
    let (file, data) = bench.stored("data/ab", 1, 100_000).await;
    let cache = bench.cache();
    let mut readers = tokio::task::JoinSet::new();
    for i in 0..50 {
        let (cache, file) = (cache.clone(), file.clone());
        readers.spawn(async move {
            let part = cache
                .read(&file, range(i * 1000, 1000), Class::Metadata)
                .await;
            (i as usize, part.unwrap())
        });
    }
    for (i, part) in readers.join_all().await {
        assert_eq!(part, data[i * 1000..(i + 1) * 1000]);
    }
    let reads = bench.recording.of(Operation::Read, "");
    assert_eq!(reads.len(), 1);
    assert_eq!(reads[0].range, None);
    assert_eq!(bench.recording.count(Operation::Stat, ""), 1);
}

/// Copies of file contents would fill the disk; copies of keys, locks and `config` would be out of date.
#[tokio::test]
async fn nothing_else_is_cached() {
    let bench = Bench::new();
    let cache = bench.cache();
    for (i, folder) in ["keys", "locks", "strongroom", "data/ab"]
        .iter()
        .enumerate()
    {
        let class = if *folder == "data/ab" {
            Class::Data
        } else {
            Class::Metadata
        };
        let (file, data) = hash_name(folder, i as u64, 1000);
        cache
            .write(&file, data.clone(), WriteMode::New, class)
            .await
            .unwrap();
        for _ in 0..2 {
            assert_eq!(cache.read(&file, None, class).await.unwrap(), data);
            assert_eq!(
                cache.read(&file, range(1, 1), class).await.unwrap(),
                data[1..2]
            );
        }
    }
    let config = path("config");
    let write = cache.write(&config, "x".into(), WriteMode::New, Class::Metadata);
    write.await.unwrap();
    cache.read(&config, None, Class::Metadata).await.unwrap();
    assert_eq!(bench.recording.count(Operation::Read, ""), 4 * 4 + 1);
    assert!(bench.copies().is_empty());
}

/// One blob out of a pack of a gigabyte must not fetch the gigabyte.
#[tokio::test]
async fn a_file_larger_than_the_limit_is_read_in_ranges() {
    let bench = Bench::new();
    let (file, data) = bench.stored("data/ab", 1, 5001).await;
    let settings = CacheSettings {
        max_file_bytes: 5000,
        ..CacheSettings::default()
    };
    let cache = bench.cache_with(settings);
    for _ in 0..2 {
        assert_eq!(
            cache
                .read(&file, range(7, 70), Class::Metadata)
                .await
                .unwrap(),
            data[7..77]
        );
    }
    assert_eq!(bench.recording.bytes(Operation::Read, ""), 140);
    assert!(bench.copies().is_empty());
}

/// A snapshot that was forgotten must not live on in the cache.
#[tokio::test]
async fn what_is_deleted_or_no_longer_listed_is_dropped() {
    let bench = Bench::new();
    let cache = bench.cache();
    let mut files = Vec::new();
    for (i, folder) in ["index", "index", "snapshots", "data/ab"]
        .iter()
        .enumerate()
    {
        let (file, data) = bench.stored(folder, i as u64, 1000).await;
        read_all(&cache, &file, &data).await;
        files.push(file);
    }
    assert_eq!(bench.copies().len(), 4);

    cache.delete(&files[0]).await.unwrap();
    let error = cache
        .read(&files[0], None, Class::Metadata)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert_eq!(bench.copies().len(), 3);

    for (folder, file) in [("index", 1), ("snapshots", 2), ("data", 3)] {
        bench.memory.delete(&files[file]).await.unwrap();
        cache.list(Some(&path("keys"))).await.unwrap();
        assert_eq!(bench.copies().len(), 4 - file);
        cache.list(Some(&path(folder))).await.unwrap();
        assert_eq!(bench.copies().len(), 3 - file, "{folder}");
    }

    let (file, data) = bench.stored("index", 9, 1000).await;
    read_all(&cache, &file, &data).await;
    cache.retain(&path("snapshots"), Default::default()).await;
    assert_eq!(bench.copies().len(), 1);
    cache.retain(&path("index"), Default::default()).await;
    assert!(bench.copies().is_empty());
}

/// `cache --cleanup` on a wrong directory must not remove what is not ours.
#[tokio::test]
async fn old_caches_are_listed_and_removed_and_nothing_else() {
    let bench = Bench::new();
    assert!(
        CacheDirectory::new(bench.root())
            .folders()
            .unwrap()
            .is_empty()
    );
    let (file, data) = bench.stored("index", 1, 1000).await;
    let inner: Arc<dyn Storage> = Arc::new(bench.memory.clone());
    for name in ["old", "new"] {
        let settings = CacheSettings::default();
        let cache = CacheStorage::new(inner.clone(), bench.root(), name, settings).unwrap();
        read_all(&cache, &file, &data).await;
    }
    fs::create_dir(bench.root().join("photos")).unwrap();
    fs::write(bench.root().join("photos/a"), "precious").unwrap();
    let now = SystemTime::now();
    let day = Duration::from_secs(24 * 60 * 60);
    let mark = fs::File::options()
        .append(true)
        .open(bench.root().join("old/last-used"))
        .unwrap();
    mark.set_modified(now - 40 * day).unwrap();

    let directory = CacheDirectory::new(bench.root());
    let folders = directory.folders().unwrap();
    let sizes: Vec<_> = folders
        .iter()
        .map(|f| (f.name.as_str(), f.size_bytes))
        .collect();
    assert_eq!(sizes, [("new", 1000), ("old", 1000)]);
    let plan = directory.plan_removal(30 * day, now).unwrap();
    assert_eq!(
        plan.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(),
        ["old"]
    );
    assert_eq!(plan[0].last_used, now - 40 * day);
    directory.remove(&plan).unwrap();
    directory.remove(&plan).unwrap();
    assert!(!bench.root().join("old").exists());
    assert!(bench.root().join("photos/a").exists());
    assert_eq!(directory.folders().unwrap().len(), 1);

    let tag = fs::read_to_string(bench.root().join("CACHEDIR.TAG")).unwrap();
    assert!(tag.starts_with("Signature: 8a477f597d28d172789f06886806bc55\n"));

    // Reading copies is use, also where nothing is stored.
    let mark = fs::File::options()
        .append(true)
        .open(bench.root().join("new/last-used"))
        .unwrap();
    mark.set_modified(now - 40 * day).unwrap();
    let settings = CacheSettings::default();
    let cache = CacheStorage::new(inner, bench.root(), "new", settings).unwrap();
    read_all(&cache, &file, &data).await;
    assert!(directory.plan_removal(30 * day, now).unwrap().is_empty());
}

#[tokio::test]
async fn a_cache_cannot_be_named_out_of_its_root() {
    for name in ["", ".", "..", "a/b", "/a", "a b"] {
        let inner = Arc::new(MemoryStorage::new());
        assert!(
            CacheStorage::new(inner, "/nowhere", name, CacheSettings::default()).is_err(),
            "{name:?}"
        );
    }
}
