//! The ways in which an operation ends in the middle.

use std::fmt;
use std::sync::{Arc, Mutex};

use strongroom_storage::{ErrorKind, Operation, Retry, Storage, StoragePath};

use crate::{Asked, Fault, FaultyStorage, Random};

/// What happens at a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It is carried out, and the process dies.
    Whole,
    /// A write leaves its beginning under the final name, as a storage without atomic writes does, and the process dies.
    Torn,
    /// The storage says that it is done, and it is not: a write that sat in a memory when the power failed. The process
    /// dies then, or some changes later, or lives.
    Lost,
    /// The storage says that it is done, and a write has only its beginning there (story T-21). The process lives.
    Short,
    /// It is carried out twice, as by a retry whose first answer was lost, and the process lives.
    Doubled,
    /// It is refused for want of space or right, and the process lives.
    Refused,
    /// It is carried out, the answer is an error, and the process lives.
    Unanswered,
}

impl End {
    pub(super) const ALL: [Self; 7] = [
        Self::Whole,
        Self::Torn,
        Self::Lost,
        Self::Short,
        Self::Doubled,
        Self::Refused,
        Self::Unanswered,
    ];

    /// Whether the storage calls done what is not.
    pub(super) fn is_lie(self) -> bool {
        matches!(self, Self::Lost | Self::Short)
    }

    /// Whether the next run finds what this one stored. A process that lives gives its lock back, so that nobody looks
    /// for packs which it could not index.
    pub(super) fn leaves_what_was_stored(self, hit: Option<&StoragePath>) -> bool {
        let is_index = hit.is_some_and(|path| path.as_str().starts_with("index/"));
        match self {
            Self::Torn | Self::Lost | Self::Short => false,
            Self::Whole => true,
            Self::Doubled | Self::Refused | Self::Unanswered => !is_index,
        }
    }
}

/// An end at one change.
pub(super) struct Ending {
    pub end: End,
    /// The change, counted from 0.
    at: usize,
    /// The changes that still reach the storage, this one included.
    lives_for: usize,
    /// How much of a torn or short file is there, and of such a pack.
    torn_bytes: (usize, usize),
}

/// The file of the change, once it was reached and something happened to it.
#[derive(Clone, Default)]
pub(super) struct Hit(Arc<Mutex<Option<StoragePath>>>);

impl Hit {
    pub fn path(&self) -> Option<StoragePath> {
        self.0.lock().unwrap().clone()
    }
}

impl Ending {
    pub fn new(end: End, at: usize, changes: usize, random: &mut Random) -> Self {
        let lives_for = match end {
            End::Whole | End::Torn => at + 1,
            // With the same chance for dying at once, for living, and for any moment between.
            End::Lost => match random.below(3) {
                0 => at + 1,
                1 => usize::MAX,
                _ => at + 1 + random.below((changes - at) as u64) as usize,
            },
            End::Short | End::Doubled | End::Refused | End::Unanswered => usize::MAX,
        };
        let one_of = |random: &mut Random, lengths: [usize; 3]| lengths[random.below(3) as usize];
        Self {
            end,
            at,
            lives_for,
            torn_bytes: (one_of(random, [0, 1, 60]), one_of(random, [0, 100, 30_000])),
        }
    }

    /// A storage on which the process meets its end, and where that was.
    pub fn storage(&self, inner: Arc<dyn Storage>) -> (Arc<dyn Storage>, Hit) {
        let hit = Hit::default();
        let (noted, mut changes) = (hit.clone(), 0);
        let (end, at, lives_for, torn_bytes) = (self.end, self.at, self.lives_for, self.torn_bytes);
        let rule = move |asked: &Asked| {
            let is_change = matches!(asked.operation, Operation::Write | Operation::Delete);
            let number = changes;
            changes += usize::from(is_change);
            if number >= lives_for {
                return Fault::Fail(ErrorKind::Unreachable, Retry::Never);
            }
            if !is_change || number != at {
                return Fault::None;
            }
            let fault = fault(end, asked, torn_bytes);
            if fault != Fault::None {
                *noted.0.lock().unwrap() = asked.path.clone();
            }
            fault
        };
        (Arc::new(FaultyStorage::new(inner, rule)), hit)
    }
}

fn fault(end: End, asked: &Asked, (file_bytes, pack_bytes): (usize, usize)) -> Fault {
    let is_write = asked.operation == Operation::Write;
    match end {
        End::Torn if asked.is(Operation::Write, "data/") => Fault::Torn(pack_bytes),
        End::Torn if is_write => Fault::Torn(file_bytes),
        End::Short if asked.is(Operation::Write, "data/") => Fault::Truncate(pack_bytes),
        End::Short if is_write => Fault::Truncate(file_bytes),
        // A delete is done or not; half of one there is not.
        End::Whole | End::Torn | End::Short => Fault::None,
        End::Lost => Fault::Lose,
        End::Doubled => Fault::Duplicate,
        End::Refused if is_write => Fault::Fail(ErrorKind::NoSpace, Retry::Never),
        End::Refused => Fault::Fail(ErrorKind::PermissionDenied, Retry::Never),
        End::Unanswered => Fault::FailAfter(ErrorKind::Unreachable, Retry::Later),
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at change {}", self.end, self.at)?;
        match self.end {
            End::Torn | End::Short => write!(f, " ({:?} bytes are there)", self.torn_bytes),
            End::Lost if self.lives_for < usize::MAX => write!(f, ", dead at {}", self.lives_for),
            _ => Ok(()),
        }
    }
}
