//! Both programs on one repository, in both directions, through the executables.

#![allow(clippy::unwrap_used)]

mod vault;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;
use strongroom_testkit::{
    CompareOptions, Corpus, Part, Ran, Random, Restic, assert_same_trees, strongroom,
};
use vault::Vault;

/// The source of a vault with what restic can bring back, too.
fn grow(vault: &Vault) {
    let corpus = Corpus::small(30).without(Part::BeyondRestic);
    corpus.grow(&vault.path("source/corpus")).unwrap();
    std::fs::write(vault.path("source/large"), Random::new(30).bytes(3 << 20)).unwrap();
}

fn added(summary: &Value) -> u64 {
    summary["data_added"].as_u64().unwrap()
}

/// What lies in the source lies there, too. (The folder itself is the target, which restic leaves as it is.)
#[track_caller]
fn assert_restored(vault: &Vault, restored: &Path) {
    let options = CompareOptions {
        root: false,
        sockets: false,
        ..CompareOptions::default()
    };
    assert_same_trees(&vault.path("source"), restored, &options);
}

/// What restic wrote, in either version: checked, restored, added to, forgotten and pruned by us; restic agrees after each.
fn serves_what_restic_wrote(version: u32) {
    let vault = Vault::without_repository(strongroom!());
    grow(&vault);
    let restic = vault.restic();
    restic.init_version(version);
    restic.backup(&[&vault.path("source")]);
    vault.run(&["check", "--read-data"]).ok();
    vault.run(&["restore", "latest:/", "-t", "all"]).ok();
    let inner = vault
        .path("all")
        .join(vault.path("source").strip_prefix("/").unwrap());
    assert_restored(&vault, &inner);

    let source = vault.path("source");
    let source = source.to_str().unwrap();
    let ours = vault.run(&["backup", "--json", source]).ok();
    let summary = ours.json_message("summary");
    assert_eq!(summary["files_new"], 0, "{ours}");
    let again = added(&summary);
    assert!(again < 4096, "the same tree again: {ours}");
    std::fs::write(vault.path("source/large"), Random::new(31).bytes(2 << 20)).unwrap();
    vault.run(&["backup", source]).ok();
    let keep = [
        "forget",
        "--keep-last",
        "1",
        "--prune",
        "--max-unused",
        "0",
        "--yes",
    ];
    vault.run(&keep).ok();
    restic.check_read_data();
    let target = vault.path("by-restic");
    restic.restore_folder("latest", &vault.path("source"), &target);
    assert_restored(&vault, &target);
}

#[test]
fn what_restic_wrote_is_served() {
    serves_what_restic_wrote(2);
}

#[test]
fn what_restic_wrote_in_version_1_is_served() {
    serves_what_restic_wrote(1);
}

#[test]
fn restic_serves_what_we_wrote() {
    let vault = Vault::new(strongroom!());
    grow(&vault);
    let source = vault.path("source");
    vault.run(&["backup", source.to_str().unwrap()]).ok();
    let restic = vault.restic();
    restic.check_read_data();
    let target = vault.path("by-restic");
    restic.restore_folder("latest", &source, &target);
    assert_restored(&vault, &target);

    let theirs = restic.backup(&[&source]);
    assert_eq!(theirs["files_new"], 0, "{theirs}");
    assert_eq!(theirs["files_changed"], 0, "{theirs}");
    assert!(added(&theirs) < 4096, "the same tree again: {theirs}");
    std::fs::write(source.join("large"), Random::new(32).bytes(2 << 20)).unwrap();
    restic.backup(&[&source]);
    restic.forget_prune(["--keep-last", "1", "--max-unused", "0"]);
    vault.run(&["check", "--read-data"]).ok();
    let mut from = std::ffi::OsString::from("latest:");
    from.push(&source);
    let restored = vault.program.run([
        "restore".as_ref(),
        from.as_os_str(),
        "-t".as_ref(),
        "by-us".as_ref(),
    ]);
    restored.ok();
    assert_restored(&vault, &vault.path("by-us"));
}

