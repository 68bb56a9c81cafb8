//! A blob is stored twice, in ways that an index must not mix up, and one of the places is no good.

use std::sync::{Arc, Mutex};

use secrecy::SecretString;
use strongroom_storage::{ErrorKind as StorageKind, MemoryStorage, Operation, Retry, Storage};
use strongroom_testkit::{Asked, Fault, FaultyStorage};
use tokio_util::sync::CancellationToken;

use super::{GAP_MAX, READ_MAX, ReadBlob, read_blobs, run_length};
use crate::compression::Level;
use crate::crypto::{KdfParams, KeyOwner};
use crate::file_kind::FileKind;
use crate::format::{BlobKind, Id, RepositoryVersion, Time};
use crate::index::{Index, IndexedBlob, Location};
use crate::pack::{BlobWriter, WriterOptions};
use crate::progress::Silent;
use crate::repository::{CreateOptions, OpenOptions, Settings};
use crate::{Error, Repository, Result};

const CONTENT: &[u8] = &[b'x'; 5000];

struct Scene {
    storage: MemoryStorage,
    repository: Repository,
    index: Index,
    compressed: IndexedBlob,
    plain: IndexedBlob,
}

/// One blob in two packs, compressed in one of them.
async fn scene() -> Scene {
    let password = SecretString::from("correct horse");
    let storage = MemoryStorage::new();
    let owner = KeyOwner {
        created: Time::utc(jiff::Timestamp::UNIX_EPOCH),
        username: "tester".into(),
        hostname: "testhost".into(),
    };
    let options = CreateOptions {
        version: RepositoryVersion::V2,
        kdf: KdfParams { n: 2, r: 1, p: 1 },
        owner,
        polynomial: None,
        settings: Settings::default(),
        threads: 2,
    };
    let repository = Repository::create(Arc::new(storage.clone()), &password, &options).await;
    let repository = repository.unwrap();
    for compression in [Level::Auto, Level::Off] {
        let options = OpenOptions {
            settings: Settings {
                compression,
                ..Settings::default()
            },
            threads: 2,
            ..OpenOptions::default()
        };
        let here = Repository::open(Arc::new(storage.clone()), &password, &options);
        // A writer that knows of no blob stores it again.
        let writer = BlobWriter::new(
            &here.await.unwrap(),
            Arc::default(),
            WriterOptions::default(),
            CancellationToken::new(),
        );
        let this = writer.clone();
        let storing = move || this.store(BlobKind::Data, CONTENT).map(drop);
        tokio::task::spawn_blocking(storing).await.unwrap().unwrap();
        writer.finish().await.unwrap();
    }
    let index = repository.load_index(&Silent).await.unwrap();
    let (kind, id) = (BlobKind::Data, Id::of(CONTENT));
    let places = index.locate_all(kind, &id);
    let (compressed, plain): (Vec<Location>, Vec<Location>) =
        places.partition(|place| place.uncompressed_length.is_some());
    let blob = |places: &[Location]| {
        let &[location] = places else {
            panic!("{places:?}");
        };
        IndexedBlob { kind, id, location }
    };
    Scene {
        compressed: blob(&compressed),
        plain: blob(&plain),
        storage,
        repository,
        index,
    }
}

impl Scene {
    async fn read(&self, storage: Arc<dyn Storage>, blob: &IndexedBlob) -> Result<ReadBlob> {
        let read = Mutex::new(Vec::new());
        let repository = self.repository.with_storage(storage);
        read_blobs(&repository, &self.index, &[*blob], |blobs| {
            read.lock().unwrap().extend(blobs);
            std::future::ready(Ok(()))
        })
        .await?;
        Ok(read.into_inner().unwrap().pop().unwrap())
    }

    fn pairs(&self) -> [(&IndexedBlob, &IndexedBlob); 2] {
        [
            (&self.compressed, &self.plain),
            (&self.plain, &self.compressed),
        ]
    }
}

fn is_pack(asked: &Asked, blob: &IndexedBlob) -> bool {
    let path = FileKind::Pack.path(&blob.location.pack).unwrap();
    asked.is(Operation::Read, path.as_str())
}

fn storage_kind(error: &Error) -> Option<StorageKind> {
    error.storage().map(|error| error.kind)
}

