//! The first look: what the snapshot has, and what the target has in the same places.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use tokio_util::sync::CancellationToken;

use crate::format::{Id, Node, NodeKind, Tree};
use crate::index::Index;
use crate::progress::{Amount, Progress};
use crate::restore::blocking::blocking;
use crate::restore::case::clashes;
use crate::restore::problem::OrProblem;
use crate::restore::{
    Existing, ExistingKind, Listing, Overwrite, Problem, RestoreOptions, Target, TargetPath,
    TargetResult,
};
use crate::{Error, ErrorKind, Repository, Result};

/// Batches of trees that are loaded, and of directories that are listed, at once.
const AT_ONCE: usize = 4;

/// An entry of the snapshot and what has its name in the target.
pub(super) struct Found {
    pub path: TargetPath,
    pub node: Node,
    pub existing: Option<Box<Existing>>,
    /// What an interrupted restore left of it.
    pub leftover: Option<Box<Existing>>,
    /// A directory above it stays what it is in the target (not a directory), so this cannot be restored.
    pub shadowed: bool,
    /// The target takes its name for that of another entry.
    pub case_clash: bool,
    parent: Option<usize>,
    /// It is selected itself, or something below it is.
    needed: bool,
}

/// What the target has and the snapshot has not, in a directory that both have.
pub(super) struct Surplus {
    pub dir: TargetPath,
    pub entries: Vec<Existing>,
}

/// All that is known before anything is decided.
#[derive(Default)]
pub(super) struct Survey {
    /// A directory comes before what it holds; what is not selected is left out.
    pub entries: Vec<Found>,
    pub surplus: Vec<Surplus>,
    pub problems: Vec<Problem>,
}

/// A directory to be looked at.
struct Visit {
    found: Option<usize>,
    path: TargetPath,
    tree: Id,
    exists: bool,
    shadowed: bool,
    /// Names in it that the target takes for those of other entries.
    clashes: HashSet<Vec<u8>>,
}

/// A directory with its tree in the snapshot and its listing in the target.
type Looked = (Visit, Result<Result<Tree>>, OrProblem<Listing>);

/// Lists a directory of the target, and notes which of these names it takes for others.
fn list(target: &dyn Target, visit: &mut Visit, names: &[&[u8]]) -> TargetResult<Listing> {
    let listing = target.list(&visit.path)?;
    visit.clashes = clashes(target, &visit.path, names, &listing);
    Ok(listing)
}

pub(super) struct Surveyor<'a> {
    pub repository: &'a Repository,
    pub index: &'a Index,
    pub target: &'a Arc<dyn Target>,
    pub options: &'a RestoreOptions,
    pub progress: &'a dyn Progress,
}

