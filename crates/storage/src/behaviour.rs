//! What holds around every kind over a network: retries, limits of time and speed, and their options.

use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use crate::options::{OptionError, OptionGroup, OptionInfo};
use crate::timeout::{LIST, SHORT, TRANSFER};
use crate::{
    ConfirmStorage, LimitStorage, Options, Pace, RetryPolicies, RetryPolicy, RetryStorage, Storage,
    StorageError, TimeLimits, TimeoutStorage,
};

/// Options of [`RetryPolicies`].
pub(crate) const RETRY: OptionGroup = OptionGroup {
    name: "retry",
    page: "behaviour.md",
    options: &[
        OptionInfo {
            key: "retry.upload",
            value: "DURATION",
            help: "How long an upload is tried again after errors that pass; otherwise 15m",
        },
        OptionInfo {
            key: "retry.download",
            value: "DURATION",
            help: "The same for a download",
        },
        OptionInfo {
            key: "retry.list",
            value: "DURATION",
            help: "The same for a listing, and for asking after one file",
        },
        OptionInfo {
            key: "retry.delete",
            value: "DURATION",
            help: "The same for a removal",
        },
        OptionInfo {
            key: "retry.first-contact",
            value: "DURATION",
            help: "The same for everything, as long as the storage has answered nothing yet; otherwise 1m",
        },
        OptionInfo {
            key: "retry.first-pause",
            value: "DURATION",
            help: "Longest pause before the second try; it doubles with each further one; otherwise 500ms",
        },
        OptionInfo {
            key: "retry.longest-pause",
            value: "DURATION",
            help: "No pause is longer, unless the storage asks for it; otherwise 1m",
        },
        OptionInfo {
            key: "retry.damaged-tries",
            value: "NUMBER",
            help: "Tries in all where bytes arrive damaged; otherwise 5",
        },
    ],
};

/// Options of [`TimeLimits`], [`LimitStorage`] and [`Pace`].
pub(crate) const LIMIT: OptionGroup = OptionGroup {
    name: "limit",
    page: "behaviour.md",
    options: &[
        OptionInfo {
            key: "limit.connect",
            value: "DURATION",
            help: "Longest time to connect in; otherwise 30s",
        },
        OptionInfo {
            key: "limit.no-progress",
            value: "DURATION",
            help: "Longest time in which no byte moves; otherwise 2m",
        },
        OptionInfo {
            key: SHORT,
            value: "DURATION",
            help: "Longest time for a request that moves no file; otherwise 2m",
        },
        OptionInfo {
            key: LIST,
            value: "DURATION",
            help: "Longest time for a listing; otherwise 30m",
        },
        OptionInfo {
            key: TRANSFER,
            value: "DURATION",
            help: "Longest time for an upload or a download, beside the time that its bytes need; otherwise 5m",
        },
        OptionInfo {
            key: "limit.slowest",
            value: "RATE",
            help: "Bytes that come or go more slowly than this are given up; otherwise 16KiB/s",
        },
        OptionInfo {
            key: "limit.requests",
            value: "NUMBER",
            help: "Most requests that begin in a second; otherwise as many as there are",
        },
        OptionInfo {
            key: "limit.upload",
            value: "RATE",
            help: "Most bytes a second to the storage (--limit-upload)",
        },
        OptionInfo {
            key: "limit.download",
            value: "RATE",
            help: "Most bytes a second from the storage (--limit-download)",
        },
        OptionInfo {
            key: "limit.bandwidth",
            value: "RATE",
            help: "Most bytes a second in both directions together (--max-bandwidth)",
        },
    ],
};

/// Is told each error that is tried again and the pause before that.
pub type RetryObserver = Arc<dyn Fn(&StorageError, Duration) + Send + Sync>;

/// How storages over a network are treated.
#[derive(Debug, Clone)]
pub struct Behaviour {
    retry: RetryPolicies,
    limits: TimeLimits,
    /// Connecting, and no progress.
    pub(crate) times: (Duration, Duration),
    requests: Pace,
    /// To the storage, and from it.
    pub(crate) paces: (Pace, Pace),
}

