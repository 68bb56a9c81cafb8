//! Each kind from one end to the other: made, backed up to, checked, thinned out, pruned, restored; restic agrees.

use strongroom_testkit::servers::{OurRest, RcloneRest};
use strongroom_testkit::{
    CompareOptions, Corpus, Part, Random, Restic, Strongroom, assert_same_trees, strongroom,
};

use crate::vault::Vault;

/// A vault whose repository is at `address`, with a source that is large enough for several packs.
pub fn vault_at(address: &str) -> Vault {
    vault_with(strongroom!(), address)
}

pub fn vault_with(program: Strongroom, address: &str) -> Vault {
    let mut vault = Vault::without_repository(program);
    vault.program = vault.program.repository(address);
    let corpus = Corpus::small(40).without(Part::BeyondRestic);
    corpus.grow(&vault.path("source/corpus")).unwrap();
    let large = Random::new(41).bytes(24 << 20);
    std::fs::write(vault.path("source/large"), large).unwrap();
    vault
}

/// The newest snapshot is what the source is now.
#[track_caller]
pub fn assert_restores(vault: &Vault, target: &str) {
    let source = vault.path("source");
    let from = format!("latest:{}", source.display());
    vault.run(&["restore", &from, "--target", target]).ok();
    let options = CompareOptions {
        root: false,
        ..CompareOptions::default()
    };
    assert_same_trees(&source, &vault.path(target), &options);
}

pub fn whole_round(vault: &Vault, restic: Option<&Restic>) {
    let source = vault.path("source");
    let source = source.to_str().unwrap();
    vault.run(&["init"]).ok();
    vault.run(&["backup", source]).ok();
    std::fs::write(vault.path("source/large"), Random::new(42).bytes(20 << 20)).unwrap();
    vault.run(&["backup", source]).ok();
    vault.run(&["check", "--read-data"]).ok();
    vault.run(&["forget", "--keep-last", "1", "--yes"]).ok();
    let pruned = vault
        .run(&["prune", "--yes", "--max-unused", "0", "--json"])
        .ok();
    assert!(!pruned.stdout_text().contains("hunter2"));
    vault.run(&["check", "--read-data"]).ok();
    assert_restores(vault, "back");
    if let Some(restic) = restic {
        restic.check_read_data();
        assert_eq!(restic.snapshot_ids().len(), 1);
        restic.backup(&[&vault.path("source")]);
        vault.run(&["check", "--read-data"]).ok();
        assert_restores(vault, "back-again");
    }
}

#[test]
fn rest_to_rclones_server() {
    let server = RcloneRest::start(&[]);
    let address = server.url("ada/laptop");
    let vault = vault_at(&address);
    whole_round(&vault, Some(&Restic::new(&address, "try-me")));
}

#[test]
fn rest_to_our_server() {
    let server = OurRest::start(|_| {});
    let address = server.url("ada/laptop");
    let vault = vault_at(&address);
    whole_round(&vault, Some(&Restic::new(&address, "try-me")));
    // What only our server holds.
    vault
        .run(&["forget", "latest", "--trash", "14d", "--yes"])
        .ok();
    vault.run(&["undelete", "--all"]).ok();
    assert_restores(&vault, "back-from-trash");
}

#[test]
fn rclone_over_pipes() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("rclone::local:{}/a/vault", folder.path().display());
    let vault = vault_at(&address);
    whole_round(&vault, Some(&Restic::new(&address, "try-me")));
}
