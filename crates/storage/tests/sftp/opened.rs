//! Opening a storage as the command line does, without the wrappers that would try again.

use std::path::Path;
use std::sync::Arc;

use strongroom_storage::{
    Behaviour, Location, OpenSettings, Options, RetryObserver, Storage, StorageError, StoragePath,
    Surroundings, open,
};
use strongroom_testkit::servers::Sshd;

/// With these options, and nothing of the person who runs the test.
pub fn opened(address: &str, options: &[String]) -> Arc<dyn Storage> {
    opened_in(address, options, &Surroundings::default())
}

pub fn opened_in(
    address: &str,
    options: &[String],
    surroundings: &Surroundings,
) -> Arc<dyn Storage> {
    let at_once = [
        "retry.upload=0s",
        "retry.download=0s",
        "retry.list=0s",
        "retry.delete=0s",
        "retry.first-contact=0s",
    ];
    let all = at_once
        .into_iter()
        .chain(options.iter().map(String::as_str));
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

/// A repository on the server, signed in with its key.
pub fn on(server: &Sshd, more: &[&str]) -> Arc<dyn Storage> {
    let mut options = server.options();
    options.extend(more.iter().map(|option| (*option).to_owned()));
    opened(&server.url("repository"), &options)
}

/// OpenSSH's SFTP server over pipes, without SSH, with these arguments.
pub fn piped(folder: &Path, arguments: &str) -> Arc<dyn Storage> {
    let command = format!("sftp.command=/usr/lib/openssh/sftp-server {arguments}");
    let address = format!("sftp:nowhere:{}", folder.join("a/repository").display());
    opened(&address, &[command])
}

pub fn path(text: &str) -> StoragePath {
    StoragePath::new(text).unwrap()
}

/// The error of the first call.
pub async fn first_error(storage: &Arc<dyn Storage>) -> StorageError {
    storage.create().await.unwrap_err()
}
