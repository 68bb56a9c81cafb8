//! Files that are other than they were when they were listed.

use std::io::Read;
use std::sync::Arc;

use strongroom_repository::backup::{Children, Content, Entry, EntryError, Handle, Source};
use strongroom_repository::format::{BlobKind, Mode, Node, NodeKind};
use strongroom_repository::lock::Access;
use strongroom_repository::progress::{Progress, Silent};
use strongroom_storage::MemoryStorage;
use strongroom_testkit::Random;
use strongroom_testkit::engine::{FakeClock, FakeHost, new_repository};
use strongroom_testkit::engine_backup::backup_options;
use tokio_util::sync::CancellationToken;

/// A file that has `listed` bytes when it is listed, `opened` when it is opened, and `content` when it is read.
#[derive(Clone)]
struct Changing {
    listed: u64,
    opened: u64,
    content: Arc<[u8]>,
}

struct Folder(Vec<Changing>);

impl Source for Folder {
    fn paths(&self) -> Vec<String> {
        vec!["/".into()]
    }

    fn root(&self) -> Box<dyn Handle> {
        Box::new(Folder(self.0.clone()))
    }
}

fn refuse<T>() -> Result<T, EntryError> {
    panic!("not of this kind")
}

impl Handle for Folder {
    fn complete(&self, _: &mut Node) -> Result<(), EntryError> {
        Ok(())
    }

    fn children(&self) -> Result<Children, EntryError> {
        let files: Vec<_> = self.0.clone();
        let entries = files.into_iter().enumerate().map(|(number, file)| {
            let name = format!("{number:06}");
            let mut node = Node::new(name.clone(), NodeKind::File, Mode(0o644));
            node.size_bytes = file.listed;
            Ok(Entry {
                node,
                source_path: name.into_bytes(),
                handle: Box::new(file),
            })
        });
        Ok(Box::new(entries))
    }

    fn open(&self) -> Result<Box<dyn Content>, EntryError> {
        refuse()
    }
}

impl Handle for Changing {
    fn complete(&self, _: &mut Node) -> Result<(), EntryError> {
        Ok(())
    }

    fn children(&self) -> Result<Children, EntryError> {
        refuse()
    }

    fn open(&self) -> Result<Box<dyn Content>, EntryError> {
        let opened = Opened {
            size_bytes: self.opened,
            content: std::io::Cursor::new(self.content.to_vec()),
        };
        Ok(Box::new(opened))
    }
}

struct Opened {
    size_bytes: u64,
    content: std::io::Cursor<Vec<u8>>,
}

impl Read for Opened {
    /// In pieces, as a pipe yields them.
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(50_000);
        self.content.read(&mut buffer[..length])
    }
}

impl Content for Opened {
    fn refresh(&self, node: &mut Node) -> Result<(), EntryError> {
        node.size_bytes = self.size_bytes;
        Ok(())
    }
}

/// Logs grow and are cut while they are backed up. What was read is stored, all of it, whatever the size was said to be.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_stored_as_it_was_read_whatever_its_size_was_said_to_be() {
    let seed = Random::fresh_seed();
    let mut random = Random::new(seed);
    let sizes = [0, 5000, 255 << 10, 257 << 10, 900 << 10];
    let mut files = Vec::new();
    let mut file = |listed, opened, read| Changing {
        listed,
        opened,
        content: random.bytes(read).into(),
    };
    for listed in sizes {
        for opened in sizes {
            files.extend(sizes.map(|read| file(listed as u64, opened as u64, read)));
        }
    }
    files.push(file(0, 0, 3 << 20));
    let repository = new_repository(Arc::new(MemoryStorage::new())).await;
    let source = Folder(files.clone());
    let cancel = CancellationToken::new();
    let lock_options = FakeHost::new("testhost", 1).lock_options(&FakeClock::new());
    let lock = repository
        .lock(Access::Append, &lock_options, &cancel)
        .await
        .unwrap();
    let progress: Arc<dyn Progress> = Arc::new(Silent);
    let options = backup_options(&source);
    let report = repository
        .backup(
            &Arc::default(),
            source.root(),
            options,
            &lock,
            &progress,
            &cancel,
        )
        .await
        .unwrap();
    lock.release().await.unwrap();
    assert_eq!(report.figures.errors, 0);
    let total: usize = files.iter().map(|file| file.content.len()).sum();
    assert_eq!(report.figures.bytes, total as u64);

    let index = repository.load_index(&Silent).await.unwrap();
    let tree = repository.load_tree(&index, &report.snapshot.tree).await;
    let nodes = tree.unwrap().nodes;
    assert_eq!(nodes.len(), files.len());
    for (node, file) in nodes.iter().zip(&files) {
        let mut stored = Vec::new();
        for id in node.content.as_ref().unwrap() {
            let blob = repository.load_blob(&index, BlobKind::Data, id).await;
            stored.extend_from_slice(&blob.unwrap());
        }
        let what = format!("listed {}, opened {}", file.listed, file.opened);
        assert_eq!(node.size_bytes, file.content.len() as u64, "{what}");
        assert!(stored == *file.content, "{what}, seed {seed}");
    }
}
