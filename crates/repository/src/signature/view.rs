//! What the statements of a chain say together.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::chain::Chain;
use crate::format::{Id, Link, Statement, StatementKind, StatementName};

/// What a chain says.
#[derive(Debug, Default)]
pub(super) struct View {
    /// The last word on each snapshot.
    words: HashMap<Id, Word>,
    /// Announcements that still count.
    pub announced: Vec<(StatementName, Arc<Statement>)>,
    /// Announcements that the chain has overtaken.
    pub overtaken: Vec<StatementName>,
    /// Statements that no other one follows.
    pub heads: BTreeSet<Link>,
    /// Statements that count: those that no checkpoint stands for.
    pub links: BTreeSet<Link>,
    /// Hashes of what checkpoints stand for.
    pub replaced: BTreeSet<Id>,
    /// Statements that follow on one that is missing, with that one.
    pub gaps: Vec<(Link, Id)>,
    /// The highest generation.
    pub generation: u64,
}

/// What the highest generation that speaks of a snapshot says. Two statements of one generation may say both.
#[derive(Debug, Clone, Copy, Default)]
struct Word {
    generation: u64,
    published: bool,
    removed: bool,
}

impl View {
    pub fn of(chain: &Chain) -> Self {
        let replaced: BTreeSet<Id> = chain
            .links
            .values()
            .flat_map(|statement| &statement.replaced)
            .copied()
            .collect();
        let mut view = Self::default();
        let mut checkpoint = 0;
        let mut followed = HashSet::new();
        let counts = chain
            .links
            .iter()
            .filter(|(hash, _)| !replaced.contains(hash));
        for (hash, statement) in counts {
            let generation = statement.generation;
            let link = Link {
                generation,
                hash: *hash,
            };
            view.links.insert(link);
            view.generation = view.generation.max(generation);
            if statement.kind == StatementKind::Checkpoint {
                checkpoint = checkpoint.max(generation);
            }
            for parent in &statement.parents {
                followed.insert(*parent);
                if !chain.links.contains_key(parent) && !replaced.contains(parent) {
                    view.gaps.push((link, *parent));
                }
            }
            view.hear(statement);
        }
        view.replaced = replaced;
        let is_head = |link: &&Link| !followed.contains(&link.hash);
        view.heads = view.links.iter().filter(is_head).copied().collect();
        for (name, statement) in &chain.announcements {
            match view.still_counts(statement, checkpoint) {
                true => view.announced.push((*name, Arc::clone(statement))),
                false => view.overtaken.push(*name),
            }
        }
        view
    }

    fn hear(&mut self, statement: &Statement) {
        let published = statement.published.iter().map(|id| (id, true));
        let removed = statement.removed.iter().map(|id| (id, false));
        for (id, is_published) in published.chain(removed) {
            let word = self.words.entry(*id).or_default();
            if word.generation < statement.generation {
                *word = Word {
                    generation: statement.generation,
                    ..Word::default()
                };
            }
            if word.generation == statement.generation {
                word.published |= is_published;
                word.removed |= !is_published;
            }
        }
    }

    /// Publications run side by side with others, so an announced one counts until the chain speaks of its snapshot.
    /// Removals run alone: once anybody has stated anything after the announcement, its run has ended.
    fn still_counts(&self, statement: &Statement, checkpoint: u64) -> bool {
        let generation = statement.generation;
        let is_open = |id: &Id| self.word(id).generation < generation;
        generation > checkpoint
            && (generation > self.generation || statement.published.iter().any(is_open))
    }

    fn word(&self, id: &Id) -> Word {
        self.words.get(id).copied().unwrap_or_default()
    }

    /// Whether a key's holder has stated or announced its publication, and nobody its removal since.
    pub fn is_signed(&self, id: &Id) -> bool {
        let word = self.word(id);
        let announced = |(_, statement): &(StatementName, Arc<Statement>)| {
            statement.generation > word.generation && statement.published.contains(id)
        };
        word.published || self.announced.iter().any(announced)
    }

    /// Whether its removal was stated; being there would be wrong.
    pub fn is_removed(&self, id: &Id) -> bool {
        self.word(id).removed && !self.is_signed(id)
    }

    /// Snapshots that have to be there.
    pub fn required(&self) -> impl Iterator<Item = Id> {
        let going: HashSet<Id> = self
            .announced
            .iter()
            .filter(|(_, statement)| statement.generation > self.generation)
            .flat_map(|(_, statement)| &statement.removed)
            .copied()
            .collect();
        let published = self
            .words
            .iter()
            .filter(|(_, word)| word.published && !word.removed)
            .map(|(id, _)| *id);
        published.filter(move |id| !going.contains(id))
    }

    /// Snapshots whose removal was stated.
    pub fn removed(&self) -> impl Iterator<Item = Id> {
        let removed = self.words.iter().filter(|(_, word)| word.removed);
        removed.map(|(id, _)| *id)
    }

    /// Whether a statement that was seen once is among these, or stood for by a checkpoint.
    pub fn knows(&self, link: &Link) -> bool {
        self.links.contains(link) || self.replaced.contains(&link.hash)
    }
}
