//! What blobs, trees and packs are part of.

use std::collections::HashSet;

use tokio_util::sync::CancellationToken;

use crate::format::{BlobKind, Id};
use crate::index::Index;
use crate::progress::{Phase, Progress};
use crate::repository::{Repository, SnapshotFile};
use crate::walk::{Entry, Found, walk_union};
use crate::{Error, ErrorKind, Result};

/// Identifiers, or beginnings of identifiers, that are looked for.
#[derive(Debug, Clone)]
pub enum ObjectQuery {
    /// Blobs of file contents.
    Blobs(Vec<String>),
    /// Trees.
    Trees(Vec<String>),
    /// Everything in these packs.
    Packs(Vec<String>),
}

/// One place at which an object is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMatch {
    /// Blob or tree.
    pub kind: BlobKind,
    /// Its identifier.
    pub id: Id,
    /// The file that the blob is part of, or the directory that the tree describes.
    pub path: Vec<u8>,
    /// The tree that the file is an entry of; `None` for directories.
    pub parent_tree: Option<Id>,
    /// The snapshot, as its number among those that were searched.
    pub snapshot: usize,
}

/// What is looked for, in the form in which it can be compared.
#[derive(Debug, Default)]
struct Wanted {
    data: Objects,
    trees: Objects,
}

#[derive(Debug, Default)]
struct Objects {
    ids: HashSet<Id>,
    prefixes: Vec<String>,
}

impl Objects {
    fn parse(texts: &[String]) -> Result<Self> {
        let mut objects = Self::default();
        for text in texts {
            let text = text.to_ascii_lowercase();
            if let Ok(id) = text.parse() {
                objects.ids.insert(id);
            } else if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                objects.prefixes.push(text);
            } else {
                let message = format!("{text:?} is not the beginning of an identifier");
                return Err(Error::new(ErrorKind::Invalid, message));
            }
        }
        Ok(objects)
    }

    fn contains(&self, id: &Id) -> bool {
        self.ids.contains(id)
            || (!self.prefixes.is_empty() && {
                let hex = id.to_hex();
                self.prefixes.iter().any(|prefix| hex.starts_with(prefix))
            })
    }

    fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.prefixes.is_empty()
    }
}

impl Wanted {
    fn new(query: &ObjectQuery, index: &Index) -> Result<Self> {
        let mut wanted = Self::default();
        match query {
            ObjectQuery::Blobs(texts) => wanted.data = Objects::parse(texts)?,
            ObjectQuery::Trees(texts) => wanted.trees = Objects::parse(texts)?,
            ObjectQuery::Packs(texts) => {
                for text in texts {
                    wanted.add_pack(text, index)?;
                }
            }
        }
        Ok(wanted)
    }

    fn add_pack(&mut self, text: &str, index: &Index) -> Result<()> {
        let packs = Objects::parse(&[text.to_owned()])?;
        let mut known = false;
        for kind in [BlobKind::Data, BlobKind::Tree] {
            let blobs = index.blobs(kind);
            for blob in blobs.filter(|blob| packs.contains(&blob.location.pack)) {
                known = true;
                match kind {
                    BlobKind::Data => self.data.ids.insert(blob.id),
                    BlobKind::Tree => self.trees.ids.insert(blob.id),
                };
            }
        }
        match known {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::NotFound,
                format!("no index names a pack {text:?}"),
            )),
        }
    }

    /// The wanted objects that an entry uses, each once.
    fn used_by(&self, entry: &Entry) -> Vec<(BlobKind, Id)> {
        let mut used = Vec::new();
        if let Some(tree) = entry.node.subtree
            && self.trees.contains(&tree)
        {
            used.push((BlobKind::Tree, tree));
        }
        if !self.data.is_empty() {
            let mut seen = HashSet::new();
            for id in entry.node.content.iter().flatten() {
                if self.data.contains(id) && seen.insert(*id) {
                    used.push((BlobKind::Data, *id));
                }
            }
        }
        used
    }
}

/// Looks for objects in the snapshots; what several have in common is read once. The matches come by snapshot, path and
/// identifier; a blob that a file holds more than once is named once. Damage is told to `progress` and passed over.
///
/// # Errors
/// [`ErrorKind::Invalid`] for a text that is no identifier, [`ErrorKind::NotFound`] for a pack that no index names,
/// [`ErrorKind::Cancelled`], or the storage's.
pub async fn find_objects(
    repository: &Repository,
    index: &Index,
    snapshots: &[SnapshotFile],
    query: &ObjectQuery,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Vec<ObjectMatch>> {
    let wanted = Wanted::new(query, index)?;
    progress.begin(Phase::ReadTrees);
    let trees: Vec<Id> = snapshots.iter().map(|file| file.snapshot.tree).collect();
    let mut found = roots(&wanted, &trees);
    walk_union(repository, index, &trees, cancel, &mut |what, members| {
        let entry = match what {
            Found::Entry(entry) => entry,
            Found::Damage(damage) => {
                progress.entry_error(&damage.path, "find", &damage.error.to_string());
                return false;
            }
        };
        for (kind, id) in wanted.used_by(entry) {
            let members = members
                .iter()
                .filter_map(|&member| usize::try_from(member).ok());
            found.extend(members.map(|snapshot| ObjectMatch {
                kind,
                id,
                path: entry.path.clone(),
                parent_tree: (kind == BlobKind::Data).then_some(entry.parent_tree),
                snapshot,
            }));
        }
        true
    })
    .await?;
    found.sort_by(|a, b| (a.snapshot, &a.path, a.id).cmp(&(b.snapshot, &b.path, b.id)));
    Ok(found)
}

fn roots(wanted: &Wanted, trees: &[Id]) -> Vec<ObjectMatch> {
    let root = |(snapshot, &id): (usize, &Id)| ObjectMatch {
        kind: BlobKind::Tree,
        id,
        path: b"/".to_vec(),
        parent_tree: None,
        snapshot,
    };
    let roots = trees.iter().enumerate();
    roots
        .filter(|(_, id)| wanted.trees.contains(id))
        .map(root)
        .collect()
}
