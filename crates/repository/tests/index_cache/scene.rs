//! A repository that holds index files alone, and views of it with and without a cache.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use strongroom_repository::Repository;
use strongroom_repository::file_kind::FileKind;
use strongroom_repository::format::index::IndexEncoder;
use strongroom_repository::format::pack_header::PackedBlob;
use strongroom_repository::format::{BlobKind, Id};
use strongroom_repository::index::{Index, IndexCache, Location};
use strongroom_repository::progress::Silent;
use strongroom_storage::{CacheTables, Class, MemoryStorage, Storage, WriteMode};
use strongroom_testkit::RecordingStorage;
use strongroom_testkit::engine::new_repository;
use tempfile::TempDir;

const KINDS: [BlobKind; 2] = [BlobKind::Data, BlobKind::Tree];

pub struct Scene {
    pub storage: RecordingStorage,
    /// Past the cache.
    pub plain: Repository,
    pub folder: TempDir,
    notices: Arc<Mutex<Vec<String>>>,
}

impl Scene {
    pub async fn new() -> Self {
        let storage = RecordingStorage::new(Arc::new(MemoryStorage::new()));
        let plain = new_repository(Arc::new(storage.clone()) as Arc<dyn Storage>).await;
        Self {
            storage,
            plain,
            folder: tempfile::tempdir().unwrap(),
            notices: Arc::default(),
        }
    }

    /// The repository with a cache for an index of so many blobs and more.
    pub fn cached(&self, blobs_min: usize) -> Repository {
        let tables = CacheTables::new(self.folder.path(), "one").unwrap();
        let notices = Arc::clone(&self.notices);
        let notice = move |text: &str| notices.lock().unwrap().push(text.to_owned());
        self.plain
            .with_index_cache(IndexCache::new(tables, notice).from_blobs(blobs_min))
    }

    /// What was said of the cache since the last time.
    pub fn notices(&self) -> Vec<String> {
        std::mem::take(&mut self.notices.lock().unwrap())
    }

    pub fn table(&self) -> PathBuf {
        self.folder.path().join("one/tables/index")
    }

    /// Stores an index file.
    pub async fn add(&self, packs: &[(Id, Vec<PackedBlob>)]) -> Id {
        let mut encoder = IndexEncoder::new();
        for (pack, blobs) in packs {
            encoder.pack(pack, blobs);
        }
        let json = encoder.finish();
        self.plain.save_file(FileKind::Index, json).await.unwrap()
    }

    /// Stores an index file of some packs with so many blobs each.
    pub async fn add_packs(&self, packs: std::ops::Range<u32>, blobs: u32) -> Id {
        let pack = |pack: u32| {
            let blobs = (0..blobs).map(|n| blob(pack * 100_000 + n, n * 40));
            (pack_id(pack), blobs.collect())
        };
        self.add(&packs.map(pack).collect::<Vec<_>>()).await
    }

    /// Puts a pack of so many bytes in place of the one of that number.
    pub async fn store_pack(&self, number: u32, bytes: u64) {
        let path = FileKind::Pack.path(&pack_id(number)).unwrap();
        let content = Bytes::from(vec![0; usize::try_from(bytes).unwrap()]);
        let (mode, class) = (WriteMode::Replace, Class::Data);
        self.storage
            .write(&path, content, mode, class)
            .await
            .unwrap();
    }

    pub async fn remove(&self, file: &Id) {
        self.plain.delete_file(FileKind::Index, file).await.unwrap();
    }

    /// What the index files say.
    pub async fn truth(&self) -> Contents {
        contents(&self.plain.load_index(&Silent).await.unwrap())
    }
}

pub fn pack_id(number: u32) -> Id {
    Id::of(&[&b"pack"[..], &number.to_le_bytes()].concat())
}

pub fn blob_id(number: u32) -> Id {
    Id::of(&number.to_le_bytes())
}

/// A blob whose kind and lengths follow from its number.
pub fn blob(number: u32, offset: u32) -> PackedBlob {
    PackedBlob {
        kind: KINDS[usize::from(number.is_multiple_of(7))],
        id: blob_id(number),
        offset,
        length: 32 + number % 8,
        uncompressed_length: NonZeroU32::new(number % 3),
    }
}

/// All that an index says, in an order that does not depend on how it was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Contents {
    blobs: BTreeSet<(bool, Id, Id, u32, u32, u32)>,
    packs: BTreeSet<Id>,
    files: BTreeMap<Id, BTreeSet<Id>>,
}

/// Reads all of an index, in every way in which it can be asked, which have to agree.
pub fn contents(index: &Index) -> Contents {
    let mut blobs = BTreeSet::new();
    for kind in KINDS {
        let row = |id: Id, place: Location| {
            let plain = place.uncompressed_length.map_or(0, NonZeroU32::get);
            let is_tree = kind == BlobKind::Tree;
            (is_tree, id, place.pack, place.offset, place.length, plain)
        };
        let mut positions = HashSet::new();
        assert_eq!(index.blobs(kind).count(), index.len(kind));
        for (position, blob) in index.blobs(kind).enumerate() {
            assert!(blobs.insert(row(blob.id, blob.location)), "told twice");
            assert_eq!(index.at(kind, position), Some(blob));
            let places: Vec<_> = index.places(kind, &blob.id).collect();
            assert!(places.contains(&(position, blob.location)));
            assert_eq!(index.ordinal(kind, &blob.id), Some(places[0].0));
            assert_eq!(index.locate(kind, &blob.id), Some(places[0].1));
            assert!(index.contains(kind, &blob.id));
            positions.extend(places.iter().map(|(position, _)| *position));
        }
        assert_eq!(positions.len(), index.len(kind));
        assert_eq!(index.at(kind, index.len(kind)), None);
        for absent in [[0; 32], [0x5a; 32], [255; 32]].map(Id::from_bytes) {
            assert!(!index.contains(kind, &absent));
            assert_eq!(index.locate_all(kind, &absent).count(), 0);
        }
        let packs = index.pack_numbers(kind).map(|n| index.packs()[n as usize]);
        assert!(packs.eq(index.blobs(kind).map(|blob| blob.location.pack)));
    }
    let packs: BTreeSet<Id> = index.packs().iter().copied().collect();
    assert_eq!(packs.len(), index.packs().len(), "a pack has two numbers");
    let mut files = BTreeMap::new();
    for file in index.files() {
        let packs = file.packs.iter().map(|n| index.packs()[*n as usize]);
        assert!(files.insert(file.id, packs.collect()).is_none());
    }
    Contents {
        blobs,
        packs,
        files,
    }
}
