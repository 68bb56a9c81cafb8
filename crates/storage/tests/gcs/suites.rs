//! Every promise, below a path in a bucket, and with files that go in sessions.

use strongroom_testkit::servers::Gcs;
use strongroom_testkit::storage_suite;
use strongroom_testkit::storage_suite::Fixture;

use crate::objects::{opened, with};

fn at(address: &str, more: &[&str]) -> Fixture {
    let server = Gcs::start();
    let (storage, _) = opened(address, &with(server.options(), more));
    Fixture::new(storage, server)
}

async fn below_a_path() -> Fixture {
    at("gs://box/a b/ü", &[])
}

async fn in_sessions() -> Fixture {
    at("gs:box:/", &["gcs.chunk-size=256KiB"])
}

// The emulator takes minutes for a listing of many files; pages are asked of a scripted server.
storage_suite!(few_files gcs, below_a_path);

// What is different where files go in sessions.
storage_suite!(@tests gcs_in_sessions, in_sessions,
    a_storage_does_not_exist_before_it_is_created
    a_large_file_is_stored_whole
    new_leaves_an_old_file_alone
    of_two_writers_of_a_new_file_one_wins
    readers_see_the_old_or_the_new_file
    a_listing_beside_writers_has_whole_files_only
    a_dropped_write_leaves_nothing_half_done
);

mod gcs_large {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_file_of_300_mib_is_stored_whole() {
        storage_suite::a_file_of_300_mib_is_stored_whole(&at(
            "gs:box:/",
            &["gcs.chunk-size=64MiB"],
        ))
        .await;
    }
}
