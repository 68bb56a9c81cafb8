//! Prune on random repositories with everything that writers have ever left behind: a blob twice in one pack (story
//! T-01), in several packs, packs that two index files describe in parts (story T-08) or twice, mixed packs, packs in no
//! index, data that is not compressed.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use bytes::Bytes;
use strongroom_repository::check::ReadData;
use strongroom_repository::crypto::MasterKey;
use strongroom_repository::format::index::IndexEncoder;
use strongroom_repository::format::pack_header::{self, PackedBlob};
use strongroom_repository::format::{
    BlobKind, Id, KeyFile, Mode, Node, NodeKind, Snapshot, Time, Tree,
};
use strongroom_repository::prune::{MaxUnused, PruneOptions};
use strongroom_repository::{FileKind, Repository, compression};
use strongroom_storage::{Class, MemoryStorage, Storage, WriteMode};
use strongroom_testkit::Random;
use strongroom_testkit::engine::{PASSWORD, new_repository};

use crate::fixture::{assert_sound, check, on_disk, plan, prune};

struct Maker {
    random: Random,
    storage: MemoryStorage,
    repository: Repository,
    master: MasterKey,
    blobs: Vec<(BlobKind, Vec<u8>)>,
}

fn node(name: String, kind: NodeKind) -> Node {
    let epoch = Time::utc(jiff::Timestamp::UNIX_EPOCH);
    Node {
        name: name.into_bytes(),
        kind,
        mode: Mode::default(),
        mtime: epoch,
        atime: epoch,
        ctime: epoch,
        uid: 0,
        gid: 0,
        user: String::new(),
        group: String::new(),
        inode: 0,
        device_id: 0,
        size_bytes: 0,
        links: 1,
        link_target: Vec::new(),
        extended_attributes: Vec::new(),
        generic_attributes: Default::default(),
        device: 0,
        content: None,
        subtree: None,
        error: String::new(),
    }
}

impl Maker {
    async fn new(seed: u64) -> Self {
        let storage = MemoryStorage::new();
        let repository = new_repository(Arc::new(storage.clone())).await;
        let key = FileKind::Key.path(&repository.key_id()).unwrap();
        let key = storage.read(&key, None, Class::Metadata).await.unwrap();
        let master = KeyFile::decode(&key)
            .unwrap()
            .unlock(PASSWORD.as_bytes())
            .unwrap()
            .unwrap();
        Self {
            random: Random::new(seed),
            storage,
            repository,
            master,
            blobs: Vec::new(),
        }
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.random.below(100) < percent
    }

    fn below(&mut self, limit: usize) -> usize {
        self.random.below(limit as u64) as usize
    }

    /// A directory with files of known blobs, some of them below another directory.
    fn tree(&mut self, data: usize, depth: usize) -> Id {
        let mut nodes = Vec::new();
        for number in 0..1 + self.below(4) {
            let mut file = node(format!("file{number}"), NodeKind::File);
            let mut content = Vec::new();
            for _ in 0..self.below(4) {
                let chosen = self.below(data);
                let (_, plain) = &self.blobs[chosen];
                file.size_bytes += plain.len() as u64;
                content.push(Id::of(plain));
            }
            file.content = Some(content);
            nodes.push(file);
        }
        if depth > 0 {
            let mut below = node("folder".into(), NodeKind::Dir);
            below.subtree = Some(self.tree(data, depth - 1));
            nodes.insert(nodes.len(), below);
            nodes.sort_by(|a, b| a.name.cmp(&b.name));
        }
        let plain = Tree { nodes }.encode().unwrap();
        let id = Id::of(&plain);
        self.blobs.push((BlobKind::Tree, plain));
        id
    }

    async fn snapshots(&mut self) -> usize {
        let data = 5 + self.below(40);
        for number in 0..data {
            let length = 1 + self.below(3000);
            let mut plain = if self.chance(50) {
                self.random.bytes(length)
            } else {
                self.random.text(length)
            };
            plain.extend((number as u64).to_le_bytes());
            self.blobs.push((BlobKind::Data, plain));
        }
        let count = 1 + self.below(5);
        let mut kept = 0;
        for number in 0..count {
            let depth = self.below(4);
            let tree = self.tree(data, depth);
            // The others were forgotten.
            if number == 0 || self.chance(50) {
                let time = Time::utc(jiff::Timestamp::from_second(number as i64).unwrap());
                let snapshot = Snapshot {
                    time,
                    parent: None,
                    tree,
                    paths: vec!["/".into()],
                    hostname: "h".into(),
                    username: "u".into(),
                    uid: 0,
                    gid: 0,
                    excludes: Vec::new(),
                    tags: Vec::new(),
                    original: None,
                    program_version: String::new(),
                    summary: None,
                };
                self.repository
                    .save_file(FileKind::Snapshot, snapshot.encode())
                    .await
                    .unwrap();
                kept += 1;
            }
        }
        kept
    }

