//! Files of ours beside restic's.

use std::sync::Arc;

use bytes::Bytes;
use strongroom_repository::ErrorKind;
use strongroom_repository::own_files::OwnFolder;
use strongroom_storage::{MemoryStorage, Storage, WriteMode};
use strongroom_testkit::{ResticLayoutStorage, engine};

/// A file that is not found again, or under another name, is a snapshot that cannot be brought back.
#[tokio::test]
async fn a_file_of_ours_is_found_under_its_name() {
    let repository = engine::new_repository(Arc::new(MemoryStorage::new())).await;
    for folder in OwnFolder::ALL {
        assert!(repository.list_own(folder).await.unwrap().is_empty());
        let sealed = repository.seal_own(b"a record").unwrap();
        let data = Bytes::from(sealed);
        let write = repository.write_own(folder, "a/b-1", data.clone(), WriteMode::New);
        write.await.unwrap();
        let listed = repository.list_own(folder).await.unwrap();
        assert_eq!(listed.len(), 1, "{listed:?}");
        assert_eq!(listed[0].name, "a/b-1");
        assert_eq!(listed[0].size_bytes, data.len() as u64);
        let read = repository.read_own(folder, "a/b-1").await.unwrap();
        assert_eq!(repository.open_own(&read).unwrap(), b"a record");
        repository.delete_own(folder, "a/b-1").await.unwrap();
        repository.delete_own(folder, "a/b-1").await.unwrap();
        let gone = repository.read_own(folder, "a/b-1").await.unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::NotFound);
    }
}

/// A command that finds out halfway that the storage refuses its files has changed something for nothing.
#[tokio::test]
async fn a_storage_that_cannot_hold_them_is_known_before_anything_is_changed() {
    let inner: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let repository = engine::new_repository(Arc::new(ResticLayoutStorage::new(inner))).await;
    for folder in OwnFolder::ALL {
        let refused = repository.require_own_folders(folder).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unsupported);
        assert!(refused.to_string().contains(folder.noun()), "{refused}");
        assert!(repository.list_own(folder).await.unwrap().is_empty());
        let write = repository.write_own(folder, "a", Bytes::new(), WriteMode::New);
        assert_eq!(write.await.unwrap_err().kind(), ErrorKind::Unsupported);
    }
}
