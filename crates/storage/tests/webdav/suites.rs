//! Every promise, with three servers that have little in common.

use strongroom_storage::Storage;
use strongroom_testkit::servers::{ApacheDav, RcloneWebdav, Wsgidav};
use strongroom_testkit::storage_suite::Fixture;
use strongroom_testkit::{large_storage_suite, storage_suite};

use std::sync::Arc;

use crate::opened::opened;

fn at(address: &str) -> Arc<dyn Storage> {
    opened(address, &[])
}

async fn rclone() -> Fixture {
    let server = RcloneWebdav::start();
    Fixture::new(at(&server.url("a/repository")), server)
}

async fn apache() -> Fixture {
    let server = ApacheDav::basic();
    Fixture::new(at(&server.url("a/repository")), server)
}

async fn wsgidav() -> Fixture {
    let server = Wsgidav::start();
    Fixture::new(at(&server.url("a/repository")), server)
}

// Many files are asked of Apache, which takes seconds for what takes these two a minute.
storage_suite!(few_files webdav_of_rclone, rclone);
storage_suite!(webdav_of_apache, apache);
storage_suite!(few_files webdav_of_wsgidav_by_digest, wsgidav);
large_storage_suite!(large_webdav_of_apache, apache);
