//! Whether the storage and its files are there.

use bytes::Bytes;
use strongroom_storage::{Class, ErrorKind, Operation, WriteMode};

use super::{Fixture, assert_kind, created, get, listed, path, put};

/// A disk that is not mounted must not look like an empty one, and must not be written around.
pub async fn a_storage_does_not_exist_before_it_is_created(fixture: &Fixture) {
    let storage = fixture.storage.as_ref();
    let file = path("data/ab/abcd");
    // The first answer also tells what the storage promises, where a kind learns that from its server.
    let first = storage.list(None).await;
    if !storage.capabilities().must_be_created {
        assert!(first.unwrap().is_empty());
        assert_kind(storage.stat(&file).await, ErrorKind::NotFound);
        assert_kind(storage.delete(&file).await, ErrorKind::NotFound);
        return;
    }
    for folder in [None, Some(&path("data"))] {
        assert_kind(storage.list(folder).await, ErrorKind::NotFound);
    }
    assert_kind(storage.stat(&file).await, ErrorKind::NotFound);
    assert_kind(
        storage.read(&file, None, Class::Metadata).await,
        ErrorKind::NotFound,
    );
    assert_kind(storage.delete(&file).await, ErrorKind::NotFound);
    for mode in [WriteMode::New, WriteMode::Replace] {
        let write = storage.write(&file, Bytes::from_static(b"x"), mode, Class::Data);
        assert_kind(write.await, ErrorKind::NotFound);
    }
    assert_kind(storage.list(None).await, ErrorKind::NotFound);
    assert!(listed(created(fixture).await, None).await.is_empty());
}

/// `init` on an existing repository must not empty it.
pub async fn creating_twice_keeps_the_files(fixture: &Fixture) {
    let storage = created(fixture).await;
    put(storage, "config", "kept").await;
    storage.create().await.unwrap();
    assert_eq!(get(storage, "config").await, "kept");
}

/// A caller that takes "not there" for "cannot be read" would write anew what exists.
pub async fn a_missing_file_is_not_found_by_any_call(fixture: &Fixture) {
    let storage = created(fixture).await;
    put(storage, "there/file", "x").await;
    for name in ["missing", "missing/file", "there/other", "there/file/below"] {
        let file = path(name);
        assert_kind(storage.stat(&file).await, ErrorKind::NotFound);
        for class in [Class::Metadata, Class::Data] {
            assert_kind(storage.read(&file, None, class).await, ErrorKind::NotFound);
        }
        assert_kind(storage.delete(&file).await, ErrorKind::NotFound);
    }
}

/// `delete` on a folder must not take the files in it along.
pub async fn a_folder_is_no_file(fixture: &Fixture) {
    let storage = created(fixture).await;
    put(storage, "data/ab/abcd", "x").await;
    for name in ["data", "data/ab"] {
        let folder = path(name);
        assert_kind(storage.stat(&folder).await, ErrorKind::NotFound);
        assert_kind(
            storage.read(&folder, None, Class::Data).await,
            ErrorKind::NotFound,
        );
        assert_kind(storage.delete(&folder).await, ErrorKind::NotFound);
    }
    assert_eq!(get(storage, "data/ab/abcd").await, "x");
}

/// An error without its place cannot be acted on.
pub async fn errors_say_where(fixture: &Fixture) {
    let storage = created(fixture).await;
    let file = path("no/such-file");
    let errors = [
        (Operation::Stat, storage.stat(&file).await.unwrap_err()),
        (
            Operation::Read,
            storage.read(&file, None, Class::Data).await.unwrap_err(),
        ),
        (Operation::Delete, storage.delete(&file).await.unwrap_err()),
    ];
    for (operation, error) in errors {
        assert_eq!(error.operation, operation);
        assert_eq!(error.path.as_ref(), Some(&file));
        assert_eq!(error.location, storage.location());
        assert!(error.to_string().contains("no/such-file"), "{error}");
    }
}
