//! Nothing that happens to the cache, or to the storage behind it, makes a read wrong (T-22).

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, SystemTime};

use super::bench::{Bench, hash_name, pack, range, read_all};
use strongroom_storage::{
    CacheDirectory, CacheSettings, CacheStorage, Class, ErrorKind, Operation, Retry, Storage,
    WriteMode,
};
use strongroom_testkit::{Fault, FaultyStorage};

/// T-22: a crash, a bad disk or another program has changed the copies; every read must be right all the same.
#[tokio::test]
async fn t22_a_damaged_copy_is_found_and_fetched_again() {
    type Damage = fn(&Path);
    let table: [(&str, Damage); 9] = [
        ("emptied", |copy| fs::write(copy, "").unwrap()),
        ("cut", |copy| {
            fs::write(copy, &fs::read(copy).unwrap()[..4000]).unwrap()
        }),
        ("longer", |copy| {
            fs::write(copy, [fs::read(copy).unwrap(), vec![0]].concat()).unwrap()
        }),
        ("a bit flipped", |copy| {
            let mut data = fs::read(copy).unwrap();
            data[4000] ^= 1;
            fs::write(copy, data).unwrap();
        }),
        ("other content", |copy| {
            fs::write(copy, vec![7; 5000]).unwrap()
        }),
        ("removed", |copy| fs::remove_file(copy).unwrap()),
        ("folder removed", |copy| {
            fs::remove_dir_all(copy.parent().unwrap()).unwrap()
        }),
        ("a folder in its place", |copy| {
            fs::remove_file(copy).unwrap();
            fs::create_dir_all(copy.join("x")).unwrap();
        }),
        ("a dangling link in its place", |copy| {
            fs::remove_file(copy).unwrap();
            std::os::unix::fs::symlink("nowhere", copy).unwrap();
        }),
    ];
    for (what, damage) in table {
        for folder in ["index", "snapshots", "data/ab"] {
            let bench = Bench::new();
            let (file, data) = bench.stored(folder, 1, 5000).await;
            read_all(&bench.cache(), &file, &data).await;
            damage(&bench.copy(&file));
            bench.recording.take();
            let cache = bench.cache();
            let part = cache
                .read(&file, range(4000, 1000), Class::Metadata)
                .await
                .unwrap();
            assert_eq!(part, data[4000..], "{what} in {folder}");
            assert_eq!(bench.recording.count(Operation::Read, ""), 1, "{what}");
            read_all(&cache, &file, &data).await;
            read_all(&bench.cache(), &file, &data).await;
            assert_eq!(
                bench.recording.count(Operation::Read, ""),
                1,
                "{what}: cached again"
            );
            assert_eq!(cache.problem(), None, "{what}");
        }
    }
}

/// T-22: cleaned up by another process between two reads of this one.
#[tokio::test]
async fn t22_a_cache_removed_while_it_is_used_does_no_harm() {
    let bench = Bench::new();
    let (index, index_data) = bench.stored("index", 1, 5000).await;
    let (pack, pack_data) = bench.stored("data/ab", 2, 5000).await;
    let cache = bench.cache();
    for round in 1..=3 {
        read_all(&cache, &index, &index_data).await;
        read_all(&cache, &pack, &pack_data).await;
        assert_eq!(bench.recording.count(Operation::Read, ""), round * 2);
        fs::remove_dir_all(bench.root()).unwrap();
    }
    assert_eq!(cache.problem(), None);
}

/// T-22: cleaned up by another process at any moment of this one's reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t22_a_cleanup_beside_readers_is_never_seen() {
    let bench = Bench::new();
    let mut files = Vec::new();
    for i in 0..8 {
        files.push(
            bench
                .stored(["index", "data/ab"][i % 2], i as u64, 20_000)
                .await,
        );
    }
    let root = bench.root().to_owned();
    let cleaner = tokio::task::spawn_blocking(move || {
        let directory = CacheDirectory::new(&root);
        for _ in 0..200 {
            // Two clean-ups at once, or a store beside one, may leave something; the next one takes it.
            let _ = directory.remove(&directory.folders().unwrap());
        }
    });
    while !cleaner.is_finished() {
        let cache = bench.cache();
        for (file, data) in &files {
            read_all(&cache, file, data).await;
        }
        assert_eq!(cache.problem(), None);
    }
    cleaner.await.unwrap();
}

