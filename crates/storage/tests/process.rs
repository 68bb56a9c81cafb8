//! The program that a storage runs: it ends with the storage, is replaced where it dies, and is named where it fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use strongroom_storage::{
    Behaviour, Class, ErrorKind, Location, OpenSettings, Options, Retry, Storage, StoragePath,
    Surroundings, WriteMode, open,
};

fn opened(folder: &Path, program: &str) -> Arc<dyn Storage> {
    let program = format!("rclone.program={program}");
    let options = Options::parse([program.as_str(), "retry.first-pause=1ms"]).unwrap();
    let settings = OpenSettings {
        options: &options,
        surroundings: &Surroundings::default(),
        behaviour: Behaviour::new(&options).unwrap(),
        observer: Arc::new(|_, _| {}),
    };
    let address = format!("rclone::local:{}/vault", folder.display());
    let location = Location::parse(&address).unwrap();
    open(&location, &settings).unwrap().storage
}

/// A program that starts rclone and leaves a child of its own behind; both write down their numbers.
fn with_child(folder: &Path) -> (String, PathBuf, PathBuf) {
    let (own, child) = (folder.join("own"), folder.join("child"));
    let script = folder.join("script");
    let text = format!(
        "sleep 1000 &\necho $! > '{}'\necho $$ > '{}'\nexec rclone \"$@\"\n",
        child.display(),
        own.display()
    );
    std::fs::write(&script, text).unwrap();
    (format!("sh {}", script.display()), own, child)
}

fn number(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap().trim().to_owned()
}

/// Gone, or dead and waiting for its parent to take notice.
fn is_gone(number: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{number}/stat"));
    stat.map_or(true, |stat| {
        stat.rsplit(')')
            .next()
            .is_some_and(|rest| rest.trim().starts_with('Z'))
    })
}

fn lock() -> StoragePath {
    StoragePath::new("locks/a").unwrap()
}

/// Time-outs and cancelled runs of others left processes that held connections for days.
#[tokio::test(flavor = "multi_thread")]
async fn t24_a_program_ends_with_its_storage_and_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let (program, own, child) = with_child(folder.path());
    let storage = opened(folder.path(), &program);
    storage.create().await.unwrap();
    let numbers = [number(&own), number(&child)];
    assert!(!numbers.iter().any(|number| is_gone(number)));
    drop(storage);
    while !numbers.iter().all(|number| is_gone(number)) {
        tokio::task::yield_now().await;
    }
}

/// A backup of hours must not die of a program that crashed once.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_dies_is_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let (program, own, _) = with_child(folder.path());
    let storage = opened(folder.path(), &program);
    storage.create().await.unwrap();
    let first = number(&own);
    let killed = std::process::Command::new("kill")
        .args(["-9", &first])
        .status();
    assert!(killed.unwrap().success());
    let data = Bytes::from_static(b"kept");
    let written = storage
        .write(&lock(), data, WriteMode::New, Class::Metadata)
        .await;
    written.unwrap();
    assert_ne!(number(&own), first);
    assert_eq!(storage.stat(&lock()).await.unwrap().size_bytes, 4);
}

/// A remote that is not configured is as unknown at the next try.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_fails_is_named_and_not_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    for (program, expected) in [
        ("sh -c 'exit 3'", "sh ended with exit status: 3"),
        ("no-such-program", "start the program \"no-such-program\""),
    ] {
        let error = opened(folder.path(), program).create().await.unwrap_err();
        assert_eq!(error.retry, Retry::Never, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        assert!(matches!(
            error.kind,
            ErrorKind::Unreachable | ErrorKind::Unsupported
        ));
    }
}
