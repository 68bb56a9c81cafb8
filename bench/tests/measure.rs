//! Figures that leave out a process, or count another's, would rank the tools wrongly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, SystemTime};

use strongroom_bench::measure::Usages;
use strongroom_bench::verify::verify;

/// A new folder for a test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn measured(folder: &Path, words: &[&str]) -> (ExitStatus, Usages) {
    let report = folder.join("usage.json");
    let status = Command::new(env!("CARGO_BIN_EXE_strongroom-bench"))
        .arg("measure")
        .arg(&report)
        .arg("--")
        .args(words)
        .current_dir(folder)
        .status()
        .unwrap();
    (
        status,
        serde_json::from_slice(&fs::read(report).unwrap()).unwrap(),
    )
}

#[test]
fn what_children_of_children_do_is_counted() {
    let folder = folder("measure-children");
    let script = "sh -c 'head -c 30000000 /dev/zero > file; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'; exit 0";
    let (status, used) = measured(&folder, &["sh", "-c", script]);
    assert!(status.success());
    assert!(
        (30_000_000..31_000_000).contains(&used.written_bytes),
        "{used:?}"
    );
    assert!(used.write_calls > 100, "{used:?}");
    assert!(used.cpu_s() > 0.0 && used.peak_bytes > 500_000, "{used:?}");
}

#[test]
fn a_failure_is_passed_on() {
    let (status, _) = measured(&folder("measure-failure"), &["sh", "-c", "exit 7"]);
    assert_eq!(status.code(), Some(7));
}

fn set_time(file: &Path, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let file = fs::File::options().write(true).open(file).unwrap();
    file.set_modified(time).unwrap();
}

/// A folder with two files, and what a tool restored of it below another.
fn restored(name: &str) -> (PathBuf, PathBuf) {
    let folder = folder(name);
    let (original, target) = (folder.join("src"), folder.join("target"));
    fs::create_dir_all(original.join("inner")).unwrap();
    fs::write(original.join("one"), "one").unwrap();
    fs::write(original.join("inner/two"), "two").unwrap();
    fs::create_dir(&target).unwrap();
    let copied = Command::new("cp")
        .arg("-a")
        .args([&original, &target])
        .status()
        .unwrap();
    assert!(copied.success());
    (original, target)
}

#[test]
fn every_difference_of_a_restore_is_seen() {
    let (original, target) = restored("verify");
    let there = target.join("src");
    let differs = || {
        verify(&original, Path::new("src"), &target)
            .unwrap_err()
            .to_string()
    };
    verify(&original, Path::new("src"), &target).unwrap();

    fs::rename(there.join("one"), there.join("other")).unwrap();
    assert!(differs().contains("one is missing"));
    fs::copy(there.join("other"), there.join("one")).unwrap();
    set_time(&there.join("one"), 1_000_000);
    assert!(differs().contains("never backed up"));
    fs::remove_file(there.join("other")).unwrap();
    assert!(differs().contains("one differs"), "its time");
    fs::write(there.join("one"), "One").unwrap();
    for file in [original.join("one"), there.join("one")] {
        set_time(&file, 2_000_000);
    }
    assert!(differs().contains("one differs"), "its content");
}

#[test]
fn a_tool_may_restore_with_all_folders_above_or_with_none() {
    let (original, target) = restored("verify-places");
    let deep = target.join("some/where");
    fs::create_dir_all(&deep).unwrap();
    fs::rename(target.join("src"), deep.join("src")).unwrap();
    verify(&original, Path::new("src"), &target).unwrap();

    fs::rename(deep.join("src/one"), target.join("one")).unwrap();
    fs::rename(deep.join("src/inner"), target.join("inner")).unwrap();
    fs::remove_dir_all(target.join("some")).unwrap();
    verify(&original, Path::new("src"), &target).unwrap();
    verify(
        &original.join("inner/two"),
        Path::new("src/inner/two"),
        &target,
    )
    .unwrap();
}