/// A prune stores what it has read as it was stored there. If it believed the place that is damaged and took the bytes of
/// the other one, the index would say "compressed" of what is not, and the blob would be lost with its old packs.
#[tokio::test(flavor = "multi_thread")]
async fn another_copy_is_taken_with_all_that_the_index_says_of_it() {
    let scene = scene().await;
    for (asked_for, other) in scene.pairs() {
        let pack = FileKind::Pack.path(&asked_for.location.pack).unwrap();
        let gone = scene.storage.fork();
        gone.delete(&pack).await.unwrap();
        let reads = |fault| {
            let blob = *asked_for;
            let inner = Arc::new(scene.storage.clone());
            FaultyStorage::every(inner, move |asked| is_pack(asked, &blob), fault)
        };
        let bad_sector = reads(Fault::Fail(StorageKind::Io, Retry::Never));
        let storages: [Arc<dyn Storage>; 3] = [
            Arc::new(gone),
            Arc::new(reads(Fault::Flip(40))),
            Arc::new(bad_sector),
        ];
        for storage in storages {
            let read = scene.read(storage, asked_for).await.unwrap();
            assert_eq!(read.blob, *other);
            assert_eq!(read.plain, CONTENT);
            let (id, place) = (read.blob.id, read.blob.location);
            let again = scene.repository.decode_blob(&id, &place, &read.stored);
            assert_eq!(again.unwrap(), CONTENT);
        }
        let sound: Arc<dyn Storage> = Arc::new(scene.storage.clone());
        let read = scene.read(sound, asked_for).await.unwrap();
        assert_eq!(read.blob, *asked_for);
    }
}

/// That a storage cannot be asked says nothing about the data. Who takes it for damage gives up what is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_cannot_be_reached_is_not_damage() {
    let scene = scene().await;
    for (first, second) in scene.pairs() {
        let unreachable = Fault::Fail(StorageKind::Unreachable, Retry::Later);
        for (of_first, of_second) in [
            (unreachable, Fault::None),
            (Fault::Flip(40), unreachable),
            (unreachable, Fault::Flip(40)),
        ] {
            let (a, b) = (*first, *second);
            let faulty = FaultyStorage::new(Arc::new(scene.storage.clone()), move |asked| {
                match (is_pack(asked, &a), is_pack(asked, &b)) {
                    (true, _) => of_first,
                    (_, true) => of_second,
                    _ => Fault::None,
                }
            });
            let faulty: Arc<dyn Storage> = Arc::new(faulty);
            let when = format!("{of_first:?}, {of_second:?}");
            let read = scene.read(Arc::clone(&faulty), first).await;
            let kind = read.as_ref().err().and_then(storage_kind);
            assert_eq!(kind, Some(StorageKind::Unreachable), "{when}");
            let repository = scene.repository.with_storage(faulty);
            let loaded = repository.load_blob(&scene.index, first.kind, &first.id);
            match loaded.await {
                Ok(content) => assert_eq!(content, CONTENT, "{when}"),
                Err(error) => {
                    assert_eq!(
                        storage_kind(&error),
                        Some(StorageKind::Unreachable),
                        "{when}"
                    );
                }
            }
        }
    }
}

/// A call for every blob would make a prune over a network last for days, and one for a whole pack with a few needed blobs
/// would read all that goes.
#[test]
fn blobs_are_read_in_one_call_as_far_as_gaps_and_memory_allow() {
    let run = |places: &[(u64, u64)]| {
        let blobs = places.iter().map(|&(offset, length)| IndexedBlob {
            kind: BlobKind::Data,
            id: Id::of(&offset.to_le_bytes()),
            location: Location {
                pack: Id::of(b"pack"),
                offset: u32::try_from(offset).unwrap(),
                length: u32::try_from(length).unwrap(),
                uncompressed_length: None,
            },
        });
        run_length(&blobs.collect::<Vec<_>>())
    };
    assert_eq!(run(&[(5, 10), (15, 10), (25, 10)]), 3);
    assert_eq!(run(&[(5, 100), (105 + GAP_MAX, 1), (900, 1)]), 3);
    assert_eq!(run(&[(5, 100), (106 + GAP_MAX, 1)]), 1);
    assert_eq!(run(&[(5, READ_MAX - 10), (READ_MAX - 5, 10)]), 2);
    assert_eq!(run(&[(5, READ_MAX - 10), (READ_MAX - 5, 11)]), 1);
    // One that is larger than a call should be is read all the same, and alone.
    assert_eq!(run(&[(5, READ_MAX + 1)]), 1);
    assert_eq!(run(&[(5, READ_MAX + 1), (READ_MAX + 6, 1)]), 1);
}
