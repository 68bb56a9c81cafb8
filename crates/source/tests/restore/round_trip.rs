use strongroom_testkit::{CompareOptions, Corpus, Part, Restic, assert_same_trees};

use crate::{PASSWORD, Vault, below_root, names};

#[tokio::test(flavor = "multi_thread")]
async fn t27_everything_that_a_file_system_holds_comes_back() {
    let vault = Vault::ours(|source| {
        let grown = Corpus::new(11).grow(source).unwrap();
        assert!(grown.left_out.is_empty(), "{grown:?}");
    })
    .await;
    let report = vault.restore_all().await;
    assert_same_trees(&vault.source(), &vault.target(), &below_root());
    assert_eq!(report.files_restored, report.total_files);
    assert_eq!(report.bytes_restored, report.total_bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_restic_wrote_we_restore_as_restic_does() {
    for version in [1, 2] {
        // Version 1 differs in how packs are stored, not in what a tree holds.
        let corpus = if version == 1 {
            Corpus::small(12)
        } else {
            Corpus::new(12)
        };
        let vault = Vault::of_restic(version, |source| {
            corpus.without(Part::BeyondRestic).grow(source).unwrap();
        })
        .await;
        vault.restore_all().await;
        assert_same_trees(&vault.source(), &vault.target(), &below_root());
        let theirs = vault.folder.path().join("theirs");
        let restic = Restic::new(vault.folder.path().join("vault"), PASSWORD);
        restic.restore_folder("latest", &vault.source(), &theirs);
        let options = CompareOptions {
            sockets: false,
            ..below_root()
        };
        assert_same_trees(&theirs, &vault.target(), &options);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_restore_finds_nothing_to_write() {
    let vault = Vault::ours(|source| {
        Corpus::new(13).grow(source).unwrap();
    })
    .await;
    let first = vault.restore_all().await;
    let second = vault.restore_all().await;
    assert_same_trees(&vault.source(), &vault.target(), &below_root());
    assert_eq!(second.bytes_restored, 0);
    assert!(second.bytes_skipped >= first.bytes_restored);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_on_a_file_system_in_memory() {
    let mut vault = Vault::ours(|source| {
        Corpus::new(14).grow(source).unwrap();
    })
    .await;
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let link = vault.target();
    std::os::unix::fs::symlink(memory.path(), &link).unwrap();
    vault.restore_all().await;
    assert_same_trees(&vault.source(), memory.path(), &below_root());
    vault = vault.again().await;
    vault.restore_all().await;
    assert_same_trees(&vault.source(), memory.path(), &below_root());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_writes_nothing() {
    let vault = Vault::ours(|source| {
        Corpus::small(15).grow(source).unwrap();
    })
    .await;
    let plan = vault.plan(&Default::default()).await.unwrap();
    assert!(plan.totals.entries > 100 && plan.problems.is_empty());
    assert_eq!(plan.actions().count() as u64, plan.totals.entries);
    drop(plan);
    assert_eq!(names(vault.folder.path()), ["source", "vault"]);
}
