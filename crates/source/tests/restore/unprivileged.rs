//! A restore by somebody who is not root.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use strongroom_repository::restore::RestoreOptions;
use strongroom_testkit::{Corpus, Part, as_nobody, assert_same_trees};

use crate::{Vault, below_root, write};

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn t30_read_only_trees_are_restored_over_and_resumed() {
    let name = "unprivileged::t30_read_only_trees_are_restored_over_and_resumed";
    let Some(folder) = as_nobody(name) else {
        return;
    };
    let vault = Vault::ours_in(&folder, |source| {
        let corpus = Corpus::small(61)
            .without(Part::Devices)
            .without(Part::Modes);
        corpus.grow(source).unwrap();
        write(source, "locked/deep/file", "snapshot");
        mode(&source.join("locked/deep/file"), 0o400);
        mode(&source.join("locked/deep"), 0o500);
        mode(&source.join("locked"), 0o555);
    })
    .await;
    vault.restore_all().await;
    assert_same_trees(&vault.source(), &vault.target(), &below_root());
    let locked = vault.target().join("locked");
    mode(&locked, 0o755);
    mode(&locked.join("deep"), 0o755);
    mode(&locked.join("deep/file"), 0o600);
    write(&locked, "deep/file", "changed");
    write(&locked, "deep/surplus/more", "x");
    mode(&locked.join("deep/file"), 0o000);
    mode(&locked.join("deep/surplus"), 0o555);
    mode(&locked.join("deep"), 0o500);
    mode(&locked, 0o500);
    let options = RestoreOptions {
        delete: true,
        ..RestoreOptions::default()
    };
    let report = vault.restore(&options).await.unwrap();
    assert!(report.is_complete(), "{report:#?}");
    assert_same_trees(&vault.source(), &vault.target(), &below_root());
    // So that the folders can be removed.
    for root in [vault.source(), vault.target()] {
        mode(&root.join("locked"), 0o755);
        mode(&root.join("locked/deep"), 0o755);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_that_cannot_be_set_are_counted_and_no_failure() {
    let name = "unprivileged::owners_that_cannot_be_set_are_counted_and_no_failure";
    let Some(folder) = as_nobody(name) else {
        return;
    };
    let vault = Vault::ours_in(&folder, |source| write(source, "f", "x")).await;
    let root = vault
        .repository
        .load_tree(&vault.index, &vault.tree)
        .await
        .unwrap();
    let mut tree = root.clone();
    for node in &mut tree.nodes {
        (node.uid, node.gid) = (0, 0);
    }
    let vault = vault.with_tree(&tree).await;
    let report = vault.restore(&RestoreOptions::default()).await.unwrap();
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!(report.owners_withheld, 1);
    assert_eq!(
        std::fs::metadata(vault.target().join("f")).unwrap().uid(),
        rustix::process::geteuid().as_raw()
    );
}