/// A program that waits for its input, and so holds its lock; the lock is there when this returns.
fn waits(vault: &Vault, mut command: std::process::Command) -> Child {
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while vault.run(&["list", "locks"]).ok().stdout.is_empty() {
        std::thread::yield_now();
    }
    child
}

#[test]
fn t07_each_honours_the_locks_of_the_other() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    let restic = vault.restic();

    // restic backs up: we may back up and read, but not prune.
    let theirs = waits(&vault, restic.command(["backup", "--stdin"]));
    let refused = vault.run(&["prune", "--yes"]).expect_code(11);
    let told = refused.stderr_text();
    assert!(
        told.contains("locked") && told.contains("--retry-lock"),
        "{refused}"
    );
    vault.run(&["forget", "latest", "--yes"]).expect_code(11);
    vault.backup();
    vault.run(&["check"]).ok();
    // A prune that waits goes on when restic is done.
    let mut waiting = vault
        .program
        .command(["prune", "--yes", "--retry-lock", "5m"]);
    let waiting = waiting
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut theirs = theirs;
    std::io::Write::write_all(&mut theirs.stdin.take().unwrap(), b"done").unwrap();
    Ran::from_output("restic backup", theirs.wait_with_output().unwrap()).ok();
    let waited = waiting.unwrap().wait_with_output().unwrap();
    Ran::from_output("prune --retry-lock", waited).ok();

    // We back up: so may restic, but not prune.
    let ours = waits(&vault, vault.program.command(["backup", "--stdin"]));
    restic.run(["prune"]).expect_code(11);
    restic.backup(&[&vault.path("source")]);
    let mut ours = ours;
    std::io::Write::write_all(&mut ours.stdin.take().unwrap(), b"done").unwrap();
    Ran::from_output("strongroom backup", ours.wait_with_output().unwrap()).ok();
    restic.run(["prune"]).ok();
    restic.check_read_data();
    assert!(restic.list("locks").is_empty());
}

/// By path the types that a value has there.
type Shapes = BTreeMap<String, BTreeSet<&'static str>>;

/// What stands for a value's type; members of objects by name, all members of an array in one. restic prints groups in
/// the order of a map, so that no member of an array can stand for the others.
fn shape(value: &Value, path: &str, into: &mut Shapes) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    into.entry(path.to_owned()).or_default().insert(kind);
    match value {
        Value::Array(all) => all
            .iter()
            .for_each(|v| shape(v, &format!("{path}[]"), into)),
        Value::Object(all) => {
            for (name, value) in all {
                shape(value, &format!("{path}.{name}"), into);
            }
        }
        _ => {}
    }
}

/// The shapes of the messages, by their `message_type`. How often something is told, and in what order, may differ.
fn shapes(text: &str) -> Shapes {
    let mut all = BTreeMap::new();
    // `cat` prints one value on several lines.
    let values: Vec<Value> = match serde_json::from_str(text) {
        Ok(value) => vec![value],
        Err(_) => {
            let lines = text.lines().filter(|line| line.starts_with(['{', '[']));
            lines.map(|l| serde_json::from_str(l).unwrap()).collect()
        }
    };
    for value in values {
        let kind = value["message_type"].as_str().unwrap_or("-").to_owned();
        shape(&value, &kind, &mut all);
    }
    all
}

