//! What the tests of the kinds in a cloud share.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use strongroom_storage::{
    Behaviour, ErrorKind, Location, OpenSettings, Options, RetryObserver, Storage, StorageError,
    StoragePath, Surroundings, open,
};
use strongroom_testkit::Random;

/// What was tried again, with the pause.
pub type Seen = Arc<Mutex<Vec<(ErrorKind, Duration)>>>;

/// A storage with its wrappers, in surroundings that have these variables and nothing else.
pub fn opened_in(
    address: &str,
    options: &[String],
    variables: &[(&str, &str)],
) -> (Arc<dyn Storage>, Seen) {
    let quickly = ["retry.first-pause=1ms", "retry.longest-pause=2ms"];
    let options = options.iter().map(String::as_str).chain(quickly);
    let options = Options::parse(options).unwrap();
    let seen = Seen::default();
    let tell = Arc::clone(&seen);
    let observer: RetryObserver = Arc::new(move |error: &StorageError, pause| {
        tell.lock().unwrap().push((error.kind, pause));
    });
    let variables = variables.iter();
    let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let settings = OpenSettings {
        options: &options,
        surroundings: &Surroundings::new(variables),
        behaviour: Behaviour::new(&options).unwrap(),
        observer,
    };
    let location = Location::parse(address).unwrap();
    (open(&location, &settings).unwrap().storage, seen)
}

pub fn opened(address: &str, options: &[String]) -> (Arc<dyn Storage>, Seen) {
    opened_in(address, options, &[])
}

pub fn path(text: &str) -> StoragePath {
    StoragePath::new(text).unwrap()
}

/// So many bytes that differ from place to place.
pub fn content(seed: u64, length: usize) -> Bytes {
    Random::new(seed).bytes(length).into()
}

/// Options with more behind them; what comes last counts.
pub fn with(mut options: Vec<String>, more: &[&str]) -> Vec<String> {
    options.extend(more.iter().map(|option| (*option).to_owned()));
    options
}
