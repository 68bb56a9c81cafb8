//! A home with a repository and something to back up, for the tests of one command each.

#![allow(dead_code)] // every test file uses a part
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use strongroom_testkit::{Ran, Restic, Strongroom};

/// The program with `./vault` as its repository; `./source` holds two files, a folder and a link.
pub struct Vault {
    pub program: Strongroom,
}

impl Vault {
    /// An empty repository.
    #[track_caller]
    pub fn new(program: Strongroom) -> Self {
        let vault = Self::without_repository(program);
        vault.run(&["init"]).ok();
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
