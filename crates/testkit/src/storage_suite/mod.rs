//! One suite for every kind of storage and every wrapper: each promise of [`strongroom_storage::Storage`] as a test.
//!
//! A kind brings a constructor, in a test file of its own:
//!
//! ```text
//! async fn fresh() -> Fixture { … }
//! strongroom_testkit::storage_suite!(local_on_tmpfs, fresh);
//! ```
//!
//! which becomes a module with one test a promise; `large_storage_suite!` is the same for what takes long, and is asked once
//! a kind and not for the wrappers. The storage that the constructor gives does not exist yet;
//! the suite creates it. Promises that a kind does not make ([`strongroom_storage::Capabilities`]) are not asked for.

mod cancel;
mod existence;
mod files;
mod large;
mod listing;
mod ranges;
mod writers;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use strongroom_storage::{Class, ErrorKind, Result, Storage, StoragePath, WriteMode};

pub use cancel::*;
pub use existence::*;
pub use files::*;
pub use large::*;
pub use listing::*;
pub use ranges::*;
pub use writers::*;

/// A storage for one test, and what must live as long (a temporary directory, a server).
pub struct Fixture {
    /// The storage; not created yet.
    pub storage: Arc<dyn Storage>,
    _keep: Box<dyn Any + Send + Sync>,
}

impl Fixture {
    /// A fixture whose `keep` is dropped after the test.
    pub fn new(storage: Arc<dyn Storage>, keep: impl Any + Send + Sync) -> Self {
        Self {
            storage,
            _keep: Box::new(keep),
        }
    }

    /// The same fixture with a wrapper around its storage.
    #[must_use]
    pub fn wrap(mut self, wrapper: impl FnOnce(Arc<dyn Storage>) -> Arc<dyn Storage>) -> Self {
        self.storage = wrapper(self.storage);
        self
    }
}

impl fmt::Debug for Fixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.storage.fmt(f)
    }
}

/// Makes a module `$name` with the tests of what takes long; once for every kind of storage.
#[macro_export]
macro_rules! large_storage_suite {
    ($name:ident, $fresh:expr) => {
        $crate::storage_suite!(@tests $name, $fresh,
            a_file_of_300_mib_is_stored_whole
            ten_thousand_files_in_a_folder_are_all_listed
        );
    };
}

/// Makes a module `$name` with every test of the suite; `$fresh` is an `async fn() -> Fixture`. With `few_files` before them, without
/// those that need more files than a slow server of the tests holds in reasonable time.
#[macro_export]
macro_rules! storage_suite {
    ($name:ident, $fresh:expr) => {
        $crate::storage_suite!(@with $name, $fresh, a_listing_of_many_files_is_complete);
    };
    (few_files $name:ident, $fresh:expr) => {
        $crate::storage_suite!(@with $name, $fresh,);
    };
    (@with $name:ident, $fresh:expr, $($more:ident)*) => {
        $crate::storage_suite!(@tests $name, $fresh,
            $($more)*
            a_storage_does_not_exist_before_it_is_created
            creating_twice_keeps_the_files
            what_was_written_is_there
            an_empty_file_is_a_file
            new_leaves_an_old_file_alone
            replace_takes_the_place_of_the_old_file
            a_deleted_file_is_gone_and_its_name_free
            a_missing_file_is_not_found_by_any_call
            a_folder_is_no_file
            errors_say_where
            names_of_every_allowed_shape_work
            a_large_file_is_stored_whole
            a_range_is_returned_exactly
            a_range_outside_is_an_error
            a_listing_has_every_file_below_and_no_other
            a_listing_of_a_missing_folder_is_empty
            of_two_writers_of_a_new_file_one_wins
            readers_see_the_old_or_the_new_file
            many_tasks_work_at_once
            a_listing_beside_writers_has_whole_files_only
            a_dropped_write_leaves_nothing_half_done
            dropped_calls_do_no_harm
        );
    };
    (@tests $name:ident, $fresh:expr, $($test:ident)+) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let fixture = $fresh().await;
                    $crate::storage_suite::$test(&fixture).await;
                }
            )+
        }
    };
}

pub(crate) fn path(text: &str) -> StoragePath {
    StoragePath::new(text).unwrap()
}

/// `length` bytes that differ from place to place and from seed to seed.
pub(crate) fn content(seed: u64, length: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut data = Vec::with_capacity(length + 8);
    while data.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        data.extend_from_slice(&state.to_le_bytes());
    }
    data.truncate(length);
    Bytes::from(data)
}

pub(crate) async fn created(fixture: &Fixture) -> &dyn Storage {
    fixture.storage.create().await.unwrap();
    fixture.storage.as_ref()
}

pub(crate) async fn put(storage: &dyn Storage, name: &str, data: impl Into<Bytes>) {
    storage
        .write(&path(name), data.into(), WriteMode::New, Class::Data)
        .await
        .unwrap();
}

pub(crate) async fn get(storage: &dyn Storage, name: &str) -> Bytes {
    storage.read(&path(name), None, Class::Data).await.unwrap()
}

/// Names and sizes below a folder, sorted.
pub(crate) async fn listed(storage: &dyn Storage, folder: Option<&str>) -> Vec<(String, u64)> {
    let folder = folder.map(path);
    let files = storage.list(folder.as_ref()).await.unwrap();
    let mut files: Vec<_> = files
        .into_iter()
        .map(|file| (file.path.as_str().to_owned(), file.size_bytes))
        .collect();
    files.sort();
    files
}

#[track_caller]
pub(crate) fn assert_kind<T: fmt::Debug>(result: Result<T>, kind: ErrorKind) {
    match result {
        Err(error) if error.kind == kind => {}
        other => panic!("expected {kind:?}, got {other:?}"),
    }
}
