//! Many trees at once. What they have in common at the same path is read once.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt};
use tokio_util::sync::CancellationToken;

use super::check::{checked_entries, join, subtree, too_deep};
use super::walker::believe;
use super::{DEPTH_MAX, Damage, Entry};
use crate::format::{Id, Tree};
use crate::index::Index;
use crate::repository::Repository;
use crate::{Error, Result};

/// Trees that are read at the same time.
const AT_ONCE: usize = 32;

/// The numbers of the trees (in the order in which they were given) that something is part of; ascending, never empty.
pub type Members = Arc<[u32]>;

/// What the walk came upon.
#[derive(Debug)]
pub enum Found<'a> {
    /// An entry.
    Entry(&'a Entry),
    /// Something that cannot be read.
    Damage(&'a Damage),
}

/// A directory at one path in all its versions.
struct Group {
    path: Vec<u8>,
    depth: usize,
    /// Versions that have not been gone through.
    open: usize,
    /// For each directory in it its versions.
    children: BTreeMap<Vec<u8>, HashMap<Id, Vec<u32>>>,
}

/// One version of a directory.
struct Version {
    group: usize,
    tree: Id,
    members: Members,
}

type Reading<'a> = Pin<Box<dyn Future<Output = (Version, Result<Tree>)> + Send + 'a>>;

struct Union<'a> {
    repository: &'a Repository,
    index: &'a Index,
    groups: HashMap<usize, Group>,
    next_group: usize,
    /// What has been found and not read; the last is read first, so that it stays short.
    ready: Vec<Version>,
    reading: FuturesUnordered<Reading<'a>>,
}

/// Shows every entry below the trees, with the numbers of the trees that have it; a directory before what is in it, apart
/// from that in no order. An entry that several trees have is shown once for each version of the directory it lies in. `visit` says of a directory whether to go into it.
///
/// # Errors
/// [`crate::ErrorKind::Cancelled`], or the storage's.
pub async fn walk_union(
    repository: &Repository,
    index: &Index,
    trees: &[Id],
    cancel: &CancellationToken,
    visit: &mut (dyn FnMut(Found<'_>, &Members) -> bool + Send),
) -> Result<()> {
    let mut union = Union {
        repository,
        index,
        groups: HashMap::new(),
        next_group: 0,
        ready: Vec::new(),
        reading: FuturesUnordered::new(),
    };
    let mut roots: HashMap<Id, Vec<u32>> = HashMap::new();
    for (number, tree) in (0..).zip(trees) {
        roots.entry(*tree).or_default().push(number);
    }
    union.add_group(b"/".to_vec(), 0, roots);
    loop {
        while union.reading.len() < AT_ONCE
            && let Some(version) = union.ready.pop()
        {
            union.read(version);
        }
        let (version, read) = tokio::select! {
            () = cancel.cancelled() => return Err(Error::cancelled()),
            next = union.reading.next() => match next {
                Some(next) => next,
                None => return Ok(()),
            },
        };
        union.go_through(version, read, visit)?;
    }
}

impl Union<'_> {
    fn read(&self, version: Version) {
        let (repository, index) = (self.repository, self.index);
        self.reading.push(Box::pin(async move {
            let tree = repository.load_tree(index, &version.tree).await;
            (version, tree)
        }));
    }

    fn add_group(&mut self, path: Vec<u8>, depth: usize, versions: HashMap<Id, Vec<u32>>) {
        let group = self.next_group;
        self.next_group += 1;
        self.groups.insert(
            group,
            Group {
                path,
                depth,
                open: versions.len(),
                children: BTreeMap::new(),
            },
        );
        self.ready
            .extend(versions.into_iter().map(|(tree, mut members)| {
                members.sort_unstable();
                Version {
                    group,
                    tree,
                    members: members.into(),
                }
            }));
    }

    fn go_through(
        &mut self,
        version: Version,
        read: Result<Tree>,
        visit: &mut (dyn FnMut(Found<'_>, &Members) -> bool + Send),
    ) -> Result<()> {
        let Some(group) = self.groups.get_mut(&version.group) else {
            return Ok(());
        };
        let members = &version.members;
        match believe(read)? {
            Ok(tree) => {
                let (entries, damages) = checked_entries(tree, version.tree, &group.path);
                for damage in &damages {
                    visit(Found::Damage(damage), members);
                }
                for entry in entries {
                    let descend = visit(Found::Entry(&entry), members);
                    if descend && let Some(tree) = subtree(&entry.node) {
                        let versions = group.children.entry(entry.node.name).or_default();
                        versions.entry(tree).or_default().extend(members.iter());
                    }
                }
            }
            Err(error) => {
                let path = group.path.clone();
                visit(Found::Damage(&Damage { path, error }), members);
            }
        }
        group.open -= 1;
        if group.open == 0
            && let Some(group) = self.groups.remove(&version.group)
        {
            self.open_children(group, visit);
        }
        Ok(())
    }

    fn open_children(
        &mut self,
        group: Group,
        visit: &mut (dyn FnMut(Found<'_>, &Members) -> bool + Send),
    ) {
        for (name, versions) in group.children {
            let path = join(&group.path, &name);
            if group.depth + 1 < DEPTH_MAX {
                self.add_group(path, group.depth + 1, versions);
                continue;
            }
            for members in versions.into_values() {
                visit(Found::Damage(&too_deep(&path)), &members.into());
            }
        }
    }
}
