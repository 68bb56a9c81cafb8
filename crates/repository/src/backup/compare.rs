//! Whether a file is as it was in the parent snapshot.

use super::Entry;
use super::run::Run;
use crate::format::{BlobKind, Node, NodeKind};
use crate::progress::Change;

/// The node of a file that has not changed, with the content of the parent's; `None` if it has to be read.
///
/// As in restic a file has not changed if its modification time, size, ctime and inode number are the parent's. Blobs
/// that the repository has lost make it changed: it is read and they are stored again.
pub(super) fn reuse(
    run: &Run,
    path: &[u8],
    entry: &Entry,
    previous: Option<&Node>,
) -> Option<Node> {
    let previous = previous?;
    let node = &entry.node;
    let options = &run.options;
    let same = previous.kind == NodeKind::File
        && previous.mtime == node.mtime
        && previous.size_bytes == node.size_bytes
        && (options.ignore_ctime || previous.ctime == node.ctime)
        && (options.ignore_inode || previous.inode == node.inode);
    if !same {
        return None;
    }
    let content = previous.content.as_ref()?;
    if !content
        .iter()
        .all(|id| run.index.contains(BlobKind::Data, id))
    {
        run.note_loss();
        run.progress.warning(&format!(
            "the repository has lost content of {}: it is read and stored again",
            String::from_utf8_lossy(path)
        ));
        return None;
    }
    let mut node = node.clone();
    node.content = Some(content.clone());
    if previous.ctime == node.ctime && previous.inode == node.inode {
        // A change of an attribute changes the ctime, so the attributes need not be asked for.
        node.extended_attributes
            .clone_from(&previous.extended_attributes);
    } else if let Err(error) = entry.handle.complete(&mut node) {
        run.entry_error(path, &error);
    }
    Some(node)
}

/// How an entry that was saved anew differs from the parent's.
pub(super) fn change(previous: Option<&Node>, node: &Node) -> Change {
    match previous {
        Some(previous) if previous == node => Change::Unchanged,
        Some(_) => Change::Changed,
        None => Change::New,
    }
}
