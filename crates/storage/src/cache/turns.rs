//! One reader of a file at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::StoragePath;

type Turn = tokio::sync::Mutex<()>;

/// A lock a file, which lives as long as somebody holds it or waits for it.
#[derive(Debug, Default)]
pub(super) struct Turns {
    turns: Mutex<HashMap<StoragePath, Weak<Turn>>>,
}

impl Turns {
    /// Number of entries at which those that nobody uses are dropped.
    const SWEEP_AT: usize = 256;

    pub(super) fn of(&self, path: &StoragePath) -> Arc<Turn> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(path).and_then(Weak::upgrade) {
            return turn;
        }
        if turns.len() >= Self::SWEEP_AT {
            turns.retain(|_, turn| turn.strong_count() > 0);
        }
        let turn = Arc::new(Turn::default());
        turns.insert(path.clone(), Arc::downgrade(&turn));
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_shared_while_it_is_held_and_forgotten_after() {
        let turns = Turns::default();
        let path = |i: usize| StoragePath::new(format!("{i}")).unwrap();
        let first = turns.of(&path(0));
        for i in 1..10_000 {
            turns.of(&path(i));
        }
        assert!(Arc::ptr_eq(&first, &turns.of(&path(0))));
        assert!(turns.turns.lock().unwrap().len() <= Turns::SWEEP_AT);
    }
}
