//! `strongroom check`.

#![allow(clippy::unwrap_used)]

mod vault;

use strongroom_testkit::strongroom;
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
