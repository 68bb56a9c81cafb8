//! Whether a file is as it was in the parent snapshot.

use super::Entry;
use super::run::Run;
use crate::format::{BlobKind, Node, NodeKind};
use crate::progress::Change;

/// Whether a file has not changed, so that it can be taken over. As in restic that is if its modification time, size,
/// ctime and inode number are the parent's. Blobs that the repository has lost make it changed: it is read and they are
/// stored again.
pub(super) fn is_unchanged(run: &Run, path: &[u8], node: &Node, previous: &Node) -> bool {
    let options = &run.options;
    let same = previous.kind == NodeKind::File
        && previous.mtime == node.mtime
        && previous.size_bytes == node.size_bytes
        && (options.ignore_ctime || previous.ctime == node.ctime)
        && (options.ignore_inode || previous.inode == node.inode);
    let Some(content) = previous.content.as_ref().filter(|_| same) else {
        return false;
    };
    let is_there = content
        .iter()
        .all(|id| run.index.contains(BlobKind::Data, id));
    if !is_there {
        run.note_loss();
        run.progress.warning(&format!(
            "the repository has lost content of {}: it is read and stored again",
            String::from_utf8_lossy(path)
        ));
    }
    is_there
}

/// The node of a file that has not changed, with the content of the parent's.
pub(super) fn take_over(run: &Run, path: &[u8], entry: Entry, previous: Node) -> Node {
    let Entry {
        mut node, handle, ..
    } = entry;
    if has_same_attributes(&node, &previous) {
        node.extended_attributes = previous.extended_attributes;
    } else if let Err(error) = handle.complete(&mut node) {
        run.entry_error(path, &error);
    }
    node.content = previous.content;
    node
}

/// Whether the attributes need not be asked for: a change of one changes the ctime.
pub(super) fn has_same_attributes(node: &Node, previous: &Node) -> bool {
    previous.kind == node.kind && previous.ctime == node.ctime && previous.inode == node.inode
}

/// How an entry that was saved anew differs from the parent's.
pub(super) fn change(previous: Option<&Node>, node: &Node) -> Change {
    match previous {
        Some(previous) if previous == node => Change::Unchanged,
        Some(_) => Change::Changed,
        None => Change::New,
    }
}
