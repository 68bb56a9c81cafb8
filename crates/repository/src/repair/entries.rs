//! What becomes of the entries of a tree when what they name is lost.

use std::collections::HashSet;

use crate::format::{BlobKind, Node, NodeKind, Tree};
use crate::index::Index;

/// What a repaired snapshot does not have as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// Parts of a file's content: what is left follows each other, and the size is that of what is left.
    Content {
        /// Blobs that are lost; one that the file has twice counts twice.
        blobs: u64,
        /// The size that the file had.
        size_bytes: u64,
        /// The size that is left.
        left_bytes: u64,
    },
    /// Nothing; the file's size was not that of its content, and is now.
    Size {
        /// The size that it was said to have.
        size_bytes: u64,
        /// The size of its content.
        left_bytes: u64,
    },
    /// All that was in a directory: it is empty now.
    Directory,
    /// An entry of no kind: it is left out.
    Kind,
    /// The name of an entry, which no file can have, or which another one has: this is the new one.
    Name(Vec<u8>),
}

/// The entries of a tree as they will be, and what that loses by the entries' old names. Directories keep their trees.
pub(super) fn mend(index: &Index, tree: Tree) -> (Vec<Node>, Vec<(Vec<u8>, Loss)>) {
    let mut losses = Vec::new();
    let mut nodes = Vec::with_capacity(tree.nodes.len());
    for mut node in tree.nodes {
        match mend_entry(index, &mut node) {
            Some(Loss::Kind) => losses.push((node.name, Loss::Kind)),
            loss => {
                losses.extend(loss.map(|loss| (node.name.clone(), loss)));
                nodes.push(node);
            }
        }
    }
    mend_names(&mut nodes, &mut losses);
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    (nodes, losses)
}

fn mend_entry(index: &Index, node: &mut Node) -> Option<Loss> {
    match &node.kind {
        NodeKind::File => mend_file(index, node),
        NodeKind::Dir if node.subtree.is_none() => Some(Loss::Directory),
        // What restic calls so has no content that it could keep. Kinds of newer programs stay as they are.
        NodeKind::Other(word) if matches!(&**word, "" | "irregular") => Some(Loss::Kind),
        _ => None,
    }
}

fn mend_file(index: &Index, node: &mut Node) -> Option<Loss> {
    let named = node.content.take();
    let has_list = named.is_some();
    let (mut left, mut left_bytes, mut blobs) = (Vec::new(), 0_u64, 0_u64);
    for id in named.into_iter().flatten() {
        match index.locate(BlobKind::Data, &id) {
            Some(place) => {
                left_bytes = left_bytes.saturating_add(u64::from(place.plain_length()));
                left.push(id);
            }
            None => blobs = blobs.saturating_add(1),
        }
    }
    node.content = Some(left);
    let size_bytes = std::mem::replace(&mut node.size_bytes, left_bytes);
    if blobs > 0 || !has_list {
        return Some(Loss::Content {
            blobs,
            size_bytes,
            left_bytes,
        });
    }
    (size_bytes != left_bytes).then_some(Loss::Size {
        size_bytes,
        left_bytes,
    })
}

/// Gives entries new names whose names no file can have, or another entry has. Throwing them away would lose their content.
fn mend_names(nodes: &mut [Node], losses: &mut Vec<(Vec<u8>, Loss)>) {
    let mut names: HashSet<Vec<u8>> = nodes
        .iter()
        .filter(|node| node.has_safe_name())
        .map(|node| node.name.clone())
        .collect();
    let mut seen: HashSet<Vec<u8>> = HashSet::new();
    for node in nodes {
        if node.has_safe_name() && seen.insert(node.name.clone()) {
            continue;
        }
        let new = new_name(&node.name, &names);
        names.insert(new.clone());
        seen.insert(new.clone());
        let old = std::mem::replace(&mut node.name, new.clone());
        losses.push((old, Loss::Name(new)));
    }
}

fn new_name(name: &[u8], taken: &HashSet<Vec<u8>>) -> Vec<u8> {
    let is_bad = |byte: &u8| matches!(byte, b'/' | 0);
    let mut new: Vec<u8> = match name {
        b"" | b"." | b".." => b"_".to_vec(),
        name => name
            .iter()
            .map(|byte| if is_bad(byte) { b'_' } else { *byte })
            .collect(),
    };
    while taken.contains(&new) {
        new.push(b'_');
    }
    new
}

#[cfg(test)]
mod tests {
    use super::{Loss, mend};
    use crate::format::Tree;
    use crate::index::Index;