impl Surveyor<'_> {
    /// Walks the tree level by level, so that the directories of a level are looked at side by side.
    pub(super) async fn survey(
        &self,
        root: Id,
        root_exists: bool,
        cancel: &CancellationToken,
    ) -> Result<Survey> {
        let mut survey = Survey::default();
        let mut surplus: Vec<(Option<usize>, Surplus)> = Vec::new();
        let mut level = vec![Visit {
            found: None,
            path: TargetPath::root(),
            tree: root,
            exists: root_exists,
            shadowed: false,
            clashes: HashSet::new(),
        }];
        while !level.is_empty() {
            let mut next = Vec::new();
            let mut looked = stream::iter(self.batches(level))
                .map(|visits| self.look(visits))
                .buffered(AT_ONCE);
            while let Some(batch) = looked.next().await {
                for (visit, tree, listing) in batch? {
                    if cancel.is_cancelled() {
                        return Err(Error::cancelled());
                    }
                    self.take(&mut survey, &mut surplus, &mut next, visit, tree?, listing);
                }
            }
            level = next;
        }
        keep_needed(&mut survey, surplus);
        Ok(survey)
    }

    /// Directories that are looked at together.
    fn batches(&self, level: Vec<Visit>) -> Vec<Vec<Visit>> {
        let mut batches = Vec::new();
        let mut rest = level;
        while !rest.is_empty() {
            let trees = rest.iter().map(|visit| &visit.tree);
            let later = rest.split_off(Repository::trees_at_once(self.index, trees, AT_ONCE));
            batches.push(std::mem::replace(&mut rest, later));
        }
        batches
    }

    /// The trees (`Err` inside where one is damaged) and the listings of the target's directories.
    async fn look(&self, visits: Vec<Visit>) -> Result<Vec<Looked>> {
        let ids: Vec<Id> = visits.iter().map(|visit| visit.tree).collect();
        let trees = self.repository.load_trees(self.index, &ids).await;
        let looked = visits.into_iter().zip(trees).map(|(visit, tree)| {
            let tree = match tree {
                Err(error) if !matches!(error.kind(), ErrorKind::Damaged | ErrorKind::NotFound) => {
                    Err(error.context(format!("load the folder {}", visit.path)))
                }
                tree => Ok(tree),
            };
            (visit, tree, Ok(Listing::default()))
        });
        let mut looked: Vec<Looked> = looked.collect();
        if !looked.iter().any(|(visit, ..)| visit.exists) {
            return Ok(looked);
        }
        let target = Arc::clone(self.target);
        blocking(move || {
            for (visit, tree, listing) in looked.iter_mut().filter(|(visit, ..)| visit.exists) {
                let nodes = tree.iter().flatten().flat_map(|tree| &tree.nodes);
                let names: Vec<&[u8]> = nodes.map(|node| node.name.as_slice()).collect();
                *listing = list(&*target, visit, &names).map_err(Problem::from);
            }
            looked
        })
        .await
    }

    fn take(
        &self,
        survey: &mut Survey,
        surplus: &mut Vec<(Option<usize>, Surplus)>,
        next: &mut Vec<Visit>,
        visit: Visit,
        tree: Result<Tree>,
        listing: OrProblem<Listing>,
    ) {
        let tree = match tree {
            Ok(tree) => tree,
            Err(error) => {
                survey
                    .problems
                    .push(Problem::load(visit.path.absolute(), &error));
                return;
            }
        };
        let listing = listing.unwrap_or_else(|problem| {
            survey.problems.push(problem);
            Listing::default()
        });
        let mut existing: HashMap<Vec<u8>, Existing> = listing
            .entries
            .into_iter()
            .map(|entry| (entry.name.clone(), entry))
            .collect();
        let mut leftovers: HashMap<Vec<u8>, Existing> = listing
            .leftovers
            .into_iter()
            .map(|entry| (entry.name.clone(), entry))
            .collect();
        let repeated = repeated(&tree.nodes);
        let mut whole = true;
        for (position, node) in tree.nodes.into_iter().enumerate() {
            let path = match visit.path.join(&node.name) {
                Ok(path) if !repeated.contains(&position) => path,
                Ok(path) => {
                    let message = "the snapshot has this name twice in one folder";
                    survey.problems.push(refused(path.absolute(), message));
                    whole = false;
                    continue;
                }
                Err(error) => {
                    let message = format!(
                        "the snapshot has an entry here that could lead out of the target: {error}"
                    );
                    survey
                        .problems
                        .push(refused(visit.path.absolute(), message));
                    whole = false;
                    continue;
                }
            };
            let found = Found {
                existing: existing.remove(&node.name).map(Box::new),
                leftover: leftover(&node, &mut leftovers).map(Box::new),
                shadowed: visit.shadowed,
                case_clash: visit.clashes.contains(&node.name),
                parent: visit.found,
                needed: false,
                path,
                node,
            };
            self.enter(survey, next, found);
        }
        // Where names were refused, what they stand for is not known, so nothing counts as surplus.
        if visit.exists && whole {
            let entries = existing
                .into_values()
                .chain(leftovers.into_values())
                .collect();
            surplus.push((
                visit.found,
                Surplus {
                    dir: visit.path,
                    entries,
                },
            ));
        }
        self.progress.advance(Amount {
            items: 1,
            ..Amount::default()
        });
    }

    fn enter(&self, survey: &mut Survey, next: &mut Vec<Visit>, mut found: Found) {
        let verdict = self.options.selection.judge(&found.path.absolute());
        let dir = found.node.kind == NodeKind::Dir;
        found.needed = verdict.matched;
        let descend = dir && verdict.child_may_match;
        if !found.needed && !descend {
            return;
        }
        let number = survey.entries.len();
        if descend {
            match found.node.subtree {
                Some(tree) => {
                    let is_dir = found
                        .existing
                        .as_ref()
                        .map(|entry| entry.kind == ExistingKind::Dir);
                    let stays = is_dir == Some(false) && !self.gives_way(&found);
                    next.push(Visit {
                        found: Some(number),
                        path: found.path.clone(),
                        tree,
                        exists: is_dir == Some(true) && !found.shadowed,
                        shadowed: found.shadowed || stays || found.case_clash,
                        clashes: HashSet::new(),
                    });
                }
                None => survey.problems.push(Problem::new(
                    found.path.absolute(),
                    "load",
                    ErrorKind::Damaged,
                    "the snapshot names no tree for this folder",
                )),
            }
        }
        survey.entries.push(found);
    }

    fn gives_way(&self, found: &Found) -> bool {
        may_replace(
            self.options.overwrite,
            &found.node,
            found.existing.as_deref(),
        )
    }
}