/// T-22: a cache that cannot be written must not stop a run, and must not make each read fetch a whole pack.
#[tokio::test]
async fn t22_a_cache_that_cannot_be_written_is_done_without() {
    let bench = Bench::new();
    let (index, index_data) = bench.stored("index", 1, 5000).await;
    let (pack, pack_data) = bench.stored("data/ab", 2, 50_000).await;
    fs::write(bench.root(), "a file where the folder should be").unwrap();
    let cache = bench.cache();
    for _ in 0..3 {
        assert_eq!(
            cache.read(&index, None, Class::Metadata).await.unwrap(),
            index_data
        );
        assert_eq!(
            cache
                .read(&pack, range(7, 100), Class::Metadata)
                .await
                .unwrap(),
            pack_data[7..107]
        );
    }
    assert!(cache.problem().is_some());
    assert_eq!(bench.recording.bytes(Operation::Read, "data"), 300);
    let (file, data) = hash_name("index", 3, 100);
    cache
        .write(&file, data.clone(), WriteMode::New, Class::Metadata)
        .await
        .unwrap();
    assert_eq!(
        bench
            .memory
            .read(&file, None, Class::Metadata)
            .await
            .unwrap(),
        data
    );
    cache.list(None).await.unwrap();
    cache.delete(&file).await.unwrap();
}

/// The storage itself is damaged: the caller must get what is stored, to see that, and the cache must not keep it.
#[tokio::test]
async fn a_file_whose_name_does_not_fit_its_content_is_not_cached() {
    let bench = Bench::new();
    let (_, data) = hash_name("data/ab", 1, 50_000);
    let (name, _) = hash_name("data/ab", 2, 1);
    bench.put(&name, data.clone()).await;
    let cache = bench.cache();
    for i in 0..4 {
        let part = cache
            .read(&name, range(i * 10, 10), Class::Metadata)
            .await
            .unwrap();
        assert_eq!(part, data[i as usize * 10..][..10]);
    }
    assert_eq!(
        bench.recording.bytes(Operation::Read, ""),
        50_000 + 3 * 10,
        "the whole only once"
    );
    assert!(bench.copies().is_empty());
}

/// A pack with an unreadable place still gives the trees beside it.
#[tokio::test]
async fn where_the_whole_cannot_be_read_a_range_is() {
    let bench = Bench::new();
    let (file, data) = bench.stored("data/ab", 1, 5000).await;
    let whole = |asked: &strongroom_testkit::Asked| {
        asked.operation == Operation::Read && asked.range.is_none()
    };
    let fault = Fault::Fail(ErrorKind::Io, Retry::Never);
    let faulty = FaultyStorage::every(Arc::new(bench.memory.clone()), whole, fault);
    let settings = CacheSettings::default();
    let cache = CacheStorage::new(Arc::new(faulty), bench.root(), "name", settings).unwrap();
    assert_eq!(
        cache
            .read(&file, range(9, 9), Class::Metadata)
            .await
            .unwrap(),
        data[9..18]
    );
}

/// A reader that was cancelled while it fetched must not leave the others waiting for ever.
#[tokio::test]
async fn a_dropped_reader_hands_its_turn_on() {
    let bench = Bench::new();
    let (file, data) = bench.stored("index", 1, 5000).await;
    let faulty = FaultyStorage::nth(
        Arc::new(bench.memory.clone()),
        0,
        |asked| asked.operation == Operation::Read,
        Fault::Hang,
    );
    let settings = CacheSettings::default();
    let cache =
        CacheStorage::new(Arc::new(faulty.clone()), bench.root(), "name", settings).unwrap();
    let mut hanging = Box::pin(cache.read(&file, None, Class::Metadata));
    while faulty.asked() == 0 {
        let mut context = Context::from_waker(Waker::noop());
        assert!(hanging.as_mut().poll(&mut context).is_pending());
        tokio::task::yield_now().await;
    }
    drop(hanging);
    read_all(&cache, &file, &data).await;
}

