//! `strongroom key`.

mod vault;

use strongroom_testkit::strongroom;
use vault::Vault;

#[test]
fn a_password_is_added_used_and_removed() {
    let vault = Vault::new(strongroom!());
    std::fs::write(vault.path("second"), "second\n").unwrap();
    vault
        .run(&[
            "key",
            "add",
            "--new-password-file",
            "second",
            "--user",
            "ann",
        ])
        .ok();
    let keys = vault.run(&["key", "list", "--json"]).ok().json();
    let theirs = vault.restic().run(["key", "list", "--json"]).ok().json();
    assert_eq!(keys.as_array().unwrap().len(), 2);
    let old = keys
        .as_array()
        .unwrap()
        .iter()
        .find(|k| k["current"] == true)
        .unwrap();
    assert!(theirs.as_array().unwrap().contains(old), "{theirs} {old}");

    let second = strongroom!()
        .repository(vault.path("vault"))
        .password("second");
    let id = old["id"].as_str().unwrap();
    let refused = second.run(["key", "remove", id]).expect_code(26);
    assert!(refused.stderr_text().contains("--yes"), "{refused}");
    second.run(["key", "remove", id, "--yes"]).ok();
    vault.run(&["snapshots"]).expect_code(12);
    second.run(["snapshots"]).ok();
}

/// Whoever removes the key in use may have thrown away the only one.
#[test]
fn the_key_in_use_stays() {
    let vault = Vault::new(strongroom!());
    let keys = vault.run(&["key", "list", "--json"]).ok().json();
    let id = keys[0]["id"].as_str().unwrap();
    vault.run(&["key", "remove", id, "--yes"]).expect_code(26);
    vault
        .run(&["key", "remove", "ffff", "--yes"])
        .expect_code(1);
    vault.run(&["snapshots"]).ok();
}

#[test]
fn a_changed_password_is_the_only_one() {
    let vault = Vault::new(strongroom!());
    std::fs::write(vault.path("new"), "new").unwrap();
    vault
        .run(&["key", "passwd", "--new-password-file", "new"])
        .ok();
    vault.run(&["snapshots"]).expect_code(12);
    let new = strongroom!().env("STRONGROOM_PASSWORD_FILE", vault.path("new"));
    let new = new.repository(vault.path("vault"));
    new.run(["snapshots"]).ok();
    let told = new.run(["key", "add"]).expect_code(2);
    assert!(told.stderr_text().contains("--new-password-file"), "{told}");
}
