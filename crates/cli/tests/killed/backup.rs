//! A backup that is killed again and again.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use strongroom_testkit::{Random, strongroom};

use crate::moment::{files, kill_when, pack_bytes, stored};
use crate::vault::Vault;

const FILES: u64 = 20;
const FILE_BYTES: usize = 4 << 20;
const PACK_BYTES: u64 = 4 << 20;
/// Packs that are on their way to a local directory at the same time, each of which a kill may cost.
const CONNECTIONS: u64 = 4;

/// Fails where what an interrupted backup has sent is sent again, or where its lock or its leavings stop the next one.
#[test]
fn t23_a_backup_that_was_killed_is_continued() {
    let seed = Random::fresh_seed();
    println!("SEED={seed}");
    let mut random = Random::new(seed);
    let vault = Vault::new(strongroom!());
    for n in 0..FILES {
        let content = random.bytes(FILE_BYTES);
        std::fs::write(vault.path(&format!("source/{n}")), content).unwrap();
    }
    let (data, locks) = (vault.path("vault/data"), vault.path("vault/locks"));
    let total = FILES * FILE_BYTES as u64;
    let backup = ["--pack-size", "4", "backup", "--json", "source"];
    // At the first lock, then twice after a random part of what is left. What was killed last may not have stored more.
    let mut killed = usize::from(kill_when(vault.program.spawn(backup), || {
        !stored(&locks).is_empty()
    }));
    for _ in 0..2 {
        let before = pack_bytes(&data);
        let goal = before + 1 + random.below((total - before) / 2);
        killed += usize::from(kill_when(vault.program.spawn(backup), || {
            pack_bytes(&data) >= goal
        }));
        assert!(pack_bytes(&data) >= before, "what was stored is gone");
    }
    assert!(killed >= 2, "it was too quick");
    assert!(vault.restic().snapshot_ids().is_empty());

    let left = pack_bytes(&data);
    let last = vault.run(&backup).ok();
    let added = last.json_message("summary")["data_added"].as_u64().unwrap();
    println!("total {total}, stored by those that were killed {left}, added by the last {added}");
    assert!(
        added < total.saturating_sub(left) + CONNECTIONS * PACK_BYTES,
        "sent again: {added} of {total}, {left} were there"
    );
    assert!(
        stored(&locks).is_empty(),
        "the locks of the dead are removed"
    );
    leavings_go_the_day_after(&vault);
    vault.restic().check_read_data();
    vault.run(&["check", "--read-data"]).ok();
    vault.run(&["prune", "--yes"]).ok();
    vault.run(&["restore", "latest", "-t", "out"]).ok();
    for n in 0..FILES {
        let name = format!("source/{n}");
        let restored = std::fs::read(vault.path("out").join(&name)).unwrap();
        assert!(
            std::fs::read(vault.path(&name)).unwrap() == restored,
            "{name}"
        );
    }
}

/// Half-written files have names of their own, and are removed once nobody can be writing them any more.
fn leavings_go_the_day_after(vault: &Vault) {
    let is_left = |path: &PathBuf| path.extension().is_some_and(|end| end == "tmp~");
    let leavings = || files(&vault.path("vault")).into_keys().filter(is_left);
    let long_ago = SystemTime::now() - Duration::from_secs(25 * 60 * 60);
    for path in leavings() {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(long_ago).unwrap();
    }
    // It lists the packs, writes a lock and takes it away.
    vault.run(&["check"]).ok();
    assert_eq!(leavings().collect::<Vec<_>>(), Vec::<PathBuf>::new());
}
