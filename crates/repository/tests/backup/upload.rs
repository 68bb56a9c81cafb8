//! The uploader beside workers that produce faster than the storage takes.

use std::num::NonZeroUsize;
use std::sync::Arc;

use secrecy::SecretString;
use strongroom_repository::format::BlobKind;
use strongroom_repository::pack::{BlobWriter, WriterOptions};
use strongroom_repository::progress::Silent;
use strongroom_repository::repository::{OpenOptions, Settings};
use strongroom_repository::{FileKind, Repository};
use strongroom_storage::{LimitStorage, MemoryStorage};
use strongroom_testkit::engine::{PASSWORD, new_repository};
use tokio_util::sync::CancellationToken;

/// All workers wait for the uploader, and the uploader has an index file to write. If it needed one of them for that, a
/// large backup to a slow storage would stand still for ever.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_file_is_written_while_all_workers_wait() {
    const BLOBS: u64 = 160_000;
    let storage = Arc::new(MemoryStorage::new());
    new_repository(storage.clone()).await;
    let one_call_at_once = Arc::new(LimitStorage::new(storage, NonZeroUsize::MIN));
    let options = OpenOptions {
        threads: 1,
        settings: Settings {
            pack_size_bytes: 1 << 20,
            ..Settings::default()
        },
        ..OpenOptions::default()
    };
    let repository = Repository::open(one_call_at_once, &SecretString::from(PASSWORD), &options)
        .await
        .unwrap();
    let writer = BlobWriter::new(
        &repository,
        Arc::default(),
        WriterOptions::default(),
        CancellationToken::new(),
    );
    let job = writer.clone();
    let store_all = move || {
        (0..BLOBS)
            .try_for_each(|number| job.store(BlobKind::Data, &number.to_le_bytes()).map(|_| ()))
    };
    repository.workers().run(store_all).await.unwrap().unwrap();
    writer.finish().await.unwrap();
    assert!(repository.list(FileKind::Index).await.unwrap().len() > 1);
    let index = repository.load_index(&Silent).await.unwrap();
    assert_eq!(index.len(BlobKind::Data) as u64, BLOBS);
}
