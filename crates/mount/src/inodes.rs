//! Inode numbers.
//!
//! A number is a hash of where an entry stands (of what it is, for one with several hard links), under a key of this mount.
//! So it is the same whenever the entry is looked at, and the table needs to hold only what the kernel knows at the
//! moment: about a tenth of what the kernel itself holds for it.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use strongroom_repository::format::{Id, Node, NodeKind, Time};

/// The number of the topmost folder.
pub const ROOT: u64 = 1;

/// What a number stands for.
#[derive(Debug, Clone)]
pub enum Place {
    /// A folder above the snapshots, or a link in one; the layout knows it by its path.
    Above,
    /// The root of a snapshot.
    Snapshot {
        /// Its tree.
        tree: Id,
        /// When it was taken.
        time: Time,
    },
    /// An entry of a tree.
    Entry {
        /// The tree that it is an entry of.
        tree: Id,
        /// Its position there.
        position: u32,
        /// The number of the snapshot's root.
        snapshot: u64,
    },
}

/// What makes an entry the same one when it is seen again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    number: u64,
    /// More bits of the hash, to tell two entries apart that would get one number.
    check: u64,
}

struct Record {
    identity: Identity,
    parent: u64,
    name: Box<[u8]>,
    place: Place,
    lookups: u64,
}

/// The numbers that the kernel knows.
#[derive(Default)]
pub struct Inodes {
    keys: [RandomState; 2],
    records: Mutex<HashMap<u64, Record>>,
}

impl Inodes {
    /// An entry that is known by its place.
    pub fn by_name(&self, parent: u64, name: &[u8]) -> Identity {
        self.identity(&(0_u8, parent, name))
    }

    /// An entry of a snapshot: by its place, or by what it is where it has several hard links. Two links that a backup
    /// met in different states are two files, or one would be shown with the content of the other.
    pub fn by_node(&self, parent: u64, snapshot: u64, node: &Node) -> Identity {
        if node.links < 2 || node.inode == 0 || node.kind == NodeKind::Dir {
            return self.by_name(parent, &node.name);
        }
        let time = |time: &Time| (time.unix_seconds(), time.nanosecond());
        let kind = node.kind.as_str();
        let content: Option<Vec<_>> = node
            .content
            .as_ref()
            .map(|ids| ids.iter().map(Id::as_bytes).collect());
        self.identity(&(
            (1_u8, snapshot, node.device_id, node.inode, kind),
            (node.size_bytes, node.mode.0, node.uid, node.gid),
            (time(&node.mtime), time(&node.ctime), content),
            (node.device, &node.link_target),
        ))
    }

    fn identity(&self, what: &impl Hash) -> Identity {
        let [number, check] = self.keys.each_ref().map(|key| key.hash_one(what));
        Identity {
            // 0 is none and 1 the root.
            number: number.max(ROOT + 1),
            check,
        }
    }

    /// The number of an entry that the kernel does not get to know by this.
    pub fn number(&self, identity: Identity) -> u64 {
        self.free(&self.lock(), identity)
    }

    /// The number of an entry that the kernel gets to know; it will be forgotten once for every call.
    pub fn remember(&self, identity: Identity, parent: u64, name: &[u8], place: Place) -> u64 {
        let mut records = self.lock();
        let number = self.free(&records, identity);
        let record = records.entry(number).or_insert_with(|| Record {
            identity,
            parent,
            name: name.into(),
            place,
            lookups: 0,
        });
        record.lookups = record.lookups.saturating_add(1);
        number
    }

    /// The identity's number, or the next one where another entry has it.
    fn free(&self, records: &HashMap<u64, Record>, identity: Identity) -> u64 {
        let mut number = identity.number;
        while records
            .get(&number)
            .is_some_and(|record| record.identity != identity)
        {
            number = number.wrapping_add(1).max(ROOT + 1);
        }
        number
    }

    /// The kernel forgets so many of its lookups.
    pub fn forget(&self, number: u64, lookups: u64) {
        let mut records = self.lock();
        if let Some(record) = records.get_mut(&number) {
            record.lookups = record.lookups.saturating_sub(lookups);
            if record.lookups == 0 {
                records.remove(&number);
            }
        }
    }

    /// What a number stands for, and the number of the folder that it was found in.
    pub fn get(&self, number: u64) -> Option<(Place, u64)> {
        if number == ROOT {
            return Some((Place::Above, ROOT));
        }
        let records = self.lock();
        let record = records.get(&number)?;
        Some((record.place.clone(), record.parent))
    }

    /// The names that lead to it from the topmost folder, as far as they are known.
    pub fn names(&self, number: u64) -> Vec<Vec<u8>> {
        let records = self.lock();
        let mut names = Vec::new();
        let mut number = number;
        while let Some(record) = records.get(&number).filter(|_| number != ROOT) {
            names.push(record.name.to_vec());
            number = record.parent;
        }
        names.reverse();
        names
    }

    /// The path below the mountpoint, for messages.
    pub fn path(&self, number: u64) -> Vec<u8> {
        let names = self.names(number);
        [b"/".as_slice(), &names.join(&b"/"[..])].concat()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Inodes, Place, ROOT};
    use strongroom_repository::format::{Id, Mode, Node, NodeKind};

    #[test]
    fn a_number_stays_after_it_was_forgotten() {
        let inodes = Inodes::default();
        let identity = inodes.by_name(ROOT, b"hosts");
        let number = inodes.remember(identity, ROOT, b"hosts", Place::Above);
        let below = inodes.by_name(number, b"ada");
        let below = inodes.remember(below, number, b"ada", Place::Above);
        assert_eq!(inodes.path(below), b"/hosts/ada");
        inodes.remember(identity, ROOT, b"hosts", Place::Above);
        inodes.forget(number, 1);
        assert!(inodes.get(number).is_some());
        inodes.forget(number, 1);
        assert!(inodes.get(number).is_none());
        assert_eq!(
            inodes.remember(identity, ROOT, b"hosts", Place::Above),
            number
        );
    }

    /// The kernel caches content by the number: two contents under one would be mixed.
    #[test]
    fn links_are_one_file_only_where_all_is_equal() {
        let inodes = Inodes::default();
        let mut one = Node::new("a", NodeKind::File, Mode(0o644));
        (one.links, one.inode) = (2, 7);
        one.content = Some(vec![Id::of(b"x")]);
        let mut two = one.clone();
        two.name = b"b".to_vec();
        assert_eq!(inodes.by_node(2, 9, &one), inodes.by_node(3, 9, &two));
        assert_ne!(inodes.by_node(2, 9, &one), inodes.by_node(2, 8, &one));
        two.content = Some(vec![Id::of(b"y")]);
        assert_ne!(inodes.by_node(2, 9, &one), inodes.by_node(3, 9, &two));
    }
}
