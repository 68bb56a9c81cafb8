//! How many calls may be made at once, learned from how they go.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Duration, Instant};

use crate::{ErrorKind, StorageError};

/// What a call costs beside its bytes, as bytes: so many could have been sent in the time of a round trip.
const CALL_BYTES: u64 = 64 << 10;

/// A round of calls of which even the quickest is so much slower than the quickest ever counts as too many at once.
const SLOW: u32 = 8;

/// Turns for calls: as many at once as the storage bears, and never more than `most`.
///
/// It begins with `most`. A storage that asks for fewer requests or does not answer halves the number, once for all the
/// calls that were on their way then. A round of calls that went well adds one; a round in which everything was slow takes
/// one away. One call may always be made.
#[derive(Debug)]
pub(crate) struct Turns {
    semaphore: Semaphore,
    most: usize,
    window: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    size: usize,
    /// Turns that are out and are not to come back.
    debt: usize,
    /// Of this round.
    done: usize,
    quickest_of_round: Option<Duration>,
    quickest: Option<Duration>,
    cut: Option<Instant>,
}

/// A call's turn; the next gets it when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    permit: Option<SemaphorePermit<'a>>,
    began: Instant,
}

impl Turns {
    pub(crate) fn new(most: usize) -> Self {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            semaphore: Semaphore::new(most),
            most,
            window: Mutex::new(Window {
                size: most,
                debt: 0,
                done: 0,
                quickest_of_round: None,
                quickest: None,
                cut: None,
            }),
        }
    }

    /// The most at once.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// Waits for a turn, in the order of asking.
    pub(crate) async fn take(&self) -> Turn<'_> {
        // The semaphore is never closed; were it, nobody would be kept waiting.
        let permit = self.semaphore.acquire().await.ok();
        Turn {
            turns: self,
            permit,
            began: Instant::now(),
        }
    }

    fn change(&self, window: &mut Window, size: usize) {
        let size = size.clamp(1, self.most);
        if size > window.size {
            let more = size - window.size;
            let forgiven = more.min(window.debt);
            window.debt -= forgiven;
            self.semaphore.add_permits(more - forgiven);
        } else {
            let fewer = window.size - size;
            window.debt += fewer - self.semaphore.forget_permits(fewer);
        }
        window.size = size;
        window.done = 0;
        window.quickest_of_round = None;
    }
}

impl Turn<'_> {
    /// The call has ended well or with an error that is an answer.
    pub(crate) fn done(&self, bytes: u64) {
        let turns = self.turns;
        let mut window = turns.window.lock().unwrap_or_else(PoisonError::into_inner);
        let pieces = u32::try_from(bytes / CALL_BYTES).unwrap_or(u32::MAX);
        let cost = self.began.elapsed() / pieces.saturating_add(1);
        let of_round = window.quickest_of_round.map_or(cost, |old| old.min(cost));
        window.quickest_of_round = Some(of_round);
        window.done += 1;
        if window.done < window.size {
            return;
        }
        let limit = window
            .quickest
            .map(|quickest| quickest.saturating_mul(SLOW));
        window.quickest = Some(window.quickest.map_or(of_round, |old| old.min(of_round)));
        let size = match limit {
            // Calls that take no time to speak of say nothing.
            Some(limit) if of_round > limit.max(Duration::from_millis(100)) => window.size - 1,
            _ => window.size + 1,
        };
        turns.change(&mut window, size);
    }

    /// The call has ended with an error.
    pub(crate) fn failed(&self, error: &StorageError) {
        let too_many = matches!(
            error.kind,
            ErrorKind::Throttled | ErrorKind::TimedOut | ErrorKind::Unreachable
        );
        if !too_many {
            return self.done(0);
        }
        let turns = self.turns;
        let mut window = turns.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.cut.is_none_or(|cut| self.began >= cut) {
            window.cut = Some(Instant::now());
            let half = window.size / 2;
            turns.change(&mut window, half);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let turns = self.turns;
        let mut window = turns.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.debt > 0
            && let Some(permit) = self.permit.take()
        {
            window.debt -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Operation;

    fn error(kind: ErrorKind) -> StorageError {
        StorageError::new(kind, Operation::Read, "here", None, "").retryable()
    }

    fn size(turns: &Turns) -> usize {
        turns.window.lock().unwrap().size
    }

    /// A server that asks for less and gets as much as before bans the client.
    #[tokio::test(start_paused = true)]
    async fn a_throttle_halves_once_for_all_that_are_on_their_way_and_success_adds_one_a_round() {
        let turns = Turns::new(8);
        let mut out = Vec::new();
        for _ in 0..8 {
            out.push(turns.take().await);
        }
        tokio::time::advance(Duration::from_millis(1)).await;
        for turn in out.drain(..) {
            turn.failed(&error(ErrorKind::Throttled));
        }
        assert_eq!(size(&turns), 4);
        assert_eq!(turns.semaphore.available_permits(), 4);
        for round in [4, 5, 6, 7] {
            assert_eq!(size(&turns), round);
            for _ in 0..round {
                turns.take().await.done(0);
            }
        }
        for _ in 0..20 {
            turns.take().await.done(0);
        }
        assert_eq!(size(&turns), 8, "never more than the most");
        assert_eq!(turns.semaphore.available_permits(), 8);
    }

    #[tokio::test(start_paused = true)]
    async fn one_call_may_always_be_made() {
        let turns = Turns::new(3);
        for _ in 0..10 {
            turns.take().await.failed(&error(ErrorKind::Unreachable));
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert_eq!((size(&turns), turns.semaphore.available_permits()), (1, 1));
        turns.take().await.failed(&error(ErrorKind::NotFound));
        assert_eq!(size(&turns), 2, "an answer is an answer");
    }

    #[tokio::test(start_paused = true)]
    async fn a_round_that_was_slow_throughout_takes_one_away() {
        let turns = Turns::new(4);
        let round = async |ms: u64| {
            for _ in 0..size(&turns) {
                let turn = turns.take().await;
                tokio::time::advance(Duration::from_millis(ms)).await;
                turn.done(0);
            }
        };
        round(50).await;
        round(300).await;
        assert_eq!(size(&turns), 4);
        round(500).await;
        assert_eq!(size(&turns), 3);
        round(50).await;
        assert_eq!(size(&turns), 4);
    }
}
