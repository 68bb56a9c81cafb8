//! A restore that was ended in the middle and is run again: what is there is not fetched again (RES-08).

use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicU64;

use strongroom_repository::restore::{RestoreOptions, is_partial_name, partial_name};
use strongroom_testkit::{Random, assert_same_trees};
use tokio_util::sync::CancellationToken;

use crate::crash::{FOLDER, READS};
use crate::existing::CancelsAt;
use crate::work::{ranges, recorded};
use crate::{Vault, below_root, names, write};

const LARGE_BYTES: usize = 60 << 20;
const SMALL_BYTES: usize = 2 << 20;
const SMALL_FILES: usize = 6;
const ALL_BYTES: u64 = (LARGE_BYTES + SMALL_FILES * SMALL_BYTES) as u64;
/// Blobs that were on their way when it ended: half written, or not yet.
const SLACK_BYTES: u64 = 10 << 20;

async fn vault(seed: u64) -> Vault {
    Vault::ours(|source| {
        let mut random = Random::new(seed);
        for n in 0..SMALL_FILES {
            write(source, &format!("small/{n}"), random.bytes(SMALL_BYTES));
        }
        write(source, "large", random.bytes(LARGE_BYTES));
    })
    .await
}

/// The bytes of a file's beginning to end that are right, under its own name or the partial one.
fn right_bytes(source: &Path, target: &Path, name: &str) -> u64 {
    const STEP: usize = 4096;
    let partial = String::from_utf8(partial_name(name.as_bytes())).unwrap();
    let wanted = std::fs::read(source.join(name)).unwrap();
    let found = std::fs::read(target.join(name)).or_else(|_| std::fs::read(target.join(partial)));
    let found = found.unwrap_or_default();
    let pairs = wanted.chunks(STEP).zip(found.chunks(STEP));
    pairs.map(|(a, b)| right_in_block(a, b) as u64).sum()
}

/// A blob begins or ends anywhere: the right bytes of a block from its beginning on, and up to its end.
fn right_in_block(wanted: &[u8], found: &[u8]) -> usize {
    let same = |(a, b): &(&u8, &u8)| a == b;
    let from_begin = wanted.iter().zip(found).take_while(same).count();
    if from_begin == wanted.len() || found.len() < wanted.len() {
        return from_begin;
    }
    let from_end = wanted.iter().rev().zip(found.iter().rev());
    from_begin + from_end.take_while(same).count()
}

fn all_right_bytes(vault: &Vault) -> u64 {
    let (source, target) = (vault.source(), vault.target());
    let small = (0..SMALL_FILES)
        .map(|n| right_bytes(&source.join("small"), &target.join("small"), &n.to_string()));
    small.sum::<u64>() + right_bytes(&source, &target, "large")
}

fn partials(vault: &Vault) -> usize {
    let folders = [vault.target(), vault.target().join("small")];
    let there = folders.into_iter().filter(|folder| folder.exists());
    let all = there.flat_map(|folder| names(&folder));
    all.filter(|name| is_partial_name(name.as_bytes())).count()
}

/// Restores to the end; the bytes that were fetched.
async fn finish(vault: &mut Vault) -> (u64, u64) {
    let storage = recorded(vault).await;
    let summary = vault.restore_all().await;
    assert_same_trees(&vault.source(), &vault.target(), &below_root());
    assert_eq!(partials(vault), 0);
    let ranges = ranges(&storage);
    let fetched = ranges.iter().map(|(_, range)| range.end - range.start);
    (fetched.sum(), summary.bytes_reused)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_was_killed_fetches_only_what_is_missing() {
    let mut vault = vault(81).await;
    let mut in_the_middle = 0;
    // The first reads are those of trees; after them come ranges of 4 MiB.
    for reads in [9, 13, 17] {
        let _ = std::fs::remove_dir_all(vault.target());
        let died = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::dies_in_the_middle"])
            .env(FOLDER, vault.folder.path())
            .env(READS, reads.to_string())
            .output()
            .unwrap();
        assert!(!died.status.success(), "{died:?}");
        let there = all_right_bytes(&vault);
        in_the_middle += usize::from(partials(&vault) > 0);
        let (fetched, reused) = finish(&mut vault).await;
        let missing = ALL_BYTES - there;
        assert!(
            fetched <= missing + SLACK_BYTES,
            "{reads}: {fetched} of {missing}"
        );
        assert!(reused <= there);
    }
    assert!(in_the_middle > 0, "none was killed in the middle of a file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_was_cancelled_goes_on_in_the_middle_of_a_file() {
    let mut vault = vault(82).await;
    let cancel = CancellationToken::new();
    let progress = CancelsAt(ALL_BYTES / 2, AtomicU64::default(), cancel.clone());
    let plan = vault.plan(&RestoreOptions::default()).await.unwrap();
    let executing = plan.execute(&vault.repository, &vault.index, &progress, &cancel);
    let report = executing.await.unwrap();
    assert!(report.stopped.is_some());
    assert_eq!(report.files_unfinished, partials(&vault) as u64);
    assert!(report.files_unfinished > 0);
    let there = all_right_bytes(&vault);
    assert!(there >= ALL_BYTES / 2 - SLACK_BYTES, "{there}");
    let (fetched, reused) = finish(&mut vault).await;
    assert!(fetched <= ALL_BYTES - there + SLACK_BYTES, "{fetched}");
    assert!(reused > 0);
}

/// A file of one blob is written without a partial name; what lies under that name is cleaned up all the same.
#[tokio::test(flavor = "multi_thread")]
async fn the_leftover_of_a_tiny_file_does_not_stay() {
    let vault = Vault::ours(|source| write(source, "tiny", "content")).await;
    let partial = String::from_utf8(partial_name(b"tiny")).unwrap();
    write(&vault.target(), &partial, "left");
    vault.restore_all().await;
    assert_same_trees(&vault.source(), &vault.target(), &below_root());
    assert_eq!(partials(&vault), 0);
}

/// Content that is not right is not taken over, and a leftover that is of no use any more is cleaned up.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_an_old_restore_is_left_behind() {
    let mut vault = vault(83).await;
    let partial = |name: &str| String::from_utf8(partial_name(name.as_bytes())).unwrap();
    write(
        &vault.target(),
        &partial("large"),
        Random::new(1).bytes(LARGE_BYTES),
    );
    let (fetched, reused) = finish(&mut vault).await;
    assert_eq!(reused, 0);
    assert!(fetched >= ALL_BYTES);
    // The file is whole by now.
    write(&vault.target(), &partial("large"), "left");
    let summary = vault.restore_all().await;
    assert_eq!(summary.files_deleted, 0);
    assert_eq!(partials(&vault), 0);
    // It is nobody's that the snapshot knows of: only `delete` may remove it.
    write(&vault.target(), &partial("unknown"), "left");
    vault.restore_all().await;
    assert_eq!(partials(&vault), 1);
}
