//! Every promise, in the root of a container, below a path in it, and with files that go in blocks.

use strongroom_testkit::servers::Azurite;
use strongroom_testkit::storage_suite;
use strongroom_testkit::storage_suite::Fixture;

use crate::objects::{opened, with};

fn at(address: &str, more: &[&str]) -> Fixture {
    let server = Azurite::start();
    let (storage, _) = opened(address, &with(server.options(), more));
    Fixture::new(storage, server)
}

async fn below_a_path() -> Fixture {
    at("azblob://box/a b/ü", &[])
}

async fn in_blocks() -> Fixture {
    at("azure:box:/", &["azure.block-size=100KB"])
}

storage_suite!(azure, below_a_path);

// What is different where files go in blocks.
storage_suite!(@tests azure_in_blocks, in_blocks,
    a_storage_does_not_exist_before_it_is_created
    a_large_file_is_stored_whole
    new_leaves_an_old_file_alone
    of_two_writers_of_a_new_file_one_wins
    readers_see_the_old_or_the_new_file
    a_listing_beside_writers_has_whole_files_only
    a_dropped_write_leaves_nothing_half_done
);

mod azure_large {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_file_of_300_mib_is_stored_whole() {
        let fixture = at("azure:box:/", &["azure.block-size=64MiB"]);
        storage_suite::a_file_of_300_mib_is_stored_whole(&fixture).await;
    }
}
