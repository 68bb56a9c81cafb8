//! A home with a repository and something to back up, for the tests of one command each.

#![allow(dead_code)] // every test file uses a part
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;
use strongroom_repository::Repository;
use strongroom_repository::crypto::KdfParams;
use strongroom_repository::format::RepositoryVersion;
use strongroom_repository::repository::{CreateOptions, Settings};
use strongroom_testkit::{Ran, Restic, Strongroom, engine};

/// The program with `./vault` as its repository; `./source` holds two files, a folder and a link.
pub struct Vault {
    pub program: Strongroom,
}

impl Vault {
    /// An empty repository, whose key costs next to nothing to derive: every run of a test derives it.
    #[track_caller]
    pub fn new(program: Strongroom) -> Self {
        let vault = Self::without_repository(program);
        let storage = strongroom_storage::LocalStorage::new(vault.path("vault"));
        let options = CreateOptions {
            version: RepositoryVersion::V2,
            kdf: KdfParams { n: 2, r: 1, p: 1 },
            owner: engine::key_owner(),
            polynomial: None,
            settings: Settings::default(),
            threads: 2,
        };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let password = SecretString::from("try-me");
        let creating = Repository::create(Arc::new(storage), &password, &options);
        runtime.block_on(creating).unwrap();
        vault
    }

    /// No repository yet.
    pub fn without_repository(program: Strongroom) -> Self {
        let program = program
            .repository("./vault")
            .password("try-me")
            .env("TZ", "UTC");
        let source = program.home().join("source");
        std::fs::create_dir_all(source.join("folder")).unwrap();
        std::fs::write(source.join("one.txt"), "one\n").unwrap();
        std::fs::write(source.join("folder/two.txt"), "two two\n").unwrap();
        std::os::unix::fs::symlink("one.txt", source.join("link")).unwrap();
        Self { program }
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        self.program.run(args)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.program.home().join(name)
    }

    /// Backs `./source` up; the id of the snapshot.
    #[track_caller]
    pub fn backup(&self) -> String {
        let ran = self.run(&["backup", "--json", "source"]).ok();
        let id = ran.json_message("summary")["snapshot_id"].clone();
        id.as_str().unwrap().to_owned()
    }

    /// The real restic on the same repository.
    pub fn restic(&self) -> Restic {
        Restic::new(self.path("vault"), "try-me")
    }
}

/// Copies a folder with all that is in it; times and owners are the copy's.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let path = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &path),
            false => drop(std::fs::copy(entry.path(), path).unwrap()),
        }
    }
}
