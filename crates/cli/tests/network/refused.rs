//! What is refused at once, with the step to take, and without a word of the password.

use std::time::Instant;

use strongroom_testkit::servers::{OurRest, RcloneRest};
use strongroom_testkit::strongroom;

use crate::vault::Vault;

fn at(address: &str) -> Vault {
    let mut vault = Vault::without_repository(strongroom!());
    vault.program = vault.program.repository(address);
    vault
}

/// A wrong password tried for a quarter of an hour locks the account.
#[test]
fn a_wrong_sign_in_ends_at_once() {
    let server = RcloneRest::start(&[]);
    for (user, password) in [("ada", "hunter2"), ("eve", "try-me")] {
        let address = format!("rest:http://{user}:{password}@{}/r/", server.host());
        let ran = at(&address).run(&["snapshots"]).expect_code(24);
        let said = ran.stderr_text();
        assert!(
            said.contains("does not accept this user and password"),
            "{said}"
        );
        assert!(said.contains("hint:"), "{said}");
        assert!(
            !said.contains("hunter2") && !said.contains("try-me"),
            "{said}"
        );
    }
    let address = format!("rest:http://{}/r/", server.host());
    let said = at(&address)
        .run(&["snapshots"])
        .expect_code(24)
        .stderr_text();
    assert!(said.contains("asks for a user and a password"), "{said}");
}

/// The password does not have to stand in the address, which every user of the machine can see.
#[test]
fn the_password_comes_from_a_file_a_command_or_the_environment() {
    let server = RcloneRest::start(&[]);
    let address = format!("rest:http://{}/r/", server.host());
    let mut vault = at(&address);
    vault.program = vault.program.env("RESTIC_REST_USERNAME", "ada");
    std::fs::write(vault.path("secret"), "try-me\n").unwrap();
    let file = vault.path("secret");
    let file = format!("rest.password-file={}", file.display());
    vault.run(&["init", "-o", &file]).ok();
    vault
        .run(&["snapshots", "-o", "rest.password-command=echo try-me"])
        .ok();
    vault.run(&["snapshots"]).expect_code(24);
    vault.program = vault.program.env("STRONGROOM_REST_PASSWORD", "try-me");
    vault.run(&["snapshots"]).ok();
}

#[test]
fn what_is_misspelt_is_named() {
    let vault = at("rest:http://127.0.0.1:9/r/");
    let said = vault.run(&["snapshots", "-o", "rest.conections=3"]);
    let said = said.expect_code(2).stderr_text();
    assert!(said.contains("did you mean `rest.connections`?"), "{said}");
    let said = at("rest:host/path").run(&["snapshots"]).expect_code(2);
    let said = said.stderr_text();
    assert!(said.contains("rest:https://host:8000/path"), "{said}");
}

/// Nobody is there, and that is said after a while that a person waits, not after a quarter of an hour.
#[test]
fn a_server_that_is_not_there_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("rest:http://{}/r/", listener.local_addr().unwrap());
    drop(listener);
    let begun = Instant::now();
    let vault = at(&address);
    let ran = vault.run(&["snapshots", "-o", "retry.first-contact=1s"]);
    let said = ran.expect_code(23).stderr_text();
    assert!(said.contains("refused") && said.contains("hint:"), "{said}");
    assert!(begun.elapsed().as_secs() < 60);
}

/// An init where there is a repository must not cost the first one its key.
#[test]
fn a_second_init_changes_nothing() {
    for address in [
        OurRest::start(|_| {}),
        OurRest::start(|s| s.append_only = true),
    ] {
        let vault = at(&address.url("r"));
        vault.run(&["init"]).ok();
        vault.run(&["init"]).expect_code(1);
        vault.run(&["snapshots"]).ok();
    }
}
