//! Initialisation vectors: random, never used twice.

use std::cell::RefCell;

use strongroom_kernel::IV_LENGTH;

use super::master_key::fill_random;
use crate::crypto::CryptoError;

/// So many are asked for at once: the system's random bytes cost a call, more than it takes to encrypt a small blob. Few,
/// since a virtual machine that is saved and started twice would use twice what lies here.
const BATCH: usize = 16;

/// Those that were asked for and are not used yet.
struct Ready {
    ivs: [[u8; IV_LENGTH]; BATCH],
    left: usize,
}

thread_local! {
    static READY: RefCell<Ready> = const {
        RefCell::new(Ready { ivs: [[0; IV_LENGTH]; BATCH], left: 0 })
    };
}

/// A vector that nobody has or will be given again.
pub(super) fn fresh() -> Result<[u8; IV_LENGTH], CryptoError> {
    READY.with_borrow_mut(|ready| {
        if ready.left == 0 {
            fill_random(ready.ivs.as_flattened_mut())?;
            ready.left = BATCH;
        }
        ready.left -= 1;
        let next = ready.ivs.get_mut(ready.left).map(std::mem::take);
        next.ok_or_else(|| CryptoError::Random("none is left".to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Two blobs under one vector give away what their contents have in common.
    #[test]
    fn no_vector_is_given_twice_on_any_thread() {
        let some = || {
            (0..5 * BATCH + 3)
                .map(|_| fresh().unwrap())
                .collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(some)).collect();
        let mut seen = HashSet::from([[0; IV_LENGTH]]);
        for iv in threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
        {
            assert!(seen.insert(iv), "{iv:?}");
        }
    }
}
