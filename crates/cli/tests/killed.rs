//! The process is killed; nothing that was stored is lost, and nothing stands in the way of the next run (T-23).

#![allow(clippy::unwrap_used)]

mod vault;

use std::path::Path;

use strongroom_testkit::{Random, strongroom};
use vault::Vault;

/// Bytes of the whole packs below `data`.
fn stored_bytes(data: &Path) -> u64 {
    let mut bytes = 0;
    for folder in std::fs::read_dir(data).into_iter().flatten().flatten() {
        for file in std::fs::read_dir(folder.path())
            .into_iter()
            .flatten()
            .flatten()
        {
            let name = file.file_name();
            if name.len() == 64 {
                bytes += file.metadata().map_or(0, |m| m.len());
            }
        }
    }
    bytes
}

/// Fails where what an interrupted backup has sent is sent again, or where its lock or its leavings stop the next one.
#[test]
fn t23_a_backup_that_was_killed_is_continued() {
    const FILES: u64 = 24;
    const FILE_BYTES: usize = 4 << 20;
    const PACK_BYTES: u64 = 4 << 20;
    let vault = Vault::new(strongroom!());
    let mut random = Random::new(23);
    for n in 0..FILES {
        let content = random.bytes(FILE_BYTES);
        std::fs::write(vault.path(&format!("source/{n}")), content).unwrap();
    }
    let data = vault.path("vault/data");
    let total = FILES * FILE_BYTES as u64;
    let mut child = vault
        .program
        .spawn(["--pack-size", "4", "backup", "source"]);
    let before = loop {
        let stored = stored_bytes(&data);
        if stored > total / 4 {
            break stored;
        }
        assert!(child.try_wait().unwrap().is_none(), "it was too quick");
        std::thread::yield_now();
    };
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(vault.restic().snapshot_ids().is_empty());
    let left = stored_bytes(&data);
    assert!(left >= before);

    let second = vault
        .run(&["--pack-size", "4", "backup", "--json", "source"])
        .ok();
    let added = second.json_message("summary")["data_added"]
        .as_u64()
        .unwrap();
    println!("total {total}, stored by the first {left}, added by the second {added}");
    // What is in a pack that no index names yet is unknown to the next run only for the packs since the last index;
    // it finds them where it reads the headers of unindexed packs.
    assert!(
        added < total - left + 3 * PACK_BYTES,
        "sent again: {added} of {total}, {left} were there"
    );
    vault.restic().check_read_data();
    vault.run(&["check", "--read-data"]).ok();
    vault.run(&["prune", "--yes"]).ok();
    vault.run(&["restore", "latest", "-t", "out"]).ok();
    for n in 0..FILES {
        let name = format!("source/{n}");
        assert!(
            std::fs::read(vault.path(&name)).unwrap()
                == std::fs::read(vault.path("out").join(&name)).unwrap(),
            "{name}"
        );
    }
}
