//! Storages for the tests.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use strongroom_storage::{
    Behaviour, Class, ErrorKind, Location, OpenSettings, Options, Result, RetryObserver, Storage,
    StorageError, StoragePath, Surroundings, WriteMode, open,
};

/// What was tried again.
pub type Seen = Arc<Mutex<Vec<ErrorKind>>>;

/// The storage at an address, with all its wrappers.
pub fn opened(address: &str, options: &[&str]) -> Arc<dyn Storage> {
    opened_and_seen(address, options).0
}

pub fn opened_and_seen(address: &str, options: &[&str]) -> (Arc<dyn Storage>, Seen) {
    let quickly = ["retry.first-pause=1ms", "retry.longest-pause=2ms"];
    let options = Options::parse(quickly.iter().chain(options).copied()).unwrap();
    let seen = Seen::default();
    let tell = Arc::clone(&seen);
    let observer: RetryObserver = Arc::new(move |error: &StorageError, _| {
        tell.lock().unwrap().push(error.kind);
    });
    let settings = OpenSettings {
        options: &options,
        surroundings: &Surroundings::default(),
        behaviour: Behaviour::new(&options).unwrap(),
        observer,
    };
    let location = Location::parse(address).unwrap();
    (open(&location, &settings).unwrap().storage, seen)
}

pub fn path(text: &str) -> StoragePath {
    StoragePath::new(text).unwrap()
}

/// Larger than what is sent without asking how to sign in.
pub fn content() -> Bytes {
    (0..200_000_u32).flat_map(u32::to_le_bytes).collect()
}

pub async fn put(storage: &dyn Storage, name: &str, mode: WriteMode) -> Result<()> {
    let path = path(name);
    let write = storage.write(&path, content(), mode, Class::Data);
    write.await
}
