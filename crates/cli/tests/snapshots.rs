//! `strongroom snapshots`.

mod vault;

use strongroom_testkit::strongroom;
use vault::Vault;

#[test]
fn the_json_is_restics() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    vault.run(&["backup", "--tag", "x", "source/folder"]).ok();
    let ours = vault.run(&["snapshots", "--json"]).ok().json();
    let theirs = vault.restic().run(["snapshots", "--json"]).ok().json();
    assert_eq!(ours, theirs);
    let grouped = ["snapshots", "--json", "--group-by", "paths,tags"];
    // restic's groups come in no order.
    let sorted = |value: serde_json::Value| {
        let mut groups = value.as_array().unwrap().clone();
        groups.sort_by_key(|group| group["group_key"].to_string());
        groups
    };
    let theirs = sorted(vault.restic().run(grouped).ok().json());
    assert_eq!(sorted(vault.run(&grouped).ok().json()), theirs);
}

#[test]
fn filters_and_names_choose() {
    let vault = Vault::new(strongroom!());
    let first = vault.backup();
    vault
        .run(&["backup", "--tag", "x", "--host", "other", "source"])
        .ok();
    let count = |args: &[&str]| {
        let mut all = vec!["snapshots", "--json"];
        all.extend(args);
        vault.run(&all).ok().json().as_array().unwrap().len()
    };
    assert_eq!(count(&[]), 2);
    assert_eq!(count(&["--host", "other"]), 1);
    assert_eq!(count(&["--tag", "x"]), 1);
    assert_eq!(count(&["--tag", ""]), 1);
    assert_eq!(count(&["--path", "/elsewhere"]), 0);
    assert_eq!(count(&[&first[..8]]), 1);
    assert_eq!(count(&["--latest", "1"]), 2);
    vault.run(&["snapshots", "0123456789"]).expect_code(1);
    let table = vault.run(&["snapshots"]).ok().stdout_text();
    assert!(
        table.contains("2 snapshots") && table.contains(&first[..8]),
        "{table}"
    );
}

#[test]
fn t31_a_hostile_tag_cannot_drive_the_terminal() {
    let vault = Vault::new(strongroom!());
    vault
        .run(&["backup", "--tag", "a\u{1b}[2Jb", "source"])
        .ok();
    let table = vault.run(&["snapshots"]).ok();
    assert!(!table.stdout.contains(&0x1b), "{table}");
}

#[test]
fn a_path_that_is_no_repository_is_exit_10() {
    let vault = Vault::without_repository(strongroom!());
    let told = vault.run(&["snapshots"]).expect_code(10);
    assert!(told.stderr_text().contains("strongroom init"), "{told}");
    vault
        .program
        .run(["-r", "source", "snapshots"])
        .expect_code(10);
    strongroom!()
        .password("x")
        .run(["snapshots"])
        .expect_code(2);
    strongroom!()
        .password("x")
        .run(["-r", "s4://x", "snapshots"])
        .expect_code(2);
}
