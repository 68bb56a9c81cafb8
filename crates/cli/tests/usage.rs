//! What a new user meets first: help, mistakes, and what the program says about them.

use strongroom_testkit::strongroom;

#[test]
fn without_a_command_there_is_help() {
    let none: [&str; 0] = [];
    let help = strongroom!().run(none).ok().stdout_text();
    assert!(
        help.contains("backup") && help.contains("A first backup:"),
        "{help}"
    );
    let key = strongroom!().run(["key"]).ok().stdout_text();
    assert!(key.contains("passwd"), "{key}");
}

#[test]
fn a_mistake_is_wrong_usage_and_says_what_was_meant() {
    let wrong = strongroom!().run(["bacup"]).expect_code(2);
    assert!(wrong.stderr_text().contains("'backup'"), "{wrong}");
    let wrong = strongroom!().run(["snapshots", "--jsn"]).expect_code(2);
    assert!(wrong.stderr_text().contains("'--json'"), "{wrong}");
    let wrong = strongroom!()
        .run(["snapshots", "--retry-lock", "soon"])
        .expect_code(2);
    assert!(wrong.stderr_text().contains("30s, 10m, 2h"), "{wrong}");
}

#[test]
fn a_mistake_with_json_is_told_as_json() {
    let wrong = strongroom!()
        .run(["snapshots", "--json", "--nonsense"])
        .expect_code(2);
    let told: serde_json::Value = serde_json::from_slice(&wrong.stderr).unwrap();
    assert_eq!(told["message_type"], "exit_error", "{wrong}");
    assert_eq!(told["code"], 2, "{wrong}");
}

#[test]
fn options_stand_before_or_behind_the_command() {
    let program = strongroom!();
    for args in [["--json", "version"], ["version", "--json"]] {
        assert_eq!(program.run(args).ok().json()["message_type"], "version");
    }
    program.run(["-v", "-v", "version"]).ok();
    program.run(["-vv", "version"]).ok();
    program.run(["version", "--verbose=2"]).ok();
}

#[test]
fn colours_are_for_those_who_want_them() {
    let told = |variables: &[(&str, &str)], args: &[&str]| {
        let mut program = strongroom!();
        for (name, value) in variables {
            program = program.env(name, value);
        }
        program.run(args).expect_code(2).stderr.contains(&0x1b)
    };
    assert!(!told(&[], &["snapshots"]));
    assert!(told(&[("CLICOLOR_FORCE", "1")], &["snapshots"]));
    assert!(!told(
        &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")],
        &["snapshots"]
    ));
    assert!(!told(
        &[("CLICOLOR_FORCE", "1")],
        &["snapshots", "--no-color"]
    ));
}
