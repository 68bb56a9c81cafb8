//! A restore whose process dies: between any two reads of the repository.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use strongroom_repository::restore::RestoreOptions;
use strongroom_storage::{LocalStorage, Operation};
use strongroom_testkit::engine::open_repository;
use strongroom_testkit::{Fault, FaultyStorage, Random, assert_same_trees};

use crate::{Vault, below_root, write};

pub const FOLDER: &str = "STRONGROOM_TEST_CRASH_FOLDER";
pub const READS: &str = "STRONGROOM_TEST_CRASH_READS";

/// The process that dies. It is run by the test below.
#[tokio::test(flavor = "multi_thread")]
async fn dies_in_the_middle() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let reads: usize = std::env::var(READS).unwrap().parse().unwrap();
    let local = LocalStorage::new(Path::new(&folder).join("vault"));
    let mut seen = 0;
    let dying = FaultyStorage::new(Arc::new(local), move |asked| {
        seen += usize::from(asked.is(Operation::Read, "data/"));
        if seen > reads {
            std::process::abort();
        }
        Fault::None
    });
    let vault = Vault::existing(Path::new(&folder), open_repository(Arc::new(dying)).await).await;
    let _ = vault.restore(&RestoreOptions::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t29_a_process_that_dies_leaves_whole_files_only_and_the_next_finishes() {
    let vault = Vault::ours(|source| {
        let mut random = Random::new(71);
        for n in 0..200 {
            write(source, &format!("small/{n}"), random.bytes(500 + n));
        }
        for n in 0..3 {
            write(source, &format!("big/{n}"), random.bytes(12 << 20));
        }
    })
    .await;
    write(&vault.target(), "small/7", "old");
    write(&vault.target(), "big/1", "old");
    for reads in 0.. {
        let died = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::dies_in_the_middle"])
            .env(FOLDER, vault.folder.path())
            .env(READS, reads.to_string())
            .output()
            .unwrap();
        for folder in ["small", "big"] {
            let dir = vault.target().join(folder);
            for entry in std::fs::read_dir(&dir).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                if strongroom_repository::restore::is_partial_name(name.as_bytes()) {
                    continue;
                }
                let content = std::fs::read(dir.join(&name)).unwrap();
                let whole =
                    content == std::fs::read(vault.source().join(folder).join(&name)).unwrap();
                assert!(
                    whole || content == b"old",
                    "{folder}/{name} after {reads} reads"
                );
            }
        }
        if died.status.success() {
            break;
        }
        assert!(died.status.signal().is_some() && reads < 50, "{died:?}");
    }
    // Every restore went on where the one before it had died; what they left is gone.
    assert_same_trees(&vault.source(), &vault.target(), &below_root());
}