/// Whether the policy lets an entry of the snapshot take the place of what is there.
pub(super) fn may_replace(policy: Overwrite, node: &Node, existing: Option<&Existing>) -> bool {
    match (policy, existing) {
        (_, None) | (Overwrite::Always | Overwrite::IfChanged, _) => true,
        (Overwrite::IfNewer, Some(existing)) => node.mtime > existing.mtime,
        (Overwrite::Never, Some(_)) => false,
    }
}

fn leftover(node: &Node, leftovers: &mut HashMap<Vec<u8>, Existing>) -> Option<Existing> {
    if leftovers.is_empty() || node.kind != NodeKind::File {
        return None;
    }
    leftovers.remove(&crate::restore::partial_name(&node.name))
}

fn refused(path: Vec<u8>, message: impl Into<String>) -> Problem {
    Problem::new(path, "read the snapshot at", ErrorKind::Refused, message)
}

/// Drops directories that lead to nothing selected, and puts the rest in the order of their paths.
fn keep_needed(survey: &mut Survey, surplus: Vec<(Option<usize>, Surplus)>) {
    // Children come after their parents.
    for number in (0..survey.entries.len()).rev() {
        let parent = match survey.entries.get(number) {
            Some(found) if found.needed => found.parent,
            _ => None,
        };
        if let Some(parent) = parent.and_then(|parent| survey.entries.get_mut(parent)) {
            parent.needed = true;
        }
    }
    let root_needed = survey.entries.iter().any(|found| found.needed);
    let needed = |number: Option<usize>| match number {
        None => root_needed,
        Some(number) => survey.entries.get(number).is_some_and(|found| found.needed),
    };
    survey.surplus = surplus
        .into_iter()
        .filter(|(number, _)| needed(*number))
        .map(|(_, surplus)| surplus)
        .collect();
    survey.entries.retain(|found| found.needed);
    // An entry is large to be moved about, so what is sorted are their paths.
    survey
        .entries
        .sort_by_cached_key(|found| found.path.clone());
}

/// The positions of entries whose names came before. In a tree as programs write it, with its names in order, there are none.
fn repeated(nodes: &[Node]) -> HashSet<usize> {
    if nodes.is_sorted_by(|a, b| a.name < b.name) {
        return HashSet::new();
    }
    let mut seen = HashSet::new();
    (0..)
        .zip(nodes)
        .filter(|(_, node)| !seen.insert(&node.name))
        .map(|(position, _)| position)
        .collect()
}
