//! `strongroom parity` and `strongroom repair files`: what is lost comes back, by the executable and in the real restic's eyes.

#![allow(clippy::unwrap_used)]

mod vault;

use std::path::{Path, PathBuf};

use strongroom_testkit::strongroom;
use vault::Vault;

/// A repository with packs of several windows, made and used by the real restic.
fn made_by_restic() -> Vault {
    let vault = Vault::without_repository(strongroom!());
    let restic = vault.restic();
    restic.init();
    for seed in 0..3 {
        let noise = strongroom_testkit::Random::new(seed).bytes(800_000);
        std::fs::write(vault.path("source").join(format!("noise{seed}")), noise).unwrap();
        restic.backup(&[&vault.path("source")]);
    }
    vault
}

fn files(vault: &Vault, folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![vault.path("vault").join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    files
}

fn damage(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[20] ^= 1;
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_repository_made_by_restic_is_protected_damaged_and_mended() {
    let vault = made_by_restic();
    let planned = vault.run(&["parity", "create", "--percent", "60", "--dry-run", "--json"]);
    let planned = planned.ok().json_message("parity_summary");
    assert!(!vault.path("vault/strongroom").exists());
    let made = vault.run(&["parity", "create", "--percent", "60", "--json"]);
    let made = made.ok().json_message("parity_summary");
    assert_eq!(planned["plan"], made["plan"]);
    vault.restic().check_read_data();
    let status = vault.run(&["parity", "status", "--json"]).ok();
    let status = status.json_message("parity_status");
    assert_eq!(status["percent"], 60);
    assert_eq!(status["files_unprotected"], 0);
    assert!(status["losses_min"].as_u64().unwrap() >= 2, "{status}");
    vault.run(&["repair", "files", "--read-data"]).ok();

    let pack = files(&vault, "data").remove(0);
    damage(&pack);
    std::fs::remove_file(&files(&vault, "data")[3]).unwrap();
    let check = vault
        .run(&["check", "--read-data", "--no-cache"])
        .expect_code(21);
    assert!(check.stderr_text().contains("repair files"), "{check}");
    let shown = vault
        .run(&["repair", "files", "--read-data", "--dry-run"])
        .ok();
    assert!(
        shown.stdout_text().contains("can be brought back"),
        "{shown}"
    );
    // It replaces a file, so somebody has to agree.
    vault
        .run(&["repair", "files", "--read-data"])
        .expect_code(26);
    let mended = vault
        .run(&["repair", "files", "--read-data", "--yes", "--json"])
        .ok();
    let mended = mended.json_message("repair_files_summary");
    assert_eq!(mended["recovered"].as_array().unwrap().len(), 2, "{mended}");
    assert_eq!(mended["quarantined"].as_array().unwrap().len(), 1);
    vault.restic().check_read_data();
    vault.run(&["check", "--read-data", "--no-cache"]).ok();
    let aside = vault.run(&["repair", "quarantine"]).ok();
    let name = pack.file_name().unwrap().to_str().unwrap();
    assert!(aside.stdout_text().contains(name), "{aside}");
}

/// Without them nobody can read anything, however many packs there are.
#[test]
fn a_lost_config_and_lost_keys_come_back_without_a_password() {
    let vault = made_by_restic();
    vault.run(&["parity", "create"]).ok();
    std::fs::remove_file(vault.path("vault/config")).unwrap();
    std::fs::remove_file(&files(&vault, "keys")[0]).unwrap();
    let told = vault.run(&["snapshots"]).expect_code(10);
    assert!(
        told.stderr_text().contains("`strongroom repair files`"),
        "{told}"
    );
    let shown = vault
        .run(&["repair", "files", "--without-password", "--dry-run"])
        .ok();
    assert!(shown.stdout_text().contains("config is missing"), "{shown}");
    let mended = vault.run(&["repair", "files", "--yes"]).ok();
    assert!(mended.stderr_text().contains("opens again"), "{mended}");
    vault.run(&["snapshots", "--no-cache"]).ok();
    vault.restic().check_read_data();
    // A damaged key does not open anything either.
    damage(&files(&vault, "keys")[0]);
    vault.run(&["repair", "files", "--read-data", "--yes"]).ok();
    vault.restic().check_read_data();
}

/// Whoever works there could be writing what looks like damage.
#[test]
fn beside_a_lock_that_nobody_can_read_nothing_is_written() {
    let vault = made_by_restic();
    vault.run(&["parity", "create"]).ok();
    std::fs::remove_file(vault.path("vault/config")).unwrap();
    std::fs::write(vault.path("vault/locks").join("0".repeat(64)), "lock").unwrap();
    vault
        .run(&["repair", "files", "--without-password", "--yes"])
        .expect_code(11);
    assert!(!vault.path("vault/config").exists());
    vault
        .run(&[
            "repair",
            "files",
            "--without-password",
            "--yes",
            "--ignore-locks",
        ])
        .ok();
    assert!(vault.path("vault/config").exists());
}

#[test]
fn another_config_is_left_alone_until_asked() {
    let vault = made_by_restic();
    vault.run(&["parity", "create"]).ok();
    damage(&vault.path("vault/config"));
    let shown = vault.run(&["repair", "files", "--yes"]).expect_code(21);
    assert!(shown.stderr_text().contains("--replace-config"), "{shown}");
    vault
        .run(&["repair", "files", "--yes", "--replace-config"])
        .ok();
    vault.restic().check_read_data();
}

#[test]
fn commands_that_write_keep_parity_up() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    vault.run(&["parity", "create"]).ok();
    let status = || {
        let status = vault.run(&["parity", "status", "--json"]).ok();
        status.json_message("parity_status")
    };
    let is_whole = |what: &str| {
        let status = status();
        assert_eq!(status["files_unprotected"], 0, "{what}: {status}");
        assert_eq!(
            status["missing"].as_array().unwrap().len(),
            0,
            "{what}: {status}"
        );
        assert_eq!(status["files_unreferenced"], 0, "{what}: {status}");
    };
    std::fs::write(vault.path("source/three.txt"), "three").unwrap();
    vault.backup();
    is_whole("backup");
    vault.run(&["tag", "--add", "kept", "latest"]).ok();
    is_whole("tag");
    vault.run(&["forget", "--keep-last", "1", "--yes"]).ok();
    is_whole("forget");
    vault.run(&["prune", "--yes", "--max-unused", "0"]).ok();
    is_whole("prune");
    std::fs::write(vault.path("second"), "another").unwrap();
    vault
        .run(&["key", "add", "--new-password-file", "second"])
        .ok();
    is_whole("key add");
    let keys = vault.run(&["key", "list", "--json"]).ok().json();
    let other = keys
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["current"] == false)
        .unwrap();
    let other = other["id"].as_str().unwrap().to_owned();
    vault.run(&["key", "remove", &other, "--yes"]).ok();
    is_whole("key remove");
    // A key that was withdrawn stays away.
    vault
        .run(&["repair", "files", "--missing", "--read-data", "--yes"])
        .ok();
    assert_eq!(files(&vault, "keys").len(), 1);
    // restic prunes: what it removed is told as missing until a prune of ours has looked at it.
    std::fs::remove_file(vault.path("source/one.txt")).unwrap();
    vault.backup();
    vault
        .restic()
        .forget_prune(["--keep-last", "1", "--max-unused", "0"]);
    assert_ne!(status()["missing"].as_array().unwrap().len(), 0);
    let warned = vault.run(&["prune", "--yes", "--max-unused", "0"]).ok();
    assert!(
        warned
            .stderr_text()
            .contains("parity misses 1 snapshot that it protects"),
        "{warned}"
    );
    is_whole("prune after restic's");
    vault.restic().check_read_data();
    let removed = vault.run(&["parity", "remove"]).expect_code(26);
    assert!(removed.stderr_text().contains("--yes"), "{removed}");
    vault.run(&["parity", "remove", "--yes"]).ok();
    assert_eq!(files(&vault, "strongroom/parity").len(), 0);
    assert_eq!(status()["percent"], serde_json::Value::Null);
    vault.backup();
    assert_eq!(files(&vault, "strongroom/parity").len(), 0);
}

