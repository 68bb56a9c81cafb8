//! How fast bytes may go, or requests be made.

use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How much of a second may pass in one go after a pause.
const BURST: Duration = Duration::from_millis(100);

/// A limit in units a second that clones share: bytes, or requests. Without a limit it lets everything pass at once.
///
/// Promises: over any stretch of time no more passes than the rate allows, plus what passes in a tenth of a second and one
/// piece; pieces pass in the order in which they asked; a piece larger than a second's worth passes too, and the next
/// waits longer. Whoever is dropped while waiting has used its share all the same.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    limits: Vec<Arc<Limit>>,
}

#[derive(Debug)]
struct Limit {
    per_second: NonZeroU64,
    /// When what has been let through so far will have passed at the rate.
    due: Mutex<Option<Instant>>,
}

impl Pace {
    /// No limit.
    pub fn unlimited() -> Self {
        Self::default()
    }

    /// At most so many a second.
    pub fn per_second(rate: NonZeroU64) -> Self {
        Self::default().and(rate)
    }

    /// A second limit beside those there are; each counts.
    #[must_use]
    pub fn and(mut self, rate: NonZeroU64) -> Self {
        self.limits.push(Arc::new(Limit {
            per_second: rate,
            due: Mutex::new(None),
        }));
        self
    }

    /// The limits of both; what passes here counts against those that `other` shares with its clones.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        self.limits.extend(other.limits.iter().cloned());
        self
    }

    /// The lowest rate, where there is one.
    pub fn rate(&self) -> Option<NonZeroU64> {
        self.limits.iter().map(|limit| limit.per_second).min()
    }

    /// Bytes to let through at a time so that they flow evenly, and at most `most`.
    pub(crate) fn piece(&self, most: usize) -> usize {
        let tenth = self.rate().map_or(u64::MAX, |rate| rate.get() / 10);
        usize::try_from(tenth).unwrap_or(most).clamp(1, most)
    }

    /// Takes so many and returns when they may pass; `None` for at once.
    pub(crate) fn take(&self, units: u64) -> Option<Instant> {
        let now = Instant::now();
        let due = self.limits.iter().map(|limit| limit.take(units, now));
        due.max().filter(|due| *due > now)
    }

    /// Waits until so many may pass.
    pub async fn pass(&self, units: u64) {
        if let Some(due) = self.take(units) {
            tokio::time::sleep_until(due).await;
        }
    }
}

impl Limit {
    fn take(&self, units: u64, now: Instant) -> Instant {
        let seconds = units as f64 / self.per_second.get() as f64;
        // A rate of one byte a second and a piece of exabytes still has to be a time that exists.
        let lasts = Duration::try_from_secs_f64(seconds.min(1e9)).unwrap_or_default();
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = now.checked_sub(BURST).unwrap_or(now);
        let begins = due.map_or(earliest, |due| due.max(earliest));
        *due = Some(begins + lasts);
        begins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(per_second: u64) -> NonZeroU64 {
        NonZeroU64::new(per_second).unwrap()
    }

    /// A backup by day that takes the whole line is turned off, and then there is none.
    #[tokio::test(start_paused = true)]
    async fn a_second_has_no_more_than_its_share() {
        let pace = Pace::per_second(rate(1000));
        let start = Instant::now();
        for _ in 0..50 {
            pace.clone().pass(100).await;
        }
        let elapsed = start.elapsed();
        assert!(
            elapsed >= Duration::from_millis(4700) && elapsed <= Duration::from_secs(5),
            "{elapsed:?}"
        );
    }

    /// Some libraries refuse what is larger than their bucket; a pack is larger than a second of a slow line.
    #[tokio::test(start_paused = true)]
    async fn what_is_larger_than_a_second_passes_and_the_next_waits() {
        let pace = Pace::per_second(rate(10));
        let start = Instant::now();
        pace.pass(100).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        pace.pass(1).await;
        assert_eq!(start.elapsed(), Duration::from_millis(9900));
    }

    #[tokio::test(start_paused = true)]
    async fn a_shared_limit_counts_for_all_who_share_it() {
        let both = Pace::per_second(rate(100));
        let (up, down) = (
            Pace::per_second(rate(1000)).with(&both),
            Pace::unlimited().with(&both),
        );
        assert_eq!((up.rate(), down.rate()), (Some(rate(100)), Some(rate(100))));
        let start = Instant::now();
        for _ in 0..5 {
            up.pass(50).await;
            down.pass(50).await;
        }
        let elapsed = start.elapsed();
        assert!(elapsed >= Duration::from_millis(4300), "{elapsed:?}");
        assert_eq!(Pace::unlimited().take(u64::MAX), None);
        assert!(up.take(u64::MAX).is_some());
        assert_eq!(Pace::unlimited().piece(1 << 16), 1 << 16);
        assert_eq!(Pace::per_second(rate(5)).piece(1 << 16), 1);
    }
}
