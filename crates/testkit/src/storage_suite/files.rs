//! Storing, replacing and removing whole files.

use bytes::Bytes;
use strongroom_storage::{ByteRange, Class, ErrorKind, WriteMode};

use super::{Fixture, assert_kind, content, created, get, listed, path, put};

/// Bytes of a file larger than any buffer or part size on the way.
const LARGE_BYTES: usize = 40 << 20;

/// The first thing asked of a storage.
pub async fn what_was_written_is_there(fixture: &Fixture) {
    let storage = created(fixture).await;
    for (seed, mode) in [(1, WriteMode::New), (2, WriteMode::Replace)] {
        for class in [Class::Metadata, Class::Data] {
            let file = path(&format!("data/{seed}/{class:?}"));
            let data = content(seed, 10_007);
            let write = storage.write(&file, data.clone(), mode, class);
            write.await.unwrap();
            assert_eq!(storage.read(&file, None, class).await.unwrap(), data);
            let info = storage.stat(&file).await.unwrap();
            assert_eq!((info.path, info.size_bytes), (file, 10_007));
        }
    }
    assert_eq!(listed(storage, None).await.len(), 4);
}

/// A zero-byte file that vanished would be a file that was not restored.
pub async fn an_empty_file_is_a_file(fixture: &Fixture) {
    let storage = created(fixture).await;
    put(storage, "empty", Bytes::new()).await;
    assert!(get(storage, "empty").await.is_empty());
    assert_eq!(listed(storage, None).await, [("empty".to_owned(), 0)]);
    let nothing = Some(ByteRange {
        offset: 0,
        length: 0,
    });
    let read = storage.read(&path("empty"), nothing, Class::Data).await;
    assert!(read.unwrap().is_empty());
}

/// Two repositories initialised in one place: the second must not overwrite the first one's `config`.
pub async fn new_leaves_an_old_file_alone(fixture: &Fixture) {
    let storage = created(fixture).await;
    let file = path("config");
    put(storage, "config", "first").await;
    for data in ["first", "second", ""] {
        let write = storage.write(&file, Bytes::from(data), WriteMode::New, Class::Metadata);
        assert_kind(write.await, ErrorKind::AlreadyExists);
    }
    assert_eq!(get(storage, "config").await, "first");
}

/// A shorter file in place of a longer one must not keep the old one's end.
pub async fn replace_takes_the_place_of_the_old_file(fixture: &Fixture) {
    let storage = created(fixture).await;
    let file = path("index/a");
    for data in ["a rather long content", "short", "", "longer again"] {
        let write = storage.write(
            &file,
            Bytes::from(data),
            WriteMode::Replace,
            Class::Metadata,
        );
        write.await.unwrap();
        assert_eq!(get(storage, "index/a").await, data);
        let size = storage.stat(&file).await.unwrap().size_bytes;
        assert_eq!(size, data.len() as u64);
    }
    assert_eq!(listed(storage, None).await.len(), 1);
}

/// A lock that stays after it was removed blocks every later run.
pub async fn a_deleted_file_is_gone_and_its_name_free(fixture: &Fixture) {
    let storage = created(fixture).await;
    put(storage, "locks/a", "one").await;
    put(storage, "locks/b", "kept").await;
    storage.delete(&path("locks/a")).await.unwrap();
    assert_kind(
        storage.read(&path("locks/a"), None, Class::Metadata).await,
        ErrorKind::NotFound,
    );
    assert_kind(storage.stat(&path("locks/a")).await, ErrorKind::NotFound);
    assert_kind(storage.delete(&path("locks/a")).await, ErrorKind::NotFound);
    assert_eq!(
        listed(storage, Some("locks")).await,
        [("locks/b".to_owned(), 4)]
    );
    put(storage, "locks/a", "two").await;
    assert_eq!(get(storage, "locks/a").await, "two");
}

/// A name that a kind changes on the way is a file that the next process does not find.
pub async fn names_of_every_allowed_shape_work(fixture: &Fixture) {
    let storage = created(fixture).await;
    let long = "x".repeat(200);
    let deep = ["folder"; 30].join("/");
    let names = [
        "a",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "._-",
        ".hidden",
        "-dash",
        "..two",
        "dot.",
        "a.b.c/d_e-f",
        "with.tmp",
        "strongroom/parity/1.json",
        &long,
        &deep,
    ];
    for name in names {
        put(storage, name, Bytes::from(name.to_owned())).await;
    }
    for name in names {
        assert_eq!(get(storage, name).await, name);
        assert_eq!(storage.stat(&path(name)).await.unwrap().path.as_str(), name);
    }
    let mut expected: Vec<_> = names
        .iter()
        .map(|name| ((*name).to_owned(), name.len() as u64))
        .collect();
    expected.sort();
    assert_eq!(listed(storage, None).await, expected);
    for name in names {
        storage.delete(&path(name)).await.unwrap();
    }
    assert!(listed(storage, None).await.is_empty());
}

/// Packs and indexes can be larger than a part of an upload.
pub async fn a_large_file_is_stored_whole(fixture: &Fixture) {
    let storage = created(fixture).await;
    let data = content(7, LARGE_BYTES);
    put(storage, "data/large", data.clone()).await;
    assert_eq!(
        listed(storage, None).await,
        [("data/large".to_owned(), LARGE_BYTES as u64)]
    );
    // No assert_eq: it would print 40 MiB.
    assert!(get(storage, "data/large").await == data);
    for offset in [0, 1, (16 << 20) - 1, LARGE_BYTES / 2, LARGE_BYTES - 4096] {
        let range = ByteRange {
            offset: offset as u64,
            length: 4096,
        };
        let read = storage
            .read(&path("data/large"), Some(range), Class::Data)
            .await
            .unwrap();
        assert!(read == data[offset..offset + 4096], "at {offset}");
    }
}
