//! Secrets that expire: fetched when they are first needed, kept while they are good, and fetched anew when they are not.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::failure::Failure;
use crate::secret::SecretSource;

/// A secret is fetched anew so long before it expires: a request that is on its way then has to arrive.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// A secret, and how long it will be good where whoever gives it says so.
pub(crate) type Fetched = (SecretString, Option<Duration>);

/// Where a secret can be had.
#[async_trait]
pub(crate) trait FetchSecret: fmt::Debug + Send + Sync {
    /// The secret as it is now.
    async fn fetch(&self) -> Result<Fetched, Failure>;

    /// Whether asking again may give another.
    fn can_change(&self) -> bool;
}

#[async_trait]
impl FetchSecret for SecretSource {
    async fn fetch(&self) -> Result<Fetched, Failure> {
        Ok((self.obtain().await?, None))
    }

    fn can_change(&self) -> bool {
        SecretSource::can_change(self)
    }
}

/// A secret as it was given out.
#[derive(Debug, Clone)]
pub(crate) struct HeldSecret {
    secret: Arc<SecretString>,
    /// Counts how often it was fetched.
    number: u64,
}

impl HeldSecret {
    /// The secret itself.
    pub(crate) fn expose(&self) -> &str {
        self.secret.expose_secret()
    }
}

/// A secret that is always as fresh as it has to be. Of many calls that need it at once, one fetches it.
#[derive(Debug)]
pub(crate) struct FreshSecret {
    source: Box<dyn FetchSecret>,
    /// Held while it is fetched, so that a command which asks a person asks once.
    known: Mutex<Option<Known>>,
}

#[derive(Debug)]
struct Known {
    held: HeldSecret,
    /// `None` where nobody says how long it is good.
    until: Option<Instant>,
}

impl FreshSecret {
    pub(crate) fn new(source: impl FetchSecret + 'static) -> Self {
        Self {
            source: Box::new(source),
            known: Mutex::new(None),
        }
    }

    /// The secret; fetched where there is none yet or the last is about to expire.
    pub(crate) async fn get(&self) -> Result<HeldSecret, Failure> {
        let mut known = self.known.lock().await;
        let is_good = |known: &&Known| known.until.is_none_or(|until| Instant::now() < until);
        match known.as_ref().filter(is_good) {
            Some(known) => Ok(known.held.clone()),
            None => self.fetch(&mut known).await,
        }
    }

    /// Another one, after the other side has refused this; `None` where there is no other to be had.
    pub(crate) async fn other_than(
        &self,
        refused: &HeldSecret,
    ) -> Result<Option<HeldSecret>, Failure> {
        if !self.source.can_change() {
            return Ok(None);
        }
        let mut known = self.known.lock().await;
        let has_changed = |known: &&Known| known.held.number != refused.number;
        let held = match known.as_ref().filter(has_changed) {
            // Another call has fetched a fresh one meanwhile.
            Some(known) => known.held.clone(),
            None => self.fetch(&mut known).await?,
        };
        Ok((held.expose() != refused.expose()).then_some(held))
    }

    async fn fetch(&self, known: &mut Option<Known>) -> Result<HeldSecret, Failure> {
        let (secret, lifetime) = self.source.fetch().await?;
        let good = lifetime.map(|lifetime| lifetime.saturating_sub(MARGIN.min(lifetime / 2)));
        let number = known.as_ref().map_or(0, |known| known.held.number);
        let held = HeldSecret {
            secret: Arc::new(secret),
            number: number.wrapping_add(1),
        };
        *known = Some(Known {
            held: held.clone(),
            until: good.and_then(|good| Instant::now().checked_add(good)),
        });
        Ok(held)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[derive(Debug)]
    struct Counting(Arc<AtomicU32>);

    #[async_trait]
    impl FetchSecret for Counting {
        async fn fetch(&self) -> Result<Fetched, Failure> {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            let hour = Duration::from_secs(3600);
            Ok((SecretString::from(number.to_string()), Some(hour)))
        }

        fn can_change(&self) -> bool {
            true
        }
    }

    /// A token that expires in the middle of a backup ends the backup; one that is fetched for each request ends the quota.
    #[tokio::test(start_paused = true)]
    async fn a_secret_is_kept_until_shortly_before_it_expires() {
        let asked = Arc::new(AtomicU32::new(0));
        let fresh = FreshSecret::new(Counting(Arc::clone(&asked)));
        assert_eq!(fresh.get().await.unwrap().expose(), "0");
        tokio::time::advance(Duration::from_secs(54 * 60)).await;
        assert_eq!(fresh.get().await.unwrap().expose(), "0");
        tokio::time::advance(Duration::from_secs(2 * 60)).await;
        assert_eq!(fresh.get().await.unwrap().expose(), "1");
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn of_many_whose_secret_was_refused_one_fetches_another() {
        let asked = Arc::new(AtomicU32::new(0));
        let fresh = FreshSecret::new(Counting(Arc::clone(&asked)));
        let refused = fresh.get().await.unwrap();
        for _ in 0..3 {
            let other = fresh.other_than(&refused).await.unwrap();
            assert_eq!(other.unwrap().expose(), "1");
        }
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        let fixed = FreshSecret::new(SecretSource::value("hunter2"));
        let refused = fixed.get().await.unwrap();
        assert!(fixed.other_than(&refused).await.unwrap().is_none());
        assert!(!format!("{fixed:?}{refused:?}").contains("hunter2"));
    }
}
