//! Memory for files that are held whole, and space for what uploads leave.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A unit of memory.
const UNIT_BYTES: u64 = 64 << 10;

/// All files together hold at most so much.
const FILES_BYTES: u64 = 512 << 20;

/// Memory that files share which are held whole: uploads, and what may change while it is read. One that is larger than all of it has to be alone.
#[derive(Debug, Clone)]
pub(crate) struct FileMemory {
    units: Arc<Semaphore>,
}

impl FileMemory {
    pub(crate) fn new() -> Self {
        let units = usize::try_from(FILES_BYTES / UNIT_BYTES).unwrap_or(1);
        Self {
            units: Arc::new(Semaphore::new(units)),
        }
    }

    /// Waits for the memory of a file, which is given back when the permit is dropped.
    pub(crate) async fn take(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        let units = bytes.min(FILES_BYTES).div_ceil(UNIT_BYTES).max(1);
        let units = u32::try_from(units).ok()?;
        Arc::clone(&self.units).acquire_many_owned(units).await.ok()
    }
}

/// Bytes in all repositories, and the most that there may be.
#[derive(Debug)]
pub(crate) struct Space {
    used_bytes: AtomicU64,
    most_bytes: Option<u64>,
}

impl Space {
    pub(crate) fn new(used_bytes: u64, most_bytes: Option<u64>) -> Self {
        Self {
            used_bytes: AtomicU64::new(used_bytes),
            most_bytes,
        }
    }

    /// What is used.
    pub(crate) fn used_bytes(&self) -> u64 {
        self.used_bytes.load(Ordering::Relaxed)
    }

    /// Sets space aside for a file, if there is any: before it is stored, so that many at once cannot exceed the limit.
    pub(crate) fn reserve(&self, bytes: u64) -> bool {
        let most = self.most_bytes.unwrap_or(u64::MAX);
        let fits = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= most);
        let changed = self
            .used_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        changed.is_ok()
    }

    /// Gives space back: a file was removed, or not stored after all.
    pub(crate) fn release(&self, bytes: u64) {
        let less = |used: u64| Some(used.saturating_sub(bytes));
        let _ = self
            .used_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_never_given_out_twice() {
        let space = Space::new(60, Some(100));
        assert!(space.reserve(40));
        assert!(!space.reserve(1));
        space.release(40);
        assert!(!space.reserve(u64::MAX));
        assert_eq!(space.used_bytes(), 60);
        assert!(Space::new(0, None).reserve(1 << 50));
    }
}
