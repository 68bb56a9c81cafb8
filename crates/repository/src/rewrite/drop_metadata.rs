//! Metadata that is to be forgotten.

use std::str::FromStr;

use crate::format::{Node, NodeKind};
use crate::{Error, ErrorKind};

/// What is left out of every entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DropMetadata {
    /// Extended attributes, ACLs among them.
    pub extended_attributes: bool,
    /// Names of owner and group. Their numbers stay.
    pub owner_names: bool,
    /// Numbers of inodes and file systems, except where a hard link is known by them.
    pub inodes: bool,
    /// Times of access: that of the last change takes their place, as where none is recorded.
    pub access_times: bool,
}

impl FromStr for DropMetadata {
    type Err = Error;

    /// A list: `xattrs,owners,inodes,atimes`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut drop = Self::default();
        for word in text.split(',') {
            let which = match word.trim() {
                "xattrs" => &mut drop.extended_attributes,
                "owners" => &mut drop.owner_names,
                "inodes" => &mut drop.inodes,
                "atimes" => &mut drop.access_times,
                other => {
                    let message = format!("{other:?} is none of xattrs, owners, inodes and atimes");
                    return Err(Error::new(ErrorKind::Invalid, message));
                }
            };
            *which = true;
        }
        Ok(drop)
    }
}

impl DropMetadata {
    /// Whether nothing is left out.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Leaves it out; whether anything was there.
    pub(super) fn apply(self, node: &mut Node) -> bool {
        if self.is_empty() {
            return false;
        }
        let mut changed = false;
        if self.extended_attributes && !node.extended_attributes.is_empty() {
            node.extended_attributes.clear();
            changed = true;
        }
        if self.owner_names && !(node.user.is_empty() && node.group.is_empty()) {
            node.user.clear();
            node.group.clear();
            changed = true;
        }
        // Two files with links and the same numbers are one file to a restore.
        let is_linked = node.kind != NodeKind::Dir && node.links > 1;
        if self.inodes && !is_linked && (node.inode, node.device_id) != (0, 0) {
            (node.inode, node.device_id) = (0, 0);
            changed = true;
        }
        if self.access_times && node.atime != node.mtime {
            node.atime = node.mtime;
            changed = true;
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::DropMetadata;
    use crate::format::{Mode, Node, NodeKind};

    #[test]
    fn a_list_says_what_goes() {
        let drop: DropMetadata = "xattrs, atimes".parse().unwrap();
        assert!(drop.extended_attributes && drop.access_times);
        assert!(!drop.owner_names && !drop.inodes);
        for bad in ["", "xattr", "owners,", "all"] {
            assert!(bad.parse::<DropMetadata>().is_err(), "{bad:?}");
        }
    }

    /// All files without a number, and with links, would be one and the same file after a restore.
    #[test]
    fn hard_links_keep_what_they_are_known_by() {
        let drop: DropMetadata = "inodes".parse().unwrap();
        let mut node = Node::new("a", NodeKind::File, Mode::default());
        (node.inode, node.device_id, node.links) = (7, 8, 1);
        assert!(drop.apply(&mut node));
        assert_eq!((node.inode, node.device_id), (0, 0));
        assert!(!drop.apply(&mut node));
        (node.inode, node.device_id, node.links) = (7, 8, 2);
        assert!(!drop.apply(&mut node));
        node.kind = NodeKind::Dir;
        assert!(drop.apply(&mut node));
    }
}
