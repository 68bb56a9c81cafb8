//! A cache whose size in bytes is bounded, and in which what several ask for at once is loaded once.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

/// What was used longest ago goes first. The newest value stays even if it alone is larger than the limit.
pub struct Cache<K, V> {
    limit_bytes: u64,
    inner: Mutex<Inner<K, V>>,
}

struct Inner<K, V> {
    slots: HashMap<K, Slot<V>>,
    /// The keys by the time of their last use.
    order: BTreeMap<u64, K>,
    time: u64,
    bytes: u64,
}

struct Slot<V> {
    cell: Arc<OnceCell<V>>,
    used: u64,
    /// Zero while the value is being loaded.
    bytes: u64,
}

impl<K: Copy + Eq + Hash, V: Clone> Cache<K, V> {
    /// An empty cache.
    pub fn new(limit_bytes: u64) -> Self {
        Self {
            limit_bytes,
            inner: Mutex::new(Inner {
                slots: HashMap::new(),
                order: BTreeMap::new(),
                time: 0,
                bytes: 0,
            }),
        }
    }

    /// The value of a key. `load` gives it with its size; whoever else asks meanwhile waits for the same load. A failure is
    /// not kept.
    pub async fn get<E>(
        &self,
        key: K,
        load: impl Future<Output = Result<(V, u64), E>>,
    ) -> Result<V, E> {
        let cell = self.lock().touch(key);
        let loading = async {
            let (value, bytes) = load.await?;
            self.lock().account(&key, bytes.max(1), self.limit_bytes);
            Ok(value)
        };
        let result = cell.get_or_try_init(|| loading).await.cloned();
        if result.is_err() {
            self.lock().remove_empty(&key, &cell);
        }
        result
    }

    /// Whether the value is there or on its way.
    pub fn holds(&self, key: &K) -> bool {
        self.lock().slots.contains_key(key)
    }

    fn lock(&self) -> MutexGuard<'_, Inner<K, V>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash, V> Inner<K, V> {
    fn touch(&mut self, key: K) -> Arc<OnceCell<V>> {
        self.time += 1;
        let time = self.time;
        let slot = self.slots.entry(key).or_insert_with(|| Slot {
            cell: Arc::default(),
            used: time,
            bytes: 0,
        });
        self.order.remove(&slot.used);
        slot.used = time;
        self.order.insert(time, key);
        Arc::clone(&slot.cell)
    }

    /// A value was loaded: others make room for it.
    fn account(&mut self, key: &K, bytes: u64, limit_bytes: u64) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        slot.bytes = bytes;
        self.bytes += bytes;
        let mut out = Vec::new();
        let mut left = self.bytes;
        for (used, old) in &self.order {
            if left <= limit_bytes {
                break;
            }
            let bytes = self.slots.get(old).map_or(0, |slot| slot.bytes);
            if bytes > 0 && old != key {
                left -= bytes;
                out.push((*used, *old));
            }
        }
        for (used, old) in out {
            self.order.remove(&used);
            self.slots.remove(&old);
        }
        self.bytes = left;
    }

    /// Nothing came of it; somebody else's success under the same key stays.
    fn remove_empty(&mut self, key: &K, cell: &Arc<OnceCell<V>>) {
        let ours = |slot: &Slot<V>| Arc::ptr_eq(&slot.cell, cell) && slot.bytes == 0;
        if let Some(slot) = self.slots.get(key).filter(|slot| ours(slot)) {
            self.order.remove(&slot.used);
            self.slots.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cache;

    async fn get(cache: &Cache<u32, u32>, key: u32, bytes: u64) -> bool {
        let mut loaded = false;
        let load = async {
            loaded = true;
            Ok::<_, ()>((key, bytes))
        };
        assert_eq!(cache.get(key, load).await, Ok(key));
        loaded
    }

    #[tokio::test]
    async fn what_was_used_longest_ago_goes_first() {
        let cache = Cache::new(10);
        assert!(get(&cache, 1, 4).await && get(&cache, 2, 4).await);
        assert!(!get(&cache, 1, 4).await);
        assert!(get(&cache, 3, 4).await);
        assert!(cache.holds(&1) && !cache.holds(&2) && cache.holds(&3));
        // Larger than the limit: it is kept alone, or every use would load it again.
        assert!(get(&cache, 4, 100).await && !get(&cache, 4, 100).await);
        assert!(!cache.holds(&1) && !cache.holds(&3));
        assert!(get(&cache, 5, 1).await && !cache.holds(&4));
    }

    #[tokio::test]
    async fn what_two_ask_for_at_once_is_loaded_once_and_a_failure_is_tried_again() {
        let cache = Cache::<u32, u32>::new(10);
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        let slow = async {
            let _ = receiver.await;
            Ok::<_, ()>((7, 1))
        };
        let never = async { Err(()) };
        let other = async {
            let _ = sender.send(());
            Ok::<_, ()>(())
        };
        let (first, second, ()) = tokio::join!(biased; cache.get(1, slow), cache.get(1, never), async {
            let _ = other.await;
        });
        assert_eq!((first, second), (Ok(7), Ok(7)));
        assert_eq!(cache.get(2, async { Err(()) }).await, Err(()));
        assert!(!cache.holds(&2));
        assert!(get(&cache, 2, 1).await);
    }
}
