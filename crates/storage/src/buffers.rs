//! Memory that is used again.
//!
//! Memory fresh from the system costs a page fault for each 4 KiB and is cleared before we see it: together that takes as
//! long as encrypting what is put there. So the large pieces of memory of an operation are kept from one use to the next.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// Buffers that nobody uses at the moment. Clones share them.
#[derive(Debug, Clone)]
pub struct Buffers {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    idle: Mutex<Vec<Vec<u8>>>,
    /// So many are kept; there are never more than were in use at the same time.
    idle_max: usize,
    /// A buffer that has grown past this is given back to the system.
    capacity_max: usize,
}

/// A buffer, which goes back when it is dropped.
#[derive(Debug)]
pub struct Buffer {
    bytes: Vec<u8>,
    shared: Arc<Shared>,
}

impl Buffers {
    /// Room for `idle_max` buffers of up to `capacity_max_bytes` each.
    pub fn new(idle_max: usize, capacity_max_bytes: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                idle: Mutex::default(),
                idle_max,
                capacity_max: capacity_max_bytes,
            }),
        }
    }

    /// A buffer with the length and the content that its last user left.
    pub fn take(&self) -> Buffer {
        let idle = self.shared.lock().pop();
        Buffer {
            bytes: idle.unwrap_or_default(),
            shared: Arc::clone(&self.shared),
        }
    }

    /// An empty buffer with room for so many bytes.
    pub fn take_empty(&self, capacity_bytes: usize) -> Buffer {
        let mut buffer = self.take();
        buffer.clear();
        buffer.reserve_exact(capacity_bytes);
        buffer
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Buffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let mut idle = self.shared.lock();
        if idle.len() < self.shared.idle_max && bytes.capacity() <= self.shared.capacity_max {
            idle.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_and_begins_empty() {
        let buffers = Buffers::new(1, 1000);
        let mut first = buffers.take_empty(100);
        first.extend_from_slice(b"secret");
        let place = first.as_ptr();
        let second = buffers.clone().take_empty(100);
        assert_ne!(second.as_ptr(), place);
        drop(first);
        // One is kept, and this one is too many.
        drop(second);
        let again = buffers.take_empty(50);
        assert_eq!(again.as_ptr(), place);
        assert!(again.is_empty() && again.capacity() >= 100);
        drop(again);
        assert_eq!(buffers.take_empty(2000).len(), 0);
        assert_eq!(buffers.shared.lock().len(), 0, "too large to be kept");
    }
}
