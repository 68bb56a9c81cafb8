//! `strongroom backup`.

#![allow(clippy::unwrap_used)]

mod vault;

use strongroom_testkit::strongroom;
use vault::Vault;

#[test]
fn the_first_backup_of_a_new_user() {
    let vault = Vault::without_repository(strongroom!());
    let first = vault.run(&["backup", "--init", "."]).ok();
    let said = first.stderr_text();
    assert!(
        said.contains("created repository") && said.contains("left out"),
        "{first}"
    );
    let listed = vault.restic().run(["ls", "latest"]).ok().stdout_text();
    assert!(listed.contains("/source/folder/two.txt"), "{listed}");
    assert!(!listed.contains("/vault"), "{listed}");
    vault.run(&["backup", "--init", "."]).ok();
    vault.restic().check_read_data();
}

#[test]
fn the_summary_has_restics_members() {
    let vault = Vault::new(strongroom!());
    let source = vault.path("source");
    let ours = vault
        .run(&["backup", "--json", source.to_str().unwrap()])
        .ok()
        .json_message("summary");
    let restic = vault.restic();
    let theirs = restic.backup(&[&source]);
    let members = |value: &serde_json::Value| {
        let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(members(&ours), members(&theirs));
    assert_eq!(theirs["files_unmodified"], 2);
    assert_eq!(ours["files_new"], 2);
}

/// Exit 0 with a file missing is how backups turn out to be useless years later.
#[test]
fn t28_what_cannot_be_read_makes_the_backup_partial() {
    let vault = Vault::new(strongroom!());
    let partial = vault.run(&["backup", "source", "missing"]).expect_code(3);
    assert!(
        partial.stderr_text().contains("missing: does not exist"),
        "{partial}"
    );
    assert!(partial.stdout_text().contains("saved"), "{partial}");
    let partial = vault
        .run(&["backup", "--json", "source", "missing"])
        .expect_code(3);
    let errors: Vec<serde_json::Value> = partial
        .stderr_text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(errors[0]["message_type"], "error", "{partial}");
    assert!(errors[0]["error"]["message"].is_string() && errors[0]["item"].is_string());
    assert_eq!(errors[1]["code"], 3, "{partial}");
    vault.run(&["backup", "missing"]).expect_code(27);
    assert_eq!(vault.restic().snapshot_ids().len(), 2);
}

#[test]
fn the_arguments_reach_the_snapshot() {
    let vault = Vault::new(strongroom!());
    vault
        .run(&[
            "backup",
            "source",
            "--tag",
            "a,b",
            "--tag",
            "c",
            "--host",
            "elsewhere",
            "--time",
            "2020-02-03 04:05:06",
            "--exclude",
            "*.txt",
        ])
        .ok();
    let snapshot = vault.run(&["snapshots", "--json"]).ok().json()[0].clone();
    assert_eq!(snapshot["tags"], serde_json::json!(["a", "b", "c"]));
    assert_eq!(snapshot["hostname"], "elsewhere");
    assert_eq!(snapshot["time"], "2020-02-03T04:05:06Z");
    assert_eq!(snapshot["excludes"], serde_json::json!(["*.txt"]));
    assert_eq!(snapshot["summary"]["total_files_processed"], 0);
}

#[test]
fn the_latest_snapshot_of_the_same_paths_is_the_parent() {
    let vault = Vault::new(strongroom!());
    let first = vault.backup();
    vault.run(&["backup", "--host", "elsewhere", "source"]).ok();
    vault.backup();
    let all = vault.run(&["snapshots", "--json"]).ok().json();
    assert_eq!(all[0]["parent"], serde_json::Value::Null);
    assert_eq!(all[1]["parent"], serde_json::Value::Null);
    assert_eq!(all[2]["parent"], first.as_str());
    let forced = vault.run(&["backup", "--json", "--force", "source"]).ok();
    assert_eq!(forced.json_message("summary")["files_new"], 2);
}

#[test]
fn nothing_is_stored_by_a_dry_run_or_for_nothing_new() {
    let vault = Vault::new(strongroom!());
    vault.run(&["backup", "--dry-run", "source"]).ok();
    assert!(vault.restic().list("packs").is_empty());
    vault.backup();
    let skipped = vault
        .run(&["backup", "--json", "--skip-if-unchanged", "source"])
        .ok();
    assert!(skipped.json_message("summary").get("snapshot_id").is_none());
    assert_eq!(vault.restic().snapshot_ids().len(), 1);
}

#[test]
fn lists_name_what_is_backed_up() {
    let vault = Vault::new(strongroom!());
    let list = |name: &str, content: &[u8]| std::fs::write(vault.path(name), content).unwrap();
    list("patterns", b"# comment\n\n  source/*.txt  \n");
    list("verbatim", b"source/folder\n");
    list("raw", b"source/link\0");
    list("torn", b"source/link\0source/one");
    let listed = |args: &[&str]| {
        vault.run(args).ok();
        let ran = vault.restic().run(["ls", "latest"]).ok().stdout_text();
        ran.lines()
            .filter(|line| line.starts_with("/source/"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        listed(&["backup", "--files-from", "patterns"]),
        ["/source/one.txt"]
    );
    assert_eq!(
        listed(&[
            "backup",
            "--files-from-verbatim",
            "verbatim",
            "--files-from-raw",
            "raw"
        ]),
        ["/source/folder", "/source/folder/two.txt", "/source/link"]
    );
    vault
        .run(&["backup", "--files-from-raw", "torn"])
        .expect_code(2);
    vault.run(&["backup"]).expect_code(2);
}

#[test]
fn every_entry_is_told_when_asked_for() {
    let vault = Vault::new(strongroom!());
    let told = vault.run(&["backup", "-vv", "--json", "source"]).ok();
    let new: Vec<String> = told
        .json_lines()
        .iter()
        .filter(|line| line["message_type"] == "verbose_status" && line["action"] == "new")
        .map(|line| line["item"].as_str().unwrap().to_owned())
        .collect();
    for item in ["/source/one.txt", "/source/folder/", "/source/"] {
        assert!(new.iter().any(|told| told == item), "{item}\n{told}");
    }
    let quiet = vault.run(&["backup", "-q", "source"]).ok();
    assert!(
        quiet.stdout.is_empty() && quiet.stderr.is_empty(),
        "{quiet}"
    );
}

#[test]
fn standard_input_and_the_output_of_a_command_are_files() {
    let vault = Vault::new(strongroom!());
    let dumped = |name: &str| {
        vault
            .restic()
            .run(["dump", "latest", name])
            .ok()
            .stdout_text()
    };
    let args = ["backup", "--stdin", "--stdin-filename", "dumps/shop.sql"];
    vault.program.run_with_stdin(args, b"select 1;\n").ok();
    assert_eq!(dumped("/dumps/shop.sql"), "select 1;\n");
    vault
        .run(&[
            "backup",
            "--stdin-from-command",
            "--",
            "printf",
            "%s!",
            "$HOME",
        ])
        .ok();
    assert_eq!(dumped("/stdin"), "$HOME!");
}

/// Half a database dump that looks like a whole one is worse than none.
#[test]
fn t25_a_command_that_fails_makes_no_snapshot() {
    let vault = Vault::new(strongroom!());
    let failing = [
        "backup",
        "--stdin-from-command",
        "--",
        "sh",
        "-c",
        "echo half; echo oops >&2; exit 4",
    ];
    let failed = vault.run(&failing).expect_code(27);
    assert!(failed.stderr_text().contains("oops"), "{failed}");
    vault
        .run(&["backup", "--stdin-from-command", "--", "no-such-program"])
        .expect_code(27);
    vault.run(&["backup", "--stdin"]).expect_code(27);
    vault
        .run(&["backup", "--stdin-from-command"])
        .expect_code(2);
    assert!(vault.restic().snapshot_ids().is_empty());
}

#[test]
fn a_pattern_that_matches_nothing_is_told() {
    let vault = Vault::new(strongroom!());
    std::fs::write(vault.path("patterns"), "source/*.txt\nsource/*.none\n").unwrap();
    let partial = vault
        .run(&["backup", "--files-from", "patterns"])
        .expect_code(3);
    assert!(partial.stderr_text().contains("*.none"), "{partial}");
}
