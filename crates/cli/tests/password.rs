//! Where the password comes from, as scripts give it.

mod vault;

use strongroom_testkit::strongroom;
use vault::Vault;

#[test]
fn files_commands_and_restics_variables_open_the_repository() {
    let vault = Vault::new(strongroom!());
    let secret = vault.path("secret");
    std::fs::write(&secret, "try-me\n").unwrap();
    let secret = secret.to_str().unwrap();
    let bare = strongroom!().repository(vault.path("vault"));
    bare.run(["snapshots", "--password-file", secret]).ok();
    bare.run(["snapshots", "--password-command", "printf 'try-%s\\n' me"])
        .ok();
    let theirs = strongroom!()
        .env("RESTIC_REPOSITORY", vault.path("vault"))
        .env("RESTIC_PASSWORD_COMMAND", "echo try-me");
    theirs.run(["snapshots"]).ok();
    std::fs::write(vault.path("address"), "vault\n").unwrap();
    let file = vault.path("address");
    let named = vault.program.command(["snapshots"]);
    drop(named);
    vault
        .run(&["--repository-file", file.to_str().unwrap(), "snapshots"])
        .ok();
}

#[test]
fn a_wrong_password_is_exit_12() {
    let vault = Vault::new(strongroom!());
    let wrong = strongroom!()
        .repository(vault.path("vault"))
        .password("wrong");
    let told = wrong.run(["snapshots", "--json"]).expect_code(12);
    let told: serde_json::Value = serde_json::from_slice(&told.stderr).unwrap();
    assert_eq!(
        (&told["message_type"], &told["code"]),
        (&"exit_error".into(), &12.into())
    );
}

#[test]
fn a_command_that_fails_gives_no_password_and_no_shell_runs_it() {
    let vault = Vault::new(strongroom!());
    let bare = strongroom!().repository(vault.path("vault"));
    let failed = bare.run([
        "snapshots",
        "--password-command",
        "sh -c 'echo try-me; exit 3'",
    ]);
    assert!(
        failed
            .expect_code(1)
            .stderr_text()
            .contains("exit status: 3")
    );
    // With a shell this would print the password of another command.
    bare.run(["snapshots", "--password-command", "echo try-me; true"])
        .expect_code(12);
    bare.run(["snapshots", "--password-command", "echo 'try-me"])
        .expect_code(2);
}

#[test]
fn no_message_holds_the_password() {
    let vault = Vault::without_repository(strongroom!());
    let ran = vault.run(&["-vv", "init"]).ok();
    let backup = vault.run(&["-vv", "backup", "source"]).ok();
    for text in [ran.to_string(), backup.to_string()] {
        assert!(!text.contains("try-me"), "{text}");
    }
}
