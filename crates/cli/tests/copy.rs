//! `strongroom copy`.

#![allow(clippy::unwrap_used)]

mod vault;

use strongroom_testkit::{Restic, strongroom};
use vault::Vault;

#[test]
fn snapshots_are_copied_once_and_restic_reads_them() {
    let vault = Vault::new(strongroom!());
    let snapshot = vault.backup();
    let other = strongroom!()
        .repository(vault.path("other"))
        .password("another")
        .env("STRONGROOM_FROM_PASSWORD", "try-me")
        .env("STRONGROOM_FROM_REPOSITORY", vault.path("vault"));
    other.run(["init", "--copy-chunker-params"]).ok();
    let dry = other.run(["copy", "--dry-run", "--json"]).ok();
    assert_eq!(dry.json_message("summary")["plan"]["snapshots"], 1, "{dry}");
    let copied = other.run(["copy", "--json"]).ok();
    assert_eq!(
        copied.json_message("copied")["source_snapshot"],
        snapshot.as_str()
    );
    let again = other.run(["copy"]).ok();
    assert!(again.stderr_text().contains("skipping snapshot"), "{again}");
    let restic = Restic::new(vault.path("other"), "another");
    assert_eq!(restic.snapshots().len(), 1);
    restic.check_read_data();
    restic.restore("latest", &vault.path("out"));
    assert_eq!(
        std::fs::read_to_string(vault.path("out/source/one.txt")).unwrap(),
        "one\n"
    );
    other
        .run([
            "copy",
            "--from-repo",
            other.home().join("none").to_str().unwrap(),
        ])
        .expect_code(10);
}

#[test]
fn a_source_has_to_be_named_and_another_one() {
    let vault = Vault::new(strongroom!());
    vault.run(&["copy"]).expect_code(2);
    let own = vault.path("vault");
    std::fs::write(vault.path("secret"), "try-me").unwrap();
    let secret = vault.path("secret");
    vault
        .run(&[
            "copy",
            "--from-repo",
            own.to_str().unwrap(),
            "--from-password-file",
            secret.to_str().unwrap(),
        ])
        .expect_code(2);
}
