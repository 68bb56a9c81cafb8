//! A source that is one stream of bytes, stored as a file.

use std::sync::{Arc, Mutex, PoisonError};

use strongroom_repository::backup::{Children, Content, Entry, EntryError, Handle};
use strongroom_repository::format::{Mode, Node, NodeKind, Time};
use strongroom_repository::pattern::clean;

/// A file name that cannot be stored.
#[derive(Debug, thiserror::Error)]
#[error("not a file name to store a stream under: {0:?}")]
pub struct InvalidName(pub String);

/// What happens when the stream is to be read.
pub(crate) type Open = Box<dyn FnOnce() -> Result<Box<dyn Content>, EntryError> + Send>;

/// One file, perhaps in folders, whose content can be read once.
pub(crate) struct Stream {
    /// The names of the folders, then that of the file.
    names: Vec<Vec<u8>>,
    /// Given to the file and its folders as all of their times.
    time: Time,
    open: Mutex<Option<Open>>,
}

impl Stream {
    /// `file_name` may name folders; it is cleaned, and `..` leads nowhere.
    pub fn new(file_name: &[u8], time: Time, open: Open) -> Result<Arc<Self>, InvalidName> {
        let path = clean(&[b"/", file_name].concat());
        let parts = path
            .split(|&byte| byte == b'/')
            .filter(|part| !part.is_empty());
        let names: Vec<_> = parts.map(<[u8]>::to_vec).collect();
        if names.is_empty() || file_name.contains(&0) || file_name.ends_with(b"/") {
            return Err(InvalidName(String::from_utf8_lossy(file_name).into_owned()));
        }
        Ok(Arc::new(Self {
            names,
            time,
            open: Mutex::new(Some(open)),
        }))
    }

    /// The path in the snapshot.
    pub fn path(&self) -> Vec<u8> {
        [b"/".as_slice(), &self.names.join(&b'/')].concat()
    }

    /// For the snapshot's `paths`.
    pub fn paths(&self) -> Vec<String> {
        vec![String::from_utf8_lossy(&self.path()).into_owned()]
    }

    /// The root of the tree.
    pub fn root(self: &Arc<Self>) -> Box<dyn Handle> {
        Box::new(StreamHandle {
            stream: Arc::clone(self),
            depth: 0,
        })
    }

    fn node(&self, depth: usize, name: &[u8]) -> Node {
        // Kind and permissions as restic gives them to a stream and the folders above it.
        let (kind, mode) = match depth == self.names.len() {
            true => (NodeKind::File, Mode(0o644)),
            false => (NodeKind::Dir, Mode(Mode::DIR | 0o755)),
        };
        let mut node = Node::new(name, kind, mode);
        (node.mtime, node.atime, node.ctime) = (self.time, self.time, self.time);
        node
    }
}

/// The root, a folder or the file of a stream.
pub(crate) struct StreamHandle {
    stream: Arc<Stream>,
    /// How many names lead here.
    depth: usize,
}

impl StreamHandle {
    fn error(&self, during: &'static str, message: &str) -> EntryError {
        EntryError {
            path: self.stream.path(),
            during,
            message: message.to_owned(),
            vanished: false,
        }
    }
}

impl Handle for StreamHandle {
    fn complete(&self, _: &mut Node) -> Result<(), EntryError> {
        Ok(())
    }

    fn children(&self) -> Result<Children, EntryError> {
        let Some(name) = self.stream.names.get(self.depth) else {
            return Err(self.error("list", "is not a directory"));
        };
        let depth = self.depth + 1;
        let names = self.stream.names.iter().take(depth);
        let entry = Entry {
            node: self.stream.node(depth, name),
            source_path: names
                .flat_map(|name| [b"/".as_slice(), name].concat())
                .collect(),
            handle: Box::new(Self {
                stream: Arc::clone(&self.stream),
                depth,
            }),
        };
        Ok(Box::new(std::iter::once(Ok(entry))))
    }

    fn open(&self) -> Result<Box<dyn Content>, EntryError> {
        if self.depth != self.stream.names.len() {
            return Err(self.error("open", "is a directory"));
        }
        let open = self
            .stream
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        open.ok_or_else(|| self.error("open", "a stream can be read only once"))?()
    }
}

/// The error for a stream that ended without a byte: most likely what should have filled it has failed.
pub(crate) fn empty(path: Vec<u8>) -> EntryError {
    EntryError {
        path,
        during: "read",
        message: "no data came".to_owned(),
        vanished: false,
    }
}
