//! Every promise, with parts so small that large files of the suite are sent in several.

use strongroom_testkit::servers::Moto;
use strongroom_testkit::storage_suite;
use strongroom_testkit::storage_suite::Fixture;

use crate::opened::opened;

/// The bucket does not exist yet.
async fn on_moto() -> Fixture {
    let server = Moto::start(&[]);
    let address = server.url("bucket/a path/of it");
    // moto stumbles now and then over calls at the same time.
    let options = [
        "s3.part-size=5MiB",
        "retry.upload=1m",
        "retry.download=1m",
        "retry.list=1m",
    ];
    let storage = opened(&address, &options);
    Fixture::new(storage, server)
}

storage_suite!(s3_on_moto, on_moto);

/// What is cut into parts must come back as one. (Ten thousand files, which the other kinds are asked for, take moto minutes.)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_300_mib_is_stored_whole() {
    let server = Moto::start(&[]);
    let storage = opened(&server.url("bucket"), &[]);
    let fixture = Fixture::new(storage, server);
    storage_suite::a_file_of_300_mib_is_stored_whole(&fixture).await;
}
