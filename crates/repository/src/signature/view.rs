//! What the statements of a chain say together.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::chain::Chain;
use crate::format::{Id, Link, Statement, StatementName};

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
    published: Option<Vouch>,
    removed: bool,
}

/// Who says of a snapshot that it is theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vouch {
    /// The key that the statement is signed with.
    pub key: Id,
    /// When it was made, by the clock of whoever made it. That of a checkpoint, where one stands for the statement.
    pub time: Timestamp,
}

impl Vouch {
    fn of(statement: &Statement) -> Self {
        Self {
            key: statement.key,
            time: statement.time,
        }
    }
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
            match view.still_counts(statement) {
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
                if is_published {
                    word.published = Some(Vouch::of(statement));
                }
                word.removed |= !is_published;
            }
        }
    }

    /// Publications run side by side with others, so an announced one counts until the chain speaks of its snapshot.
    /// Removals run alone: once anybody has stated anything after the announcement, its run has ended.
    fn still_counts(&self, statement: &Statement) -> bool {
        statement.generation > self.generation || self.opens(statement).next().is_some()
    }

    /// The publications of an announcement that the chain has said nothing of since.
    pub fn opens<'a>(&'a self, statement: &'a Statement) -> impl Iterator<Item = &'a Id> {
        let is_open = |id: &&Id| self.word(id).generation < statement.generation;
        statement.published.iter().filter(is_open)
    }

    fn word(&self, id: &Id) -> Word {
        self.words.get(id).copied().unwrap_or_default()
    }

    /// Who vouches for it: whether a key's holder has stated or announced its publication, and nobody its removal since.
    pub fn vouch(&self, id: &Id) -> Option<Vouch> {
        let is_open = |statement: &Statement| self.opens(statement).any(|open| open == id);
        let announced = || {
            let mut announced = self.announced.iter().map(|(_, statement)| statement);
            announced.find(|statement| is_open(statement))
        };
        let word = self.word(id).published;
        word.or_else(|| announced().map(|statement| Vouch::of(statement)))
    }

    /// Whether somebody vouches for it.
    pub fn is_signed(&self, id: &Id) -> bool {
        self.vouch(id).is_some()
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
            .filter(|(_, word)| word.published.is_some() && !word.removed)
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
