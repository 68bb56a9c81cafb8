//! Repeats calls whose error passes by itself.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::Instant;

use crate::{
    ByteRange, Capabilities, Class, ErrorKind, FileInfo, Operation, Result, Retry, Storage,
    StorageError, StoragePath, WriteMode,
};

/// How long and how often to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Upper bound of the first pause; each later bound is twice the one before it.
    pub first_pause: Duration,
    /// No pause is longer.
    pub longest_pause: Duration,
    /// A pause that would end later than this after the start of the call is not begun; the error is returned.
    pub total: Duration,
}

impl Default for RetryPolicy {
    /// Rides out a router that restarts: half a second to a minute, a quarter of an hour in all.
    fn default() -> Self {
        Self {
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(60),
            total: Duration::from_secs(15 * 60),
        }
    }
}

/// The policy for each operation, and what differs by the class of error.
///
/// A storage that asks for fewer requests ([`ErrorKind::Throttled`]) is given four times the pause, and at least the time
/// that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicies {
    /// `write`, `create` and `hold`.
    pub upload: RetryPolicy,
    /// `read`.
    pub download: RetryPolicy,
    /// `list` and `stat`.
    pub list: RetryPolicy,
    /// `delete`.
    pub delete: RetryPolicy,
    /// As long as the storage has answered nothing yet, this bounds the time instead: an address that is wrong should not
    /// take a quarter of an hour to be found out.
    pub first_contact: Duration,
    /// Tries in all where what comes or arrives is damaged ([`ErrorKind::Mismatch`]): a line that does this may do better,
    /// a storage that does it will not.
    pub damaged_tries: u32,
}

impl From<RetryPolicy> for RetryPolicies {
    /// The same for all, and nothing special at the first contact.
    fn from(policy: RetryPolicy) -> Self {
        Self {
            upload: policy,
            download: policy,
            list: policy,
            delete: policy,
            first_contact: policy.total,
            damaged_tries: 5,
        }
    }
}

impl Default for RetryPolicies {
    fn default() -> Self {
        Self {
            first_contact: Duration::from_secs(60),
            ..RetryPolicy::default().into()
        }
    }
}

impl RetryPolicies {
    fn of(&self, operation: Operation) -> RetryPolicy {
        match operation {
            Operation::Write | Operation::Create | Operation::Hold => self.upload,
            Operation::Read => self.download,
            Operation::List | Operation::Stat => self.list,
            Operation::Delete => self.delete,
        }
    }
}

/// Picks the pause between nothing and a bound.
type Jitter = dyn Fn(Duration) -> Duration + Send + Sync;
/// Is told each error that is tried again and the pause before that.
type Observer = dyn Fn(&StorageError, Duration) + Send + Sync;

/// Repeats calls that failed with [`Retry::Later`], after pauses that grow exponentially with full jitter.
///
/// Promises:
/// - An error with [`Retry::Never`] is returned at once; the last error is returned when the time is over.
/// - Where the storage names a time to come back at, nothing is asked before; where that is later than the policy waits,
///   the error is returned at once.
/// - The outcome is that of one call: where an earlier try of a `write` or `delete` was carried out and only its
///   answer was lost, the repetition's [`ErrorKind::AlreadyExists`] or [`ErrorKind::NotFound`] is a success. For a
///   write the stored bytes are read back and compared; two writers of equal bytes cannot be told apart.
/// - Time is tokio's; nothing else is waited for.
#[derive(Clone)]
pub struct RetryStorage {
    inner: Arc<dyn Storage>,
    policies: RetryPolicies,
    jitter: Arc<Jitter>,
    observer: Arc<Observer>,
    /// Something other than a passing error has come back, so the storage is there.
    has_answered: Arc<AtomicBool>,
}

impl RetryStorage {
    /// Repeats calls to `inner`.
    pub fn new(inner: Arc<dyn Storage>, policies: impl Into<RetryPolicies>) -> Self {
        Self {
            inner,
            policies: policies.into(),
            has_answered: Arc::default(),
            jitter: Arc::new(full_jitter),
            observer: Arc::new(|_, _| {}),
        }
    }

    /// Tells `observer` each error that is tried again, before the pause.
    #[must_use]
    pub fn observed(
        mut self,
        observer: impl Fn(&StorageError, Duration) + Send + Sync + 'static,
    ) -> Self {
        self.observer = Arc::new(observer);
        self
    }

    /// Picks pauses with `jitter`, which gets the bound, in place of chance.
    #[must_use]
    pub fn with_jitter(
        mut self,
        jitter: impl Fn(Duration) -> Duration + Send + Sync + 'static,
    ) -> Self {
        self.jitter = Arc::new(jitter);
        self
    }

