//! One backup into several repositories: what is believed to lie in two places and lies in one is lost with it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../vault/mod.rs"]
mod vault;

#[path = "../killed/moment.rs"]
mod moment;

mod catching_up;
mod outcomes;
mod round;
mod stopped;
mod streams;
mod usage;

use std::sync::Arc;

use secrecy::SecretString;
use serde_json::Value;
use strongroom_repository::Repository;
use strongroom_repository::crypto::KdfParams;
use strongroom_repository::format::RepositoryVersion;
use strongroom_repository::repository::{CreateOptions, Settings};
use strongroom_storage::LocalStorage;
use strongroom_testkit::{Ran, Restic, engine, strongroom};

use vault::Vault;

/// Something to back up, and no repository yet.
pub fn places() -> Vault {
    Vault::without_repository(strongroom!())
}

/// An empty repository whose key costs next to nothing to derive, and that cuts files in its own way.
pub fn make(vault: &Vault, name: &str, password: &str) -> Repository {
    let storage = LocalStorage::new(vault.path(name));
    let options = CreateOptions {
        version: RepositoryVersion::V2,
        kdf: KdfParams { n: 2, r: 1, p: 1 },
        owner: engine::key_owner(),
        polynomial: None,
        settings: Settings::default(),
        threads: 1,
    };
    let password = SecretString::from(password);
    let creating = Repository::create(Arc::new(storage), &password, &options);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(creating).unwrap()
}

/// Backs `./source` up into these; the report is in the last line.
pub fn backup(vault: &Vault, places: &[&str]) -> Ran {
    backup_with(vault, places, &["source"])
}

/// The same with more arguments.
pub fn backup_with(vault: &Vault, places: &[&str], rest: &[&str]) -> Ran {
    let mut words: Vec<&str> = places.iter().flat_map(|place| ["-r", *place]).collect();
    words.extend(["backup", "--json"]);
    words.extend(rest);
    vault.run(&words)
}

/// What the report says of the nth repository.
#[track_caller]
pub fn of(ran: &Ran, number: usize) -> Value {
    let lines = ran.json_lines();
    let list = lines.iter().rfind(|line| line["destinations"].is_array());
    list.unwrap_or_else(|| panic!("no list of destinations\n{ran}"))["destinations"][number].clone()
}

/// The outcome of each destination, in order.
#[track_caller]
pub fn assert_outcomes(ran: &Ran, expected: &[&str]) {
    let outcomes: Vec<String> = (0..expected.len())
        .map(|number| of(ran, number)["outcome"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(outcomes, expected, "{ran}");
}

/// The real restic on one of them.
pub fn restic(vault: &Vault, name: &str) -> Restic {
    Restic::new(vault.path(name), "try-me")
}

/// The times of the snapshots, oldest first: copies have the times of what they are copies of.
pub fn times(vault: &Vault, name: &str) -> Vec<String> {
    let mut times: Vec<String> = restic(vault, name)
        .snapshots()
        .iter()
        .map(|snapshot| snapshot["time"].as_str().unwrap().to_owned())
        .collect();
    times.sort();
    times
}