/// Too much is lost: it must be said, with the code that scripts look at, and nothing may be made worse.
#[test]
fn what_cannot_be_brought_back_is_said() {
    let vault = made_by_restic();
    vault.run(&["parity", "create", "--percent", "1"]).ok();
    // All packs of more than 64 KiB, of which one in a group may be lost.
    let large = |path: &PathBuf| std::fs::metadata(path).unwrap().len() > 64 << 10;
    for path in files(&vault, "data").iter().filter(|path| large(path)) {
        damage(path);
    }
    let before: Vec<_> = files(&vault, "data")
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    let said = vault
        .run(&["repair", "files", "--read-data", "--yes"])
        .expect_code(21);
    assert!(
        said.stdout_text().contains("cannot be brought back"),
        "{said}"
    );
    let after: Vec<_> = files(&vault, "data")
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    assert_eq!(before, after);
    vault
        .run(&["parity", "create", "--percent", "0"])
        .expect_code(2);
    vault
        .run(&["parity", "create", "--percent", "101"])
        .expect_code(2);
}

#[test]
fn other_repairs_bring_back_first_what_parity_has() {
    let vault = made_by_restic();
    vault.run(&["parity", "create", "--percent", "30"]).ok();
    let lost = files(&vault, "data").remove(0);
    std::fs::remove_file(&lost).unwrap();
    let shown = vault.run(&["repair", "index", "--dry-run"]);
    assert!(shown.stderr_text().contains("repair files"), "{shown}");
    assert!(!lost.exists());
    vault.run(&["repair", "index", "--yes"]).ok();
    assert!(lost.exists());
    vault.restic().check_read_data();
}