/// T-22: without a bound the cache of an old machine fills its disk.
#[tokio::test]
async fn t22_the_least_recently_used_copies_make_room() {
    let bench = Bench::new();
    let settings = CacheSettings {
        max_total_bytes: 10_000,
        ..CacheSettings::default()
    };
    let mut files = Vec::new();
    for i in 0..12 {
        files.push(bench.stored("data/ab", i, 1000).await);
    }
    // Ten fill the bound; their ages are set by hand, the first being the oldest.
    for (i, (file, data)) in files[..10].iter().enumerate() {
        read_all(&bench.cache_with(settings), file, data).await;
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + i as u64);
        fs::File::options()
            .append(true)
            .open(bench.copy(file))
            .unwrap()
            .set_modified(time)
            .unwrap();
    }
    // Another process uses the oldest, then needs room for one more.
    let cache = bench.cache_with(settings);
    read_all(&cache, &files[0].0, &files[0].1).await;
    read_all(&cache, &files[10].0, &files[10].1).await;
    let left = bench.copies();
    let is_left = |i: usize| left.contains(&files[i].0);
    assert_eq!(left.len(), 10);
    assert!(is_left(0) && is_left(10), "in use");
    assert!(!is_left(1), "the one used least recently");
    assert!((2..10).all(is_left));
    assert_eq!(cache.problem(), None);
}

/// A cache smaller than what a run uses must not fetch whole packs again and again.
#[tokio::test]
async fn a_cache_full_of_what_is_in_use_takes_no_more() {
    let bench = Bench::new();
    let settings = CacheSettings {
        max_total_bytes: 2500,
        ..CacheSettings::default()
    };
    let cache = bench.cache_with(settings);
    let mut files = Vec::new();
    for i in 0..4 {
        files.push(bench.stored("data/ab", i, 1000).await);
    }
    for _ in 0..5 {
        for (file, data) in &files {
            let part = cache
                .read(file, range(500, 10), Class::Metadata)
                .await
                .unwrap();
            assert_eq!(part, data[500..510]);
        }
    }
    assert_eq!(bench.copies().len(), 2);
    // Two whole ones kept, a third that found no room, then ranges.
    let fetched = bench.recording.bytes(Operation::Read, "");
    assert_eq!(fetched, 3 * 1000 + (4 + 5) * 10);
}

/// A missing file, a range outside: the cache answers as the storage does.
#[tokio::test]
async fn errors_are_those_of_the_storage() {
    let bench = Bench::new();
    let cache = bench.cache();
    let (file, data) = bench.stored("data/ab", 1, 1000).await;
    let (missing, _) = pack(2, 10);
    for _ in 0..2 {
        for part in [None, range(0, 1)] {
            let error = cache
                .read(&missing, part, Class::Metadata)
                .await
                .unwrap_err();
            assert_eq!(
                (error.kind, error.path),
                (ErrorKind::NotFound, Some(missing.clone()))
            );
        }
        for (offset, length) in [(0, 1001), (1000, 1), (u64::MAX, 1), (1, u64::MAX)] {
            let error = cache
                .read(&file, range(offset, length), Class::Metadata)
                .await
                .unwrap_err();
            assert_eq!(error.kind, ErrorKind::RangeOutside);
        }
        assert!(
            cache
                .read(&file, range(1000, 0), Class::Metadata)
                .await
                .unwrap()
                .is_empty()
        );
        read_all(&cache, &file, &data).await;
    }
}
