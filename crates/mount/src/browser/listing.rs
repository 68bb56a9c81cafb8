//! Names in folders.

use std::sync::Arc;

use strongroom_repository::format::{Id, Node, NodeKind};

use super::{Browser, Failure, Seen};
use crate::directory::Directory;
use crate::inodes::{Identity, Place};
use crate::layout::Above;

/// A folder as it was when it was opened. Positions stay what they are while it is open.
pub struct Listing {
    /// The folder itself.
    pub number: u64,
    /// The one above it.
    pub parent: u64,
    names: Names,
}

enum Names {
    /// Above the snapshots.
    Above(Vec<(Vec<u8>, Above)>),
    /// In a snapshot.
    Entries {
        directory: Arc<Directory>,
        tree: Id,
        snapshot: u64,
    },
}

/// An entry of a listing.
pub struct Listed<'a> {
    pub name: &'a [u8],
    pub seen: Seen,
    identity: Identity,
    place: Place,
}

pub(super) fn seen(above: &Above) -> Seen {
    match above {
        Above::Folder(_) => Seen::Folder,
        Above::Snapshot { time, .. } => Seen::Snapshot(*time),
        Above::Link(target) => Seen::Link(target.clone().into_bytes()),
    }
}

impl Browser {
    /// An entry of a folder by its name, with its number, which the kernel knows from now on.
    pub async fn look_up(&self, parent: u64, name: &[u8]) -> Result<(u64, Seen), Failure> {
        let (place, _) = self.inodes.get(parent).ok_or(Failure::NotFound)?;
        if let Place::Above = place {
            let mut names = self.inodes.names(parent);
            names.push(name.to_vec());
            let view = self.views.look(&self.reports).await;
            let above = crate::layout::find(&view.folders, &names).ok_or(Failure::NotFound)?;
            let place = place_of(above);
            let identity = self.inodes.by_name(parent, name);
            let number = self.inodes.remember(identity, parent, name, place);
            return Ok((number, seen(above)));
        }
        let (directory, tree, snapshot) = self.entries(parent).await?;
        let position = directory.find(name).ok_or(Failure::NotFound)?;
        let node = directory.nodes.get(position).ok_or(Failure::NotFound)?;
        let identity = self.inodes.by_node(parent, snapshot, node);
        let place = entry(tree, position, snapshot);
        let number = self.inodes.remember(identity, parent, name, place);
        Ok((number, Seen::Entry(directory, position)))
    }

    /// Opens a folder to list it. Entries that cannot be shown are told.
    pub async fn list(&self, number: u64) -> Result<Listing, Failure> {
        let (place, parent) = self.inodes.get(number).ok_or(Failure::NotFound)?;
        let names = match place {
            Place::Above => {
                let folder = self.folder(&self.inodes.names(number)).await?;
                Names::Above(folder.into_iter().collect())
            }
            _ => {
                let (directory, tree, snapshot) = self.entries(number).await?;
                let path = self.inodes.path(number);
                for (name, fault) in &directory.faults {
                    self.reports.unreadable(&[&*path, name].concat(), fault);
                }
                Names::Entries {
                    directory,
                    tree,
                    snapshot,
                }
            }
        };
        Ok(Listing {
            number,
            parent,
            names,
        })
    }

    /// The entries of a directory in a snapshot, their tree, and the number of the snapshot's root.
    async fn entries(&self, number: u64) -> Result<(Arc<Directory>, Id, u64), Failure> {
        let (place, _) = self.inodes.get(number).ok_or(Failure::NotFound)?;
        let (tree, snapshot) = match place {
            Place::Above => return Err(Failure::NotADirectory),
            Place::Snapshot { tree, .. } => (tree, number),
            Place::Entry { snapshot, .. } => {
                let seen = self.see(number).await?;
                let is_directory = |node: &&Node| node.kind == NodeKind::Dir;
                let node = seen.node().filter(is_directory);
                let tree = node.and_then(|node| node.subtree);
                (tree.ok_or(Failure::NotADirectory)?, snapshot)
            }
        };
        let directory = self.directory(tree, number).await?;
        Ok((directory, tree, snapshot))
    }
}

impl Listing {
    /// The entry at a position; `None` behind the last.
    pub fn get(&self, browser: &Browser, position: usize) -> Option<Listed<'_>> {
        match &self.names {
            Names::Above(names) => {
                let (name, above) = names.get(position)?;
                Some(Listed {
                    name,
                    seen: seen(above),
                    identity: browser.inodes.by_name(self.number, name),
                    place: place_of(above),
                })
            }
            Names::Entries {
                directory,
                tree,
                snapshot,
            } => {
                let node = directory.nodes.get(position)?;
                Some(Listed {
                    name: &node.name,
                    seen: Seen::Entry(Arc::clone(directory), position),
                    identity: browser.inodes.by_node(self.number, *snapshot, node),
                    place: entry(*tree, position, *snapshot),
                })
            }
        }
    }
}

impl Listed<'_> {
    /// Its number.
    pub fn number(&self, browser: &Browser) -> u64 {
        browser.inodes.number(self.identity)
    }

    /// Its number, which the kernel knows from now on.
    pub fn remember(&self, browser: &Browser, parent: u64) -> u64 {
        let place = self.place.clone();
        browser
            .inodes
            .remember(self.identity, parent, self.name, place)
    }
}

fn place_of(above: &Above) -> Place {
    match above {
        Above::Folder(_) | Above::Link(_) => Place::Above,
        Above::Snapshot { tree, time } => Place::Snapshot {
            tree: *tree,
            time: *time,
        },
    }
}

/// A directory has fewer entries than 2^32: each takes more than one byte of a blob, whose length has 32 bits.
fn entry(tree: Id, position: usize, snapshot: u64) -> Place {
    Place::Entry {
        tree,
        position: u32::try_from(position).unwrap_or(u32::MAX),
        snapshot,
    }
}
