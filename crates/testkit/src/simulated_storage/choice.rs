//! What happens to a call, drawn from the seed.

use std::collections::HashMap;
use std::time::Duration;

use strongroom_storage::{ErrorKind, Operation, Retry};

use super::faults::{Faults, PER};
use crate::{Asked, Fault, Random};

/// What a listing shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    All,
    /// The files before the last so many changes.
    Stale(usize),
    /// Without so many files, from a place on.
    Partial(usize, u64),
    /// So many files a second time.
    Twice(usize),
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chosen {
    pub fault: Fault,
    pub shown: Shown,
    /// The bit of the stored file that flips before it is read.
    pub rotten: Option<u64>,
    pub sleep: Duration,
}

impl Chosen {
    fn plain() -> Self {
        Self {
            fault: Fault::None,
            shown: Shown::All,
            rotten: None,
            sleep: Duration::ZERO,
        }
    }

    fn fault(fault: Fault) -> Self {
        Self {
            fault,
            ..Self::plain()
        }
    }
}

/// Chooses for one client.
pub(super) struct Chooser {
    seed: u64,
    client: String,
    faults: Faults,
    made: HashMap<(Operation, String), u64>,
    /// Why every call fails from now on.
    over: Option<ErrorKind>,
}

impl Chooser {
    pub fn new(seed: u64, client: &str, faults: &Faults) -> Self {
        Self {
            seed,
            client: client.to_owned(),
            faults: faults.clone(),
            made: HashMap::new(),
            over: None,
        }
    }

    /// From now on no call is carried out.
    pub fn end(&mut self) {
        self.over = Some(ErrorKind::Unreachable);
    }

    pub fn is_over(&self) -> bool {
        self.over.is_some()
    }

    /// `size_bytes` is that of what is written, or of the stored file that is read.
    pub fn choose(&mut self, asked: &Asked, size_bytes: usize) -> Chosen {
        if let Some(kind) = self.over {
            return Chosen::fault(Fault::Fail(kind, Retry::Never));
        }
        let folder = folder(asked);
        let made = self
            .made
            .entry((asked.operation, folder.clone()))
            .or_default();
        *made += 1;
        let mut random = Random::new(hash(self.seed, &self.client, asked, &folder, *made));
        self.draw(asked.operation, size_bytes, &mut random)
    }

    fn draw(&mut self, operation: Operation, size_bytes: usize, random: &mut Random) -> Chosen {
        let faults = self.faults.clone();
        let mut left = random.below(PER.into());
        let mut hit = |rate: u32, applies: bool| {
            let rate = if applies { u64::from(rate) } else { 0 };
            let is_hit = left < rate;
            // Below every later rate never again, once hit.
            left = if is_hit { u64::MAX } else { left - rate };
            is_hit
        };
        let part = |random: &mut Random| random.below(size_bytes.max(1) as u64) as usize;
        let writes = operation == Operation::Write;
        let changes = writes || operation == Operation::Delete;
        let reads = operation == Operation::Read && size_bytes > 0;
        let lists = operation == Operation::List;
        if hit(faults.crash, true) {
            self.end();
            return self.crash(writes, part(random), random);
        }
        if hit(faults.sleep, true) {
            return Chosen {
                sleep: Duration::from_secs(3600 * (1 + random.below(12))),
                ..Chosen::plain()
            };
        }
        if hit(faults.signed_out, true) {
            self.over = Some(ErrorKind::Unauthenticated);
            return Chosen::fault(Fault::Fail(ErrorKind::Unauthenticated, Retry::Never));
        }
        let errors = [
            (
                faults.unreachable,
                true,
                Fault::Fail(ErrorKind::Unreachable, Retry::Later),
            ),
            (
                faults.throttled,
                true,
                Fault::Fail(ErrorKind::Throttled, Retry::Later),
            ),
            (
                faults.timed_out,
                true,
                Fault::FailAfter(ErrorKind::TimedOut, Retry::Later),
            ),
            (
                faults.no_space,
                writes,
                Fault::Fail(ErrorKind::NoSpace, Retry::Never),
            ),
            (faults.twice, changes, Fault::Duplicate),
            (faults.torn, writes, Fault::Torn(part(random))),
            (
                faults.short,
                writes && size_bytes > 0,
                Fault::Truncate(part(random)),
            ),
            (faults.lost, changes, Fault::Lose),
            (
                faults.flipped_write,
                writes && size_bytes > 0,
                Fault::Flip(part(random)),
            ),
            (faults.flipped_read, reads, Fault::Flip(part(random))),
        ];
        for (rate, applies, fault) in errors {
            if hit(rate, applies) {
                // A carried out `New` that is carried out again finds itself; that is the server's matter.
                return Chosen::fault(fault);
            }
        }
        if hit(faults.rotten, reads) {
            return Chosen {
                rotten: Some(random.next_u64()),
                ..Chosen::plain()
            };
        }
        let some = 1 + random.below(4) as usize;
        let shows = [
            (faults.stale_list, Shown::Stale(some)),
            (faults.partial_list, Shown::Partial(some, random.next_u64())),
            (faults.list_twice, Shown::Twice(some)),
        ];
        for (rate, shown) in shows {
            if hit(rate, lists) {
                return Chosen {
                    shown,
                    ..Chosen::plain()
                };
            }
        }
        Chosen::plain()
    }

    /// The moment of death: before the call was carried out, after it, or in the middle.
    fn crash(&self, tears: bool, part: usize, random: &mut Random) -> Chosen {
        let died = (ErrorKind::Unreachable, Retry::Never);
        Chosen::fault(match random.below(3) {
            0 => Fault::Fail(died.0, died.1),
            1 if tears && self.faults.crash_tears => Fault::Torn(part),
            _ => Fault::FailAfter(died.0, died.1),
        })
    }
}

/// The first part of a path, without what is random in it.
pub(super) fn folder(asked: &Asked) -> String {
    let path = asked
        .path
        .as_ref()
        .map_or("", strongroom_storage::StoragePath::as_str);
    path.split('/').next().unwrap_or_default().to_owned()
}

/// FNV-1a over all that chooses.
fn hash(seed: u64, client: &str, asked: &Asked, folder: &str, made: u64) -> u64 {
    let operation = asked.operation.to_string();
    let parts = [
        &seed.to_le_bytes()[..],
        client.as_bytes(),
        b"/",
        operation.as_bytes(),
        b"/",
        folder.as_bytes(),
        &made.to_le_bytes()[..],
    ];
    let bytes = parts.iter().flat_map(|part| part.iter());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
