//! How often what goes wrong.

/// Rates are chances in so many calls.
pub const PER: u32 = 10_000;

/// How often a call meets what, in [`PER`] calls of the operations that can meet it. The default is a perfect storage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// Any call: the process is killed; the call was carried out or not. Every later call of the client fails.
    pub crash: u32,
    /// Any call: the process sleeps for hours before it has the answer.
    pub sleep: u32,
    /// Any call: not carried out, a retry may help.
    pub unreachable: u32,
    /// Any call: not carried out, a retry may help.
    pub throttled: u32,
    /// Any call: it was carried out and the answer never came; a retry may help.
    pub timed_out: u32,
    /// Any call: the sign-in expires; this and every later call of the client fails.
    pub signed_out: u32,
    /// A write is refused for good.
    pub no_space: u32,
    /// A write stores a part under the final name and fails; a retry may help.
    pub torn: u32,
    /// A crash in the middle of a write leaves a part under the final name.
    pub crash_tears: bool,
    /// A write stores a part and says that all is well.
    pub short: u32,
    /// A write or delete does nothing and says that all is well.
    pub lost: u32,
    /// A write or delete is carried out twice.
    pub twice: u32,
    /// A write stores a flipped bit.
    pub flipped_write: u32,
    /// A read returns a flipped bit; the file is whole.
    pub flipped_read: u32,
    /// A bit of the stored file flips when it is read, and stays so.
    pub rotten: u32,
    /// A listing shows the files of some changes ago.
    pub stale_list: u32,
    /// A listing lacks some files.
    pub partial_list: u32,
    /// A listing names files twice.
    pub list_twice: u32,
}

impl Faults {
    /// A storage that keeps every promise.
    pub fn none() -> Self {
        Self::default()
    }

    /// Processes that are killed and that sleep, on a storage that keeps every promise.
    pub fn crashes() -> Self {
        Self {
            crash: 60,
            sleep: 60,
            ..Self::default()
        }
    }

    /// The same over a bad network with too little space: errors, all of them true.
    pub fn flaky() -> Self {
        Self {
            unreachable: 100,
            throttled: 100,
            timed_out: 100,
            signed_out: 5,
            no_space: 15,
            twice: 50,
            list_twice: 50,
            ..Self::crashes()
        }
    }

    /// A storage that says that all is well when it is not.
    pub fn lying() -> Self {
        Self {
            torn: 30,
            crash_tears: true,
            short: 20,
            lost: 20,
            flipped_write: 20,
            flipped_read: 30,
            rotten: 10,
            stale_list: 40,
            partial_list: 20,
            ..Self::flaky()
        }
    }
}
