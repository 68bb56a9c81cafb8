//! Finding one path in a tree.

use super::check::{checked_entries, subtree};
use super::walker::believe;
use super::{Damage, Entry};
use crate::format::{Id, Node};
use crate::index::Index;
use crate::pattern::clean;
use crate::repository::Repository;
use crate::{Error, ErrorKind, Result};

/// What lies at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Located {
    /// A directory. The root has no node.
    Directory {
        /// Its tree.
        tree: Id,
        /// What is known of it.
        node: Option<Box<Node>>,
    },
    /// Anything else.
    Other(Box<Node>),
}

impl Located {
    /// The tree of a directory.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for anything else.
    pub fn directory(&self) -> Result<Id> {
        match self {
            Self::Directory { tree, .. } => Ok(*tree),
            Self::Other(node) => {
                let name = String::from_utf8_lossy(&node.name);
                let message = format!("{name:?} is a {}, not a directory", node.kind.as_str());
                Err(Error::new(ErrorKind::Invalid, message))
            }
        }
    }
}

/// The entries of one directory in the order of their names, and what of it cannot be believed. A tree that cannot be read
/// is damage and has no entries.
///
/// # Errors
/// The storage's.
pub async fn checked_tree(
    repository: &Repository,
    index: &Index,
    tree: Id,
    path: &[u8],
) -> Result<(Vec<Entry>, Vec<Damage>)> {
    match believe(repository.load_tree(index, &tree).await)? {
        Ok(read) => Ok(checked_entries(read, tree, path)),
        Err(error) => {
            let path = path.to_vec();
            Ok((Vec::new(), vec![Damage { path, error }]))
        }
    }
}

/// What lies at a path below a tree. The path may begin with `/` or not.
///
/// # Errors
/// [`ErrorKind::NotFound`] where nothing does, [`ErrorKind::Damaged`], or the storage's.
pub async fn locate(
    repository: &Repository,
    index: &Index,
    root: Id,
    path: &[u8],
) -> Result<Located> {
    let cleaned = clean(&[b"/", path].concat());
    let mut found = Located::Directory {
        tree: root,
        node: None,
    };
    let names = cleaned.split(|&byte| byte == b'/');
    for name in names.filter(|name| !name.is_empty()) {
        let missing = || {
            let (path, name) = (
                String::from_utf8_lossy(&cleaned),
                String::from_utf8_lossy(name),
            );
            Error::new(
                ErrorKind::NotFound,
                format!("{path:?} is not in the snapshot: no {name:?}"),
            )
        };
        let Located::Directory { tree, .. } = found else {
            return Err(missing());
        };
        let tree = believe(repository.load_tree(index, &tree).await)??;
        let node = tree.nodes.into_iter().find(|node| node.name == name);
        let node = Box::new(node.ok_or_else(missing)?);
        found = match subtree(&node) {
            Some(tree) => Located::Directory {
                tree,
                node: Some(node),
            },
            None => Located::Other(node),
        };
    }
    Ok(found)
}