    fn tree(nodes: &[(&str, &str)]) -> Tree {
        let node = |(name, kind): &(&str, &str)| {
            format!(r#"{{"name":"{name}","type":"{kind}","uid":0,"gid":0,"content":null}}"#)
        };
        let nodes: Vec<String> = nodes.iter().map(node).collect();
        let json = format!("{{\"nodes\":[{}]}}\n", nodes.join(","));
        Tree::decode(json.as_bytes()).unwrap()
    }

    fn names(tree: Tree) -> (Vec<String>, Vec<(String, Loss)>) {
        let text = |name: Vec<u8>| String::from_utf8(name).unwrap();
        let (nodes, losses) = mend(&Index::default(), tree);
        let losses = losses.into_iter();
        (
            nodes.into_iter().map(|node| text(node.name)).collect(),
            losses.map(|(name, loss)| (text(name), loss)).collect(),
        )
    }

    /// An entry of a kind that a newer program wrote must not be thrown away by a repair.
    #[test]
    fn only_entries_of_no_kind_are_left_out() {
        let tree = tree(&[
            ("a", ""),
            ("b", "irregular"),
            ("c", "reparse"),
            ("d", "socket"),
        ]);
        let (left, losses) = names(tree);
        assert_eq!(left, ["c", "d"]);
        assert_eq!(losses, [("a".into(), Loss::Kind), ("b".into(), Loss::Kind)]);
    }

    /// Two entries of one name: the content of one would overwrite that of the other when they are restored.
    #[test]
    fn entries_whose_names_are_bad_or_taken_get_new_ones_and_none_goes() {
        let bad = ["", ".", "..", "a/b", "a_b", "c", "c", "c_"];
        let (left, losses) = names(tree(&bad.map(|name| (name, "fifo"))));
        assert_eq!(left.len(), bad.len());
        let expected = ["_", "__", "___", "a_b", "a_b_", "c", "c_", "c__"];
        assert_eq!(left, expected);
        let new = |old: &str, new: &str| (old.to_owned(), Loss::Name(new.into()));
        let expected = [
            new("", "_"),
            new(".", "__"),
            new("..", "___"),
            new("a/b", "a_b_"),
            new("c", "c__"),
        ];
        assert_eq!(losses, expected);
    }

    /// What a file lost is told by the name that its owner knows, also where that had to go.
    #[test]
    fn what_an_entry_lost_and_its_new_name_are_both_told_by_its_old_one() {
        let (left, losses) = names(tree(&[("a/b", "file"), ("sub/", "dir"), ("x/", "")]));
        assert_eq!(left, ["a_b", "sub_"]);
        let content = Loss::Content {
            blobs: 0,
            size_bytes: 0,
            left_bytes: 0,
        };
        let expected = [
            ("a/b".to_owned(), content),
            ("sub/".to_owned(), Loss::Directory),
            ("x/".to_owned(), Loss::Kind),
            ("a/b".to_owned(), Loss::Name("a_b".into())),
            ("sub/".to_owned(), Loss::Name("sub_".into())),
        ];
        assert_eq!(losses, expected);
    }

    /// A file that is said to be whole and is not would be restored with other content, and nobody would know.
    #[test]
    fn a_file_keeps_what_is_left_and_loses_no_more_and_no_less_than_is_told() {
        let id = "ab".repeat(32);
        let json = |size: u64, content: &str| {
            format!(
                r#"{{"nodes":[{{"name":"a","type":"file","uid":0,"gid":0,"size":{size},"content":{content}}}]}}"#
            ) + "\n"
        };
        let mended = |json: String| {
            let (nodes, losses) = mend(&Index::default(), Tree::decode(json.as_bytes()).unwrap());
            assert_eq!(
                (nodes[0].size_bytes, nodes[0].content.as_deref()),
                (0, Some(&[][..]))
            );
            losses.into_iter().map(|(_, loss)| loss).collect::<Vec<_>>()
        };
        let content = |blobs, size_bytes| Loss::Content {
            blobs,
            size_bytes,
            left_bytes: 0,
        };
        let lost = mended(json(5, &format!(r#"["{id}","{id}"]"#)));
        assert_eq!(lost, [content(2, 5)]);
        assert_eq!(mended(json(5, "null")), [content(0, 5)]);
        let size = Loss::Size {
            size_bytes: 5,
            left_bytes: 0,
        };
        assert_eq!(mended(json(5, "[]")), [size]);
        assert!(mended(json(0, "[]")).is_empty());
    }
}
