//! `strongroom check`.

#![allow(clippy::unwrap_used)]

mod vault;

use strongroom_testkit::{Random, strongroom};
use vault::Vault;

#[test]
fn a_sound_repository_is_called_sound() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    let sound = vault.run(&["check", "--read-data"]).ok();
    assert!(
        sound.stdout_text().contains("no errors were found"),
        "{sound}"
    );
    let ours = vault.run(&["check", "--json"]).ok().json_message("summary");
    let theirs = vault.restic().run(["check", "--json"]).ok().json();
    assert_eq!(ours, theirs);
    vault.run(&["check", "--read-data-subset", "1/2"]).ok();
    vault
        .run(&["check", "--read-data-subset", "3/2"])
        .expect_code(2);
}

#[test]
fn damage_names_the_snapshots_and_files_that_it_touches() {
    let vault = Vault::new(strongroom!());
    let snapshot = vault.backup();
    for pack in vault.restic().list("packs") {
        let path = vault.path("vault/data").join(&pack[..2]).join(&pack);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[20] ^= 1;
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, bytes).unwrap();
    }
    let found = vault.run(&["check", "--read-data"]).expect_code(21);
    assert!(found.stdout_text().contains(&snapshot[..8]), "{found}");
    assert!(found.stderr_text().contains("hint:"), "{found}");
    let json = vault
        .run(&["check", "--read-data", "--json"])
        .expect_code(21);
    assert!(
        json.json_message("summary")["num_errors"].as_u64().unwrap() > 0,
        "{json}"
    );
    assert_eq!(
        json.json_message("affected_snapshot")["snapshot"],
        snapshot.as_str()
    );
}

/// If it were otherwise, the backups of a machine with another processor would be stored anew, or not be read.
#[test]
fn what_one_processor_has_stored_another_finds_and_reads() {
    let Vault { mut program } = Vault::new(strongroom!());
    let large = Random::new(20).bytes(5 << 20);
    std::fs::write(program.home().join("source/large"), large).unwrap();
    for (turn, width) in ["avx512", "avx2", "portable", "avx512"].iter().enumerate() {
        program = program.env("STRONGROOM_CPU", width);
        let backup = ["backup", "--force", "--json", "source"];
        let summary = program.run(backup).ok().json_message("summary");
        let is_first = turn == 0;
        assert_eq!(summary["data_blobs"] != 0, is_first, "{width}: {summary}");
        program.run(["check", "--read-data"]).ok();
    }
    let unknown = program.env("STRONGROOM_CPU", "fast");
    let ran = unknown.run(["snapshots"]).expect_code(2);
    assert!(ran.stderr_text().contains("STRONGROOM_CPU"), "{ran}");
}
