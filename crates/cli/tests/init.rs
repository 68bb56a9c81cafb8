//! `strongroom init`.

mod vault;

use strongroom_testkit::strongroom;
use vault::Vault;

#[test]
fn a_new_repository_is_one_that_restic_opens() {
    let vault = Vault::without_repository(strongroom!());
    let made = vault.run(&["init", "--json"]).ok().json();
    assert_eq!(made["message_type"], "initialized");
    let told = vault.restic().run(["cat", "config"]).ok().json();
    assert_eq!(made["id"], told["id"]);
    assert_eq!(told["version"], 2);
}

/// A second `init` that went through would make all data unreadable.
#[test]
fn an_existing_repository_is_left_alone() {
    let vault = Vault::new(strongroom!());
    let id = vault.run(&["cat", "config"]).ok().stdout;
    let again = vault.run(&["init"]).expect_code(1);
    assert!(again.stderr_text().contains("hint:"), "{again}");
    assert_eq!(vault.run(&["cat", "config"]).ok().stdout, id);
}

#[test]
fn an_empty_password_has_to_be_meant() {
    let vault = Vault::without_repository(strongroom!());
    std::fs::write(vault.path("empty"), "\n").unwrap();
    let refused = vault
        .run(&["init", "--password-file", "empty"])
        .expect_code(26);
    assert!(
        refused.stderr_text().contains("--insecure-no-password"),
        "{refused}"
    );
    assert!(!vault.path("vault").exists());
    let meant = strongroom!().repository(vault.path("vault"));
    meant.run(["init", "--insecure-no-password"]).ok();
    meant.run(["snapshots", "--insecure-no-password"]).ok();
}

#[test]
fn without_a_password_and_a_terminal_the_error_says_what_to_set() {
    let program = strongroom!().repository("./vault");
    let refused = program.run(["init"]).expect_code(2);
    assert!(
        refused.stderr_text().contains("STRONGROOM_PASSWORD_FILE"),
        "{refused}"
    );
}

#[test]
fn the_chunker_of_another_repository_is_taken_over() {
    let vault = Vault::new(strongroom!());
    let other = strongroom!()
        .repository(vault.path("other"))
        .password("another")
        .env("STRONGROOM_FROM_PASSWORD", "try-me");
    let from = vault.path("vault");
    let from = from.to_str().unwrap();
    other
        .run(["init", "--copy-chunker-params", "--from-repo", from])
        .ok();
    let polynomial = |program: &strongroom_testkit::Strongroom| {
        program.run(["cat", "config"]).ok().json()["chunker_polynomial"].clone()
    };
    assert_eq!(polynomial(&other), polynomial(&vault.program));
    other.run(["init", "--copy-chunker-params"]).expect_code(2);
}