    /// A pack of these blobs, some of them twice.
    async fn pack(&mut self, blobs: &[usize]) -> (Id, Vec<PackedBlob>) {
        let (mut bytes, mut packed) = (Vec::new(), Vec::new());
        for number in blobs {
            let times = if self.chance(15) { 2 } else { 1 };
            for _ in 0..times {
                let compress = self.chance(70);
                let (kind, plain) = &self.blobs[*number];
                let offset = bytes.len() as u32;
                let uncompressed_length = NonZeroU32::new(plain.len() as u32).filter(|_| compress);
                let mut content = Vec::new();
                match compress {
                    true => {
                        compression::compress_into(compression::Level::Auto, plain, &mut content)
                            .unwrap()
                    }
                    false => content.extend(plain),
                }
                self.master.seal_into(&content, &mut bytes).unwrap();
                let length = bytes.len() as u32 - offset;
                packed.push(PackedBlob {
                    kind: *kind,
                    id: Id::of(plain),
                    offset,
                    length,
                    uncompressed_length,
                });
            }
        }
        pack_header::append(&self.master, &packed, &mut bytes).unwrap();
        let id = Id::of(&bytes);
        let path = FileKind::Pack.path(&id).unwrap();
        self.storage
            .write(&path, Bytes::from(bytes), WriteMode::New, Class::Data)
            .await
            .unwrap();
        (id, packed)
    }

    /// All blobs at least once, in packs of one kind mostly.
    async fn packs(&mut self) -> Vec<(Id, Vec<PackedBlob>)> {
        let mut packs = Vec::new();
        let rounds = 1 + self.below(2);
        for round in 0..rounds {
            for kind in [BlobKind::Data, BlobKind::Tree] {
                let mut chosen: BTreeSet<usize> = (0..self.blobs.len())
                    .filter(|n| self.blobs[*n].0 == kind)
                    .collect();
                if round > 0 {
                    chosen.retain(|_| self.chance(40));
                }
                let mut rest: Vec<usize> = chosen.into_iter().collect();
                while !rest.is_empty() {
                    let count = 1 + self.below(rest.len().min(8));
                    let mut now: Vec<usize> = rest.drain(..count).collect();
                    if self.chance(10) {
                        now.push(self.below(self.blobs.len()));
                    }
                    packs.push(self.pack(&now).await);
                }
            }
        }
        packs
    }

    /// Index files with these packs: some split over two, some in two.
    async fn indexes(&mut self, packs: Vec<(Id, Vec<PackedBlob>)>) {
        let count = 1 + self.below(4);
        let mut files: Vec<IndexEncoder> = (0..count).map(|_| IndexEncoder::new()).collect();
        for (id, blobs) in &packs {
            let (first, second) = (self.below(count), self.below(count));
            if self.chance(25) && blobs.len() > 1 && first != second {
                let (some, others) = blobs.split_at(1 + self.below(blobs.len() - 1));
                files[first].pack(id, some);
                files[second].pack(id, others);
            } else {
                files[first].pack(id, blobs);
                if self.chance(10) && first != second {
                    files[second].pack(id, blobs);
                }
            }
        }
        for file in files {
            self.repository
                .save_file(FileKind::Index, file.finish())
                .await
                .unwrap();
        }
    }

    fn options(&mut self) -> PruneOptions {
        let max_unused = match self.below(4) {
            0 => MaxUnused::Unlimited,
            1 => MaxUnused::Percent(self.random.below(99) as f64),
            2 => MaxUnused::Bytes(self.random.below(5000)),
            _ => MaxUnused::Bytes(0),
        };
        PruneOptions {
            max_unused,
            max_repack_bytes: self.chance(20).then_some(10_000),
            repack_small: self.chance(20),
            repack_uncompressed: self.chance(20),
            repack_cacheable_only: self.chance(10),
            ..PruneOptions::default()
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t01_t08_whatever_lies_in_a_repository_a_prune_keeps_every_snapshot() {
    let first = u64::from(std::process::id()) * 1000;
    for seed in (0..60).chain(first..first + 60) {
        let mut maker = Maker::new(seed).await;
        let kept = maker.snapshots().await;
        let packs = maker.packs().await;
        maker.indexes(packs).await;
        for number in 0..maker.below(3) {
            // Packs that an interrupted backup left.
            maker.pack(&[number]).await;
        }
        let before = check(&maker.repository, ReadData::All).await;
        assert_eq!(
            (before.errors_count, before.figures.snapshots),
            (0, kept as u64),
            "seed {seed}"
        );
        let options = maker.options();
        let planned = plan(&maker.repository, &options).await.unwrap();
        let again = plan(&maker.repository, &options).await.unwrap();
        assert_eq!(
            planned.figures(),
            again.figures(),
            "seed {seed}: what was shown is not what is done"
        );
        prune(&maker.repository, &options)
            .await
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let after = check(&maker.repository, ReadData::All).await;
        assert_sound(&after, &format!("seed {seed} {options:?}"));
        assert_eq!(after.figures.snapshots, kept as u64, "seed {seed}");
        assert_eq!(
            after.figures.blobs_used, before.figures.blobs_used,
            "seed {seed}"
        );
        let remaining = planned.figures().remaining().blobs;
        assert!(
            after.figures.blobs <= remaining,
            "seed {seed}: {} are left, {options:?} {planned:?}",
            after.figures.blobs
        );
        let next = plan(&maker.repository, &PruneOptions::default())
            .await
            .unwrap();
        assert_eq!(next.figures().packs_unreferenced, 0, "seed {seed}");
        let all = PruneOptions {
            max_unused: MaxUnused::Bytes(0),
            ..PruneOptions::default()
        };
        prune(&maker.repository, &all)
            .await
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let last = check(&maker.repository, ReadData::All).await;
        assert_sound(&last, &format!("seed {seed}, all"));
        assert_eq!(
            last.figures.blobs, last.figures.blobs_used,
            "seed {seed}: something unused is left"
        );
        if seed % 20 == 7 {
            let (_dir, restic) = on_disk(&maker.storage).await;
            restic.check_read_data();
        }
    }
}