    async fn repeat<T, F>(
        &self,
        operation: Operation,
        call: impl Fn() -> F + Send,
    ) -> Result<Repeated<T>>
    where
        T: Send,
        F: Future<Output = Result<T>> + Send,
    {
        let start = Instant::now();
        let policy = self.policies.of(operation);
        let mut bound = policy.first_pause;
        let mut tries = 1_u32;
        loop {
            let result = call().await;
            let passes = |error: &StorageError| error.retry == Retry::Later;
            if !result.as_ref().is_err_and(passes) {
                self.has_answered.store(true, Ordering::Relaxed);
            }
            let error = match result {
                Ok(value) => return Ok(Repeated::Done(value)),
                Err(error) if error.retry == Retry::Never && tries > 1 => {
                    return Ok(Repeated::Refused(error));
                }
                Err(error) if error.retry == Retry::Never => return Err(error),
                Err(error) => error,
            };
            let pause = self.pause(&error, bound.min(policy.longest_pause));
            let total = match self.has_answered.load(Ordering::Relaxed) {
                true => policy.total,
                false => policy.total.min(self.policies.first_contact),
            };
            let is_damage = error.kind == ErrorKind::Mismatch;
            if start.elapsed().saturating_add(pause) > total
                || is_damage && tries >= self.policies.damaged_tries
            {
                return Err(given_up(error, tries, start.elapsed()));
            }
            (self.observer)(&error, pause);
            tokio::time::sleep(pause).await;
            bound = bound.saturating_mul(2);
            tries = tries.saturating_add(1);
        }
    }

    fn pause(&self, error: &StorageError, bound: Duration) -> Duration {
        let factor = if error.kind == ErrorKind::Throttled {
            4
        } else {
            1
        };
        let pause = (self.jitter)(bound.saturating_mul(factor));
        pause.max(error.retry_after.unwrap_or_default())
    }

    async fn simply<T, F>(&self, operation: Operation, call: impl Fn() -> F + Send) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T>> + Send,
    {
        match self.repeat(operation, call).await? {
            Repeated::Done(value) => Ok(value),
            Repeated::Refused(error) => Err(error),
        }
    }

    /// Whether the file holds these bytes, so that an earlier try must have stored them.
    async fn holds(&self, path: &StoragePath, data: &Bytes, class: Class) -> bool {
        let stat = self.simply(Operation::Stat, || self.inner.stat(path)).await;
        if !stat.is_ok_and(|info| info.size_bytes == data.len() as u64) {
            return false;
        }
        let stored = self
            .simply(Operation::Read, || self.inner.read(path, None, class))
            .await;
        stored.is_ok_and(|stored| stored == *data)
    }
}

/// How a repeated call ended.
enum Repeated<T> {
    Done(T),
    /// A repetition met an error that no retry mends; an earlier try may have caused it.
    Refused(StorageError),
}

fn given_up(mut error: StorageError, tries: u32, elapsed: Duration) -> StorageError {
    if let Some(pause) = error.retry_after {
        let seconds = pause.as_secs();
        error.message = format!(
            "{} (it asks to be left alone for {seconds} s)",
            error.message
        );
    }
    if tries > 1 {
        let seconds = elapsed.as_secs();
        error.message = format!(
            "{} (given up after {tries} tries in {seconds} s)",
            error.message
        );
    }
    error
}

/// Uniform between zero and the bound, so that many clients do not come back at the same moment.
fn full_jitter(bound: Duration) -> Duration {
    let mut random = [0; 4];
    if getrandom::fill(&mut random).is_err() {
        return bound;
    }
    bound.mul_f64(f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX))
}

impl fmt::Debug for RetryStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryStorage")
            .field("inner", &self.inner)
            .field("policies", &self.policies)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Storage for RetryStorage {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn create(&self) -> Result<()> {
        self.simply(Operation::Create, || self.inner.create()).await
    }

    async fn list(&self, folder: Option<&StoragePath>) -> Result<Vec<FileInfo>> {
        self.simply(Operation::List, || self.inner.list(folder))
            .await
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        self.simply(Operation::Stat, || self.inner.stat(path)).await
    }

    async fn read(
        &self,
        path: &StoragePath,
        range: Option<ByteRange>,
        class: Class,
    ) -> Result<Bytes> {
        self.simply(Operation::Read, || self.inner.read(path, range, class))
            .await
    }

    async fn write(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        class: Class,
    ) -> Result<()> {
        let write = || self.inner.write(path, data.clone(), mode, class);
        match self.repeat(Operation::Write, write).await? {
            Repeated::Done(()) => Ok(()),
            Repeated::Refused(error)
                if error.kind == ErrorKind::AlreadyExists
                    && self.holds(path, &data, class).await =>
            {
                Ok(())
            }
            Repeated::Refused(error) => Err(error),
        }
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        match self
            .repeat(Operation::Delete, || self.inner.delete(path))
            .await?
        {
            Repeated::Refused(error) if error.kind != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    async fn hold(&self, path: &StoragePath, until: SystemTime) -> Result<()> {
        self.simply(Operation::Hold, || self.inner.hold(path, until))
            .await
    }

    async fn remove_empty_folder(&self, folder: &StoragePath) -> Result<()> {
        self.inner.remove_empty_folder(folder).await
    }

    fn clock_ahead_s(&self) -> Option<i64> {
        self.inner.clock_ahead_s()
    }
}