/// Tools that drive restic read these members. What we say more than restic does no harm; what we lack, or say as another
/// type, breaks them.
#[test]
fn json_has_the_shapes_of_restic() {
    let vault = Vault::new(strongroom!());
    let first = vault.backup();
    std::fs::write(vault.path("source/one.txt"), "changed").unwrap();
    vault.run(&["tag", "--add", "x", "latest"]).ok();
    let second = vault.backup();
    let restic = vault.restic();
    let source = vault.path("source");
    let source = source.to_str().unwrap();
    let target = |name: &str| vault.path(name).to_str().unwrap().to_owned();
    let (to_a, to_b) = (target("a"), target("b"));
    let first = restic.snapshots()[0]["id"]
        .as_str()
        .map_or(first, str::to_owned);
    let cases: Vec<(Vec<&str>, Vec<&str>)> = [
        vec!["backup", "--json", "-vv", source],
        vec!["backup", "--json", source, "/missing-path"],
        vec!["backup", "--json", "--dry-run", "-vv", "--force", source],
        vec!["snapshots", "--json"],
        vec!["snapshots", "--json", "--group-by", "host,tags"],
        vec!["ls", "--json", "latest"],
        vec!["ls", "--json", "--long", "latest"],
        vec!["find", "--json", "one.txt", "link"],
        vec!["diff", "--json", &first, &second],
        vec!["check", "--json"],
        vec!["stats", "--json"],
        vec!["stats", "--json", "--mode", "raw-data"],
        vec!["key", "list", "--json"],
        vec!["forget", "--json", "--keep-last", "1", "--dry-run"],
        vec![
            "forget",
            "--json",
            "--keep-last",
            "2",
            "--keep-tag",
            "x",
            "--dry-run",
        ],
        vec!["snapshots", "--json", "--host", "nobody"],
        vec!["cat", "config", "--json"],
        vec!["cat", "snapshot", &first, "--json"],
    ]
    .into_iter()
    .map(|args| (args.clone(), args))
    .chain([(
        vec![
            "restore",
            "latest",
            "--json",
            "-vv",
            "--target",
            to_a.as_str(),
        ],
        vec![
            "restore",
            "latest",
            "--json",
            "-vv",
            "--target",
            to_b.as_str(),
        ],
    )])
    .collect();
    let mut differences = String::new();
    for (for_restic, for_us) in cases {
        let theirs = restic.run(&for_restic);
        let ours = vault.run(&for_us);
        // A path that does not exist is passed over by restic; here the backup lacks something.
        let ours_to_be = match for_us.contains(&"/missing-path") {
            true => 3,
            false => theirs.code,
        };
        if ours.code != ours_to_be {
            differences += &format!("{for_us:?}: exit {} for {}\n", ours.code, theirs.code);
        }
        for (what, theirs, ours) in [
            ("stdout", theirs.stdout_text(), ours.stdout_text()),
            ("stderr", theirs.stderr_text(), ours.stderr_text()),
        ] {
            let (theirs, ours) = (shapes(&theirs), shapes(&ours));
            for (path, kinds) in &theirs {
                // Progress is told when its time comes.
                if path.starts_with("status") || path.starts_with("initialized") {
                    continue;
                }
                // restic makes up an identifier for the snapshot that a dry run does not make.
                if path == "summary.snapshot_id" && for_us.contains(&"--dry-run") {
                    continue;
                }
                if ours.get(path).is_none_or(|ours| !kinds.is_subset(ours)) {
                    differences += &format!(
                        "{for_us:?} {what}: {path}: {kinds:?}, ours {:?}\n",
                        ours.get(path)
                    );
                }
            }
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn an_error_that_ends_it_is_told_as_restic_tells_it() {
    let vault = Vault::without_repository(strongroom!());
    let restic: Restic = vault.restic();
    let theirs = restic.run(["snapshots", "--json"]).expect_code(10);
    let ours = vault.run(&["snapshots", "--json"]).expect_code(10);
    let (theirs, ours) = (shapes(&theirs.stderr_text()), shapes(&ours.stderr_text()));
    assert!(!theirs.is_empty());
    for (path, kinds) in theirs {
        assert_eq!(ours.get(&path), Some(&kinds), "{path}");
    }
    let theirs = restic.run(["init", "--json"]).ok();
    std::fs::remove_dir_all(vault.path("vault")).unwrap();
    let ours = vault.run(&["init", "--json"]).ok();
    assert_eq!(shapes(&ours.stdout_text()), shapes(&theirs.stdout_text()));
}
