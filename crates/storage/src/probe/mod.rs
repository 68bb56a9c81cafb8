//! Finding out what a storage really does, by doing it: what it declares, beside what it was seen to do.
//!
//! A [`Probe`] writes, reads, lists, replaces and removes files of its own, several at once too, and compares what comes
//! back with what every kind promises ([`crate::Storage`]). It touches no other file. A promise that is not kept is
//! [`Verdict::Broken`], with what the storage did in its place: storages that replace where they should refuse, show files
//! late, twice or in another size, or lose them, have cost people their backups (T-34).
//!
//! What is probed is the storage as the program uses it, with its wrappers. What they mend is not seen, what they cannot is.
//!
//! The files lie in one folder, `strongroom-test-` and random letters. Where only names of restic's layout are possible
//! ([`crate::Capabilities::own_folders`]) they are packs that no index mentions, of random bytes, named by their hash. A
//! probe may be dropped at any await: [`Probe::clean_up`] removes what it has written, whenever it is asked.

mod at_once;
mod changes;
mod files;
mod large;
mod names;
mod report;
mod run;

pub use report::{Ability, Found, Leftovers, ProbeReport, ProbeStep, Tried, Verdict};
pub use run::{LARGEST_BYTES, Probe, ProbeSettings, STANDARD_BYTES};
