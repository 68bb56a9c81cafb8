//! `strongroom ls`, `find`, `diff` and `stats`, beside the real restic.

#![allow(clippy::unwrap_used)]

mod vault;

use serde_json::Value;
use strongroom_testkit::strongroom;
use vault::Vault;

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn two_snapshots() -> (Vault, String, String) {
    let vault = Vault::new(strongroom!());
    let first = vault.backup();
    std::fs::write(vault.path("source/one.txt"), "changed\n").unwrap();
    std::fs::remove_file(vault.path("source/link")).unwrap();
    std::fs::write(vault.path("source/new\u{1b}.txt"), "new\n").unwrap();
    let second = vault.backup();
    (vault, first, second)
}

#[test]
fn ls_says_what_restic_says() {
    let (vault, first, _) = two_snapshots();
    let restic = vault.restic();
    for args in [
        vec!["ls", "--json", &first],
        vec!["ls", "--json", "latest"],
        vec!["ls", "--json", "latest", "/source/folder"],
        vec!["ls", "--json", "latest", "/source", "--recursive"],
    ] {
        let theirs = restic.run(&args).ok().stdout_text();
        assert_eq!(
            vault.run(&args).ok().json_lines(),
            lines(&theirs),
            "{args:?}"
        );
    }
    vault.run(&["ls", "latest", "source"]).expect_code(2);
    vault.run(&["ls", "latest:/missing"]).expect_code(1);
    let ncdu = vault.run(&["ls", "--ncdu", "latest"]).ok().json();
    assert_eq!(ncdu[3][0]["name"], "/");
    assert_eq!(ncdu[3][1][0]["name"], "source");
    let sorted = vault
        .run(&[
            "ls",
            "latest",
            "/source/folder",
            "--sort",
            "size",
            "--reverse",
        ])
        .ok();
    let first_line = sorted.stdout_text().lines().next().map(str::to_owned);
    assert_eq!(first_line.as_deref(), Some("/source/folder/two.txt"));
    let escaped = vault.run(&["ls", "-l", "latest"]).ok();
    assert!(!escaped.stdout.contains(&0x1b), "{escaped}");
}

#[test]
fn find_says_what_restic_says() {
    let (vault, ..) = two_snapshots();
    let restic = vault.restic();
    for args in [
        vec!["find", "--json", "one.txt"],
        vec!["find", "--json", "-i", "ONE.*", "TWO.txt"],
        vec!["find", "--json", "--reverse", "source/*"],
    ] {
        let theirs = restic.run(&args).ok().json();
        assert_eq!(vault.run(&args).ok().json(), theirs, "{args:?}");
    }
    let text = vault.run(&["find", "one.txt"]).ok().stdout_text();
    assert_eq!(text.matches("/source/one.txt").count(), 2, "{text}");
    let blob = restic
        .list("blobs")
        .into_iter()
        .find(|b| b.starts_with("data "))
        .unwrap();
    let blob = blob.trim_start_matches("data ").to_owned();
    let ours = vault.run(&["find", "--json", "--blob", &blob]).ok().json();
    assert_eq!(ours[0]["id"], blob.as_str());
}

#[test]
fn diff_says_what_restic_says() {
    let (vault, first, second) = two_snapshots();
    let args = ["diff", "--json", &first, &second];
    let theirs = lines(&vault.restic().run(args).ok().stdout_text());
    assert_eq!(vault.run(&args).ok().json_lines(), theirs);
    let text = vault.run(&["diff", &first, &second]).ok().stdout_text();
    assert!(
        text.contains("M    /source/one.txt") && text.contains("-    /source/link"),
        "{text}"
    );
    vault.run(&["diff", &first]).expect_code(2);
}

#[test]
fn stats_say_what_restic_says() {
    let (vault, ..) = two_snapshots();
    for mode in [
        "restore-size",
        "files-by-contents",
        "blobs-per-file",
        "raw-data",
    ] {
        let args = ["stats", "--json", "--mode", mode];
        let theirs = vault.restic().run(args).ok().json();
        let ours = vault.run(&args).ok().json();
        for (name, value) in theirs.as_object().unwrap() {
            assert_eq!(ours[name].as_f64(), value.as_f64(), "{mode} {name}");
        }
    }
    let text = vault
        .run(&["stats", "--mode", "raw-data"])
        .ok()
        .stdout_text();
    assert!(text.contains("Deduplication Ratio"), "{text}");
}
