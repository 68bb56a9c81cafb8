//! Small trees that change from backup to backup, and the source that reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;

use jiff::Timestamp;
use strongroom_repository::backup::{Children, Content, Entry, EntryError, Handle, Source};
use strongroom_repository::format::{Mode, Node, NodeKind, Time};
use strongroom_testkit::Random;

/// A file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub content: Arc<Vec<u8>>,
    /// Its modification time in seconds: different for each content that the file ever had.
    pub changed: i64,
}

/// Files by their paths, with `/` between the names.
pub type Files = BTreeMap<String, File>;

/// Changes a few files. Contents come from a small stock, so that machines and times share blobs.
pub fn evolve(files: &mut Files, random: &mut Random, now: i64) {
    for _ in 0..1 + random.below(4) {
        let name = format!("file-{}", random.below(8));
        let path = match random.below(4) {
            0 => name,
            1 => format!("one/{name}"),
            2 => format!("two/{name}"),
            _ => format!("one/deep/{name}"),
        };
        if random.below(5) == 0 {
            files.remove(&path);
        } else {
            let mut stock = Random::new(random.below(60));
            let length = stock.below(2500) as usize;
            let content = Arc::new(stock.bytes(length));
            files.insert(
                path,
                File {
                    content,
                    changed: now,
                },
            );
        }
    }
    if files.is_empty() {
        let content = Arc::new(b"the last file".to_vec());
        files.insert(
            "file".into(),
            File {
                content,
                changed: now,
            },
        );
    }
}

/// The source of such a tree.
pub struct TreeSource(pub Arc<Files>);

impl Source for TreeSource {
    fn paths(&self) -> Vec<String> {
        vec!["/tree".into()]
    }

    fn root(&self) -> Box<dyn Handle> {
        Box::new(Directory {
            files: Arc::clone(&self.0),
            prefix: String::new(),
        })
    }
}

struct Directory {
    files: Arc<Files>,
    prefix: String,
}

impl Directory {
    fn entry(&self, name: &str) -> Entry {
        let path = format!("{}{name}", self.prefix);
        let (node, handle): (Node, Box<dyn Handle>) = match self.files.get(&path) {
            Some(file) => {
                let mut node = node(name, NodeKind::File, file.changed);
                node.size_bytes = file.content.len() as u64;
                (node, Box::new(Regular(file.clone())))
            }
            None => {
                let directory = Directory {
                    files: Arc::clone(&self.files),
                    prefix: format!("{path}/"),
                };
                (node(name, NodeKind::Dir, 0), Box::new(directory))
            }
        };
        Entry {
            node,
            source_path: path.into_bytes(),
            handle,
        }
    }
}

impl Handle for Directory {
    fn complete(&self, _: &mut Node) -> Result<(), EntryError> {
        Ok(())
    }

    fn children(&self) -> Result<Children, EntryError> {
        let inside = self.files.keys().filter_map(|path| {
            let rest = path.strip_prefix(&self.prefix)?;
            rest.split('/').next()
        });
        let names: BTreeSet<&str> = inside.collect();
        let entries: Vec<_> = names.into_iter().map(|name| Ok(self.entry(name))).collect();
        Ok(Box::new(entries.into_iter()))
    }

    fn open(&self) -> Result<Box<dyn Content>, EntryError> {
        panic!("a directory is opened")
    }
}

struct Regular(File);

impl Handle for Regular {
    fn complete(&self, _: &mut Node) -> Result<(), EntryError> {
        Ok(())
    }

    fn children(&self) -> Result<Children, EntryError> {
        panic!("a file is listed")
    }

    fn open(&self) -> Result<Box<dyn Content>, EntryError> {
        Ok(Box::new(Opened(std::io::Cursor::new(
            self.0.content.to_vec(),
        ))))
    }
}

struct Opened(std::io::Cursor<Vec<u8>>);

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Content for Opened {
    fn refresh(&self, _: &mut Node) -> Result<(), EntryError> {
        Ok(())
    }
}

fn node(name: &str, kind: NodeKind, changed: i64) -> Node {
    let time = Time::utc(Timestamp::from_second(changed).unwrap());
    Node {
        name: name.as_bytes().to_vec(),
        kind,
        mode: Mode::default(),
        mtime: time,
        atime: time,
        ctime: time,
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