impl Behaviour {
    /// From the options. Storages that are opened with clones of one share its limits of speed.
    ///
    /// # Errors
    /// [`OptionError`] for a value that its key does not take.
    pub fn new(options: &Options) -> Result<Self, OptionError> {
        let or = |key, default: Duration| Ok(options.duration(key)?.unwrap_or(default));
        let mut policy = RetryPolicy::default();
        policy.first_pause = or("retry.first-pause", policy.first_pause)?;
        policy.longest_pause = or("retry.longest-pause", policy.longest_pause)?;
        let within = |key| -> Result<_, OptionError> {
            let total = or(key, policy.total)?;
            Ok(RetryPolicy { total, ..policy })
        };
        let standard = RetryPolicies::default();
        let tries = options.count("retry.damaged-tries")?;
        let retry = RetryPolicies {
            upload: within("retry.upload")?,
            download: within("retry.download")?,
            list: within("retry.list")?,
            delete: within("retry.delete")?,
            first_contact: or("retry.first-contact", standard.first_contact)?,
            damaged_tries: tries.map_or(standard.damaged_tries, |tries| {
                u32::try_from(tries.get()).unwrap_or(u32::MAX)
            }),
        };
        let both = options.rate("limit.bandwidth")?.map(Pace::per_second);
        let both = both.unwrap_or_default();
        let one_way = |key| -> Result<Pace, OptionError> {
            let pace = options.rate(key)?.map(Pace::per_second);
            Ok(pace.unwrap_or_default().with(&both))
        };
        let requests = options.count("limit.requests")?;
        let requests = requests.and_then(|number| NonZeroU64::new(number.get() as u64));
        let slowest = options.rate("limit.slowest")?;
        Ok(Self {
            retry,
            limits: TimeLimits {
                short: or(SHORT, Duration::from_secs(120))?,
                list: or(LIST, Duration::from_secs(30 * 60))?,
                transfer: or(TRANSFER, Duration::from_secs(5 * 60))?,
                slowest_bytes_per_s: slowest.map_or(16 << 10, NonZeroU64::get),
            },
            times: (
                or("limit.connect", Duration::from_secs(30))?,
                or("limit.no-progress", Duration::from_secs(120))?,
            ),
            requests: requests.map(Pace::per_second).unwrap_or_default(),
            paces: (one_way("limit.upload")?, one_way("limit.download")?),
        })
    }

    /// The wrappers around a kind over a network, in their order.
    pub(crate) fn around(
        &self,
        kind: Arc<dyn Storage>,
        observer: RetryObserver,
    ) -> Arc<dyn Storage> {
        let connections = kind.capabilities().connections;
        let limits = self.limits_for(connections);
        let connections = NonZeroUsize::new(connections).unwrap_or(NonZeroUsize::MIN);
        let timed = TimeoutStorage::new(kind, limits);
        let confirmed = ConfirmStorage::new(Arc::new(timed));
        let limited = LimitStorage::new(Arc::new(confirmed), connections);
        let limited = limited.with_rate(self.requests.clone());
        self.retried(Arc::new(limited), observer)
    }

    /// The retries alone, for a kind on this machine.
    pub(crate) fn retried(
        &self,
        storage: Arc<dyn Storage>,
        observer: RetryObserver,
    ) -> Arc<dyn Storage> {
        let retried = RetryStorage::new(storage, self.retry);
        Arc::new(retried.observed(move |error, pause| observer(error, pause)))
    }

    /// A line that we slow down ourselves, and share among several calls, is not given up for being slow.
    fn limits_for(&self, connections: usize) -> TimeLimits {
        let paces = [&self.paces.0, &self.paces.1];
        let slowest_limit = paces.iter().filter_map(|pace| pace.rate()).min();
        let share = slowest_limit.map_or(u64::MAX, |rate| {
            let calls = (connections as u64).saturating_mul(2).max(1);
            rate.get() / calls
        });
        TimeLimits {
            slowest_bytes_per_s: self.limits.slowest_bytes_per_s.min(share).max(1),
            ..self.limits
        }
    }
}
