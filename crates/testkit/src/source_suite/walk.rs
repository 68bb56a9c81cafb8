//! All of a source, read.

use std::collections::BTreeMap;
use std::io::Read;

use strongroom_repository::backup::{Entry, EntryError, Handle, Source};
use strongroom_repository::format::{Node, NodeKind};

/// An entry with everything that its handle gives.
#[derive(Debug, Clone)]
pub struct Found {
    /// The node, completed; of a file refreshed and with the size that was read.
    pub node: Node,
    /// Path on the source.
    pub source_path: Vec<u8>,
    /// What was read of a file.
    pub content: Option<Vec<u8>>,
}

/// What reading all of a source gave.
#[derive(Debug, Default)]
pub struct Walked {
    /// Entries by their path in the snapshot, from `/`.
    pub found: BTreeMap<Vec<u8>, Found>,
    /// What could not be read.
    pub errors: Vec<EntryError>,
}

impl Walked {
    /// The paths as text, in their order.
    pub fn paths(&self) -> Vec<String> {
        let paths = self.found.keys();
        paths
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect()
    }

    /// The entry of a path that must be there.
    #[track_caller]
    pub fn at(&self, path: impl AsRef<[u8]>) -> &Found {
        let path = path.as_ref();
        let found = self.found.get(path);
        found.unwrap_or_else(|| {
            panic!(
                "no {:?} among {:?}",
                String::from_utf8_lossy(path),
                self.paths()
            )
        })
    }

    /// The only error, where there must be exactly one.
    #[track_caller]
    pub fn only_error(&self) -> &EntryError {
        assert_eq!(self.errors.len(), 1, "{:?}", self.errors);
        &self.errors[0]
    }

    /// Fails if anything could not be read.
    #[track_caller]
    pub fn without_errors(self) -> Self {
        assert!(self.errors.is_empty(), "{:?}", self.errors);
        self
    }
}

/// Reads all of a source as an engine does, the content of files included. Depth does not use the stack.
pub fn walk(source: &dyn Source) -> Walked {
    let mut walked = Walked::default();
    let mut pending: Vec<(Vec<u8>, Box<dyn Handle>)> = vec![(Vec::new(), source.root())];
    while let Some((folder, handle)) = pending.pop() {
        match handle.children() {
            Err(error) => walked.errors.push(error),
            Ok(children) => {
                for child in children {
                    match child {
                        Err(error) => walked.errors.push(error),
                        Ok(entry) => pending.extend(walked.take(&folder, entry)),
                    }
                }
            }
        }
    }
    walked
}

impl Walked {
    /// Reads an entry; a directory is returned to be listed.
    fn take(&mut self, folder: &[u8], entry: Entry) -> Option<(Vec<u8>, Box<dyn Handle>)> {
        let Entry {
            mut node,
            source_path,
            handle,
        } = entry;
        let path = [folder, b"/", &node.name].concat();
        self.errors.extend(handle.complete(&mut node).err());
        let content = (node.kind == NodeKind::File).then(|| read(handle.as_ref(), &mut node));
        let is_directory = node.kind == NodeKind::Dir;
        let content = match content.transpose() {
            Ok(content) => content,
            Err(error) => {
                self.errors.push(error);
                return None;
            }
        };
        let found = Found {
            node,
            source_path,
            content,
        };
        let before = self.found.insert(path.clone(), found);
        assert!(
            before.is_none(),
            "{:?} is there twice",
            String::from_utf8_lossy(&path)
        );
        is_directory.then_some((path, handle))
    }
}

/// The whole content of a file; sets its size and what is known from the open file.
pub fn read(handle: &dyn Handle, node: &mut Node) -> Result<Vec<u8>, EntryError> {
    let mut content = handle.open()?;
    let mut bytes = Vec::new();
    content.refresh(node)?;
    content
        .read_to_end(&mut bytes)
        .map_err(|error| EntryError {
            path: node.name.clone(),
            during: "read",
            message: error.to_string(),
            vanished: false,
        })?;
    content.finish()?;
    node.size_bytes = bytes.len() as u64;
    Ok(bytes)
}
