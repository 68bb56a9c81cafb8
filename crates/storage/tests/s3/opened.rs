//! Opening a storage as the command line does, without the wrappers that would try again.

use std::sync::Arc;

use strongroom_storage::{
    Behaviour, Location, OpenSettings, Options, RetryObserver, Storage, StoragePath, Surroundings,
    open,
};
use strongroom_testkit::servers::Moto;

/// With these options, keys that moto takes, and nothing of the person who runs the test.
pub fn opened(address: &str, options: &[&str]) -> Arc<dyn Storage> {
    opened_in(address, options, &with_keys(&[]))
}

/// Variables of the environment beside those of the keys.
pub fn with_keys(more: &[(&str, &str)]) -> Surroundings {
    let all = Moto::ENVIRONMENT.iter().chain(more);
    surroundings(&all.copied().collect::<Vec<_>>())
}

/// Nothing but these. No machine is asked for keys that it may have.
pub fn surroundings(variables: &[(&str, &str)]) -> Surroundings {
    let off = [("AWS_EC2_METADATA_DISABLED", "true")];
    let all = off.iter().chain(variables);
    Surroundings::new(all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

pub fn opened_in(address: &str, options: &[&str], surroundings: &Surroundings) -> Arc<dyn Storage> {
    let at_once = [
        "retry.upload=0s",
        "retry.download=0s",
        "retry.list=0s",
        "retry.delete=0s",
        "retry.first-contact=0s",
    ];
    let all = at_once.into_iter().chain(options.iter().copied());
    let options = Options::parse(all).unwrap();
    let observer: RetryObserver = Arc::new(|_, _| {});
    let settings = OpenSettings {
        options: &options,
        surroundings,
        behaviour: Behaviour::new(&options).unwrap(),
        observer,
    };
    let location = Location::parse(address).unwrap();
    open(&location, &settings).unwrap().storage
}

pub fn path(text: &str) -> StoragePath {
    StoragePath::new(text).unwrap()
}
