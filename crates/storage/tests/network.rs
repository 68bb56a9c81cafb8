//! The kinds over a network against the suite of promises, with real servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use strongroom_storage::{
    Behaviour, Location, OpenSettings, Options, RetryObserver, Storage, Surroundings, open,
};
use strongroom_testkit::servers::{OurRest, RcloneRest};
use strongroom_testkit::storage_suite::Fixture;
use strongroom_testkit::{FlatNames, large_storage_suite, storage_suite};

/// The storage at an address, with all its wrappers.
fn opened(address: &str) -> Arc<dyn Storage> {
    let options = Options::default();
    let observer: RetryObserver = Arc::new(|error, _| panic!("nothing should fail here: {error}"));
    let settings = OpenSettings {
        options: &options,
        surroundings: &Surroundings::default(),
        behaviour: Behaviour::new(&options).unwrap(),
        observer,
    };
    let location = Location::parse(address).unwrap();
    open(&location, &settings).unwrap().storage
}

async fn rest() -> Fixture {
    let server = RcloneRest::start(&[]);
    let storage = FlatNames::new(opened(&server.url("repository")));
    Fixture::new(Arc::new(storage), server)
}

async fn rest_of_ours() -> Fixture {
    let server = OurRest::start(|_| {});
    let storage = opened(&server.url("a/repository"));
    let storage = FlatNames::new(storage).below("strongroom/suite");
    Fixture::new(Arc::new(storage), server)
}

async fn rclone() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("a/repository");
    let storage = FlatNames::new(opened(&format!("rclone::local:{}", place.display())));
    Fixture::new(Arc::new(storage), folder)
}

storage_suite!(rest_of_rclone, rest);
storage_suite!(rest_of_our_server, rest_of_ours);
storage_suite!(rclone_over_pipes, rclone);
large_storage_suite!(large_rest_of_rclone, rest);
large_storage_suite!(large_rest_of_our_server, rest_of_ours);
large_storage_suite!(large_rclone_over_pipes, rclone);
