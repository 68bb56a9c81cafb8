//! Storages that lie about what they have stored (T-21, T-34), behind the wrapper that asks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use strongroom_storage::{
    ByteRange, Capabilities, Class, ConfirmStorage, ErrorKind, FileInfo, MemoryStorage, Operation,
    Result, Retry, RetryPolicy, RetryStorage, Storage, StoragePath, WriteMode,
};
use strongroom_testkit::{Asked, Fault, FaultyStorage, RecordingStorage};

/// Memory that does not vouch for what it has stored, as a server that says "200" does not.
#[derive(Debug, Clone)]
struct Unconfirmed(MemoryStorage);

#[async_trait]
impl Storage for Unconfirmed {
    fn location(&self) -> String {
        self.0.location()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            confirms_writes: false,
            ..self.0.capabilities()
        }
    }

    async fn create(&self) -> Result<()> {
        self.0.create().await
    }

    async fn list(&self, folder: Option<&StoragePath>) -> Result<Vec<FileInfo>> {
        self.0.list(folder).await
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        self.0.stat(path).await
    }

    async fn read(
        &self,
        path: &StoragePath,
        range: Option<ByteRange>,
        class: Class,
    ) -> Result<Bytes> {
        self.0.read(path, range, class).await
    }

    async fn write(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        class: Class,
    ) -> Result<()> {
        self.0.write(path, data, mode, class).await
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        self.0.delete(path).await
    }
}

fn path() -> StoragePath {
    StoragePath::new("data/ab/abcd").unwrap()
}

fn is_write(asked: &Asked) -> bool {
    asked.is(Operation::Write, "")
}

async fn write(storage: &dyn Storage) -> Result<()> {
    let data = Bytes::from_static(b"a pack of twenty-four by");
    storage
        .write(&path(), data, WriteMode::New, Class::Data)
        .await
}

/// The kind that lies, with what it has in the end.
fn lying(rule: impl FnMut(&Asked) -> Fault + Send + 'static) -> (Arc<dyn Storage>, MemoryStorage) {
    let memory = MemoryStorage::new();
    let faulty = FaultyStorage::new(Arc::new(Unconfirmed(memory.clone())), rule);
    let confirmed = ConfirmStorage::new(Arc::new(faulty));
    let retried = RetryStorage::new(Arc::new(confirmed), RetryPolicy::default());
    (Arc::new(retried), memory)
}

/// An index named a pack that the server had lost, and the backup could not be restored.
#[tokio::test(start_paused = true)]
async fn t21_t34_a_file_that_vanishes_is_an_error_and_no_success() {
    let (storage, _) = lying(|asked| {
        if is_write(asked) {
            Fault::Lose
        } else {
            Fault::None
        }
    });
    let error = write(&*storage).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry),
        (ErrorKind::Mismatch, Retry::Never)
    );
    assert!(error.to_string().contains("does not show it"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn t21_t34_a_file_that_stays_short_is_an_error_and_no_success() {
    let (storage, _) = lying(|asked| match is_write(asked) {
        true => Fault::Truncate(5),
        false => Fault::None,
    });
    let error = write(&*storage).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry),
        (ErrorKind::Mismatch, Retry::Never)
    );
    assert!(
        error.to_string().contains("24 bytes, and shows 5"),
        "{error}"
    );
}

/// A line that cut one upload short does not fail a backup.
#[tokio::test(start_paused = true)]
async fn t21_a_file_that_came_short_once_is_sent_again() {
    let mut writes = 0;
    let (storage, memory) = lying(move |asked| {
        writes += usize::from(is_write(asked));
        match is_write(asked) && writes == 1 {
            true => Fault::Truncate(0),
            false => Fault::None,
        }
    });
    write(&*storage).await.unwrap();
    assert_eq!(memory.stat(&path()).await.unwrap().size_bytes, 24);
}

/// Object stores of another age, and some remotes of rclone's, show a file a moment later.
#[tokio::test(start_paused = true)]
async fn t34_a_file_that_shows_late_is_waited_for() {
    let mut asked_after = 0;
    let (storage, _) = lying(move |asked| {
        if !asked.is(Operation::Stat, "") {
            return Fault::None;
        }
        asked_after += 1;
        match asked_after <= 3 {
            true => Fault::Fail(ErrorKind::NotFound, Retry::Never),
            false => Fault::None,
        }
    });
    write(&*storage).await.unwrap();
}

/// Somebody else's file is not replaced because a storage is asked again.
#[tokio::test(start_paused = true)]
async fn t34_what_was_there_before_stays() {
    let (storage, memory) = lying(|_| Fault::None);
    let theirs = Bytes::from_static(b"theirs");
    let place = path();
    let first = memory.write(&place, theirs.clone(), WriteMode::New, Class::Data);
    first.await.unwrap();
    assert_eq!(
        write(&*storage).await.unwrap_err().kind,
        ErrorKind::AlreadyExists
    );
    let kept = memory.read(&path(), None, Class::Data).await.unwrap();
    assert_eq!(kept, theirs);
}

/// One more request for each file would be a tenth of a backup's time over a long line.
#[tokio::test]
async fn a_storage_that_confirms_by_itself_is_not_asked() {
    let recording = RecordingStorage::new(Arc::new(MemoryStorage::new()));
    let storage = ConfirmStorage::new(Arc::new(recording.clone()));
    write(&storage).await.unwrap();
    assert_eq!(recording.calls().len(), 1);
}
