//! Snapshots that were made to do harm: their writer knew the password, the person who restores does not know the writer.

use std::sync::Arc;

use strongroom_repository::format::{BlobKind, Id};
use strongroom_repository::pack::{BlobWriter, WriterOptions};
use strongroom_repository::progress::Silent;
use strongroom_repository::restore::RestoreOptions;
use strongroom_repository::{ErrorKind, Repository};
use tokio_util::sync::CancellationToken;

use crate::{Vault, names, write};

/// Stores blobs as they are; the trees' identifiers.
pub async fn store(repository: &Repository, blobs: &[(BlobKind, Vec<u8>)]) -> Vec<Id> {
    let index = Arc::new(repository.load_index(&Silent).await.unwrap());
    let options = WriterOptions { dry_run: false };
    let writer = BlobWriter::new(repository, index, options, CancellationToken::new());
    let (storing, blobs) = (writer.clone(), blobs.to_vec());
    let ids = tokio::task::spawn_blocking(move || {
        let store = |(kind, plain): &(BlobKind, Vec<u8>)| storing.store(*kind, plain).unwrap().id;
        blobs.iter().map(store).collect()
    });
    let ids = ids.await.unwrap();
    writer.finish().await.unwrap();
    ids
}

fn file(name: &str, content: &[u8]) -> String {
    let id = Id::of(content);
    let size = content.len();
    format!(
        r#"{{"name":"{name}","type":"file","mode":420,"uid":0,"gid":0,"size":{size},"content":["{id}"]}}"#
    )
}

fn link(name: &str, to: &str) -> String {
    format!(
        r#"{{"name":"{name}","type":"symlink","mode":134218239,"uid":0,"gid":0,"linktarget":"{to}","content":null}}"#
    )
}

fn dir(name: &str, tree: &str) -> String {
    let id = Id::of(tree.as_bytes());
    format!(
        r#"{{"name":"{name}","type":"dir","mode":2147484141,"uid":0,"gid":0,"content":null,"subtree":"{id}"}}"#
    )
}

fn tree(nodes: &[String]) -> String {
    format!("{{\"nodes\":[{}]}}\n", nodes.join(","))
}

/// A vault whose tree is a forged one, and a folder beside the target that must stay as it is.
async fn forged(root: String, more: &[String]) -> (Vault, std::path::PathBuf) {
    let mut vault = Vault::ours(|source| write(source, "f", "x")).await;
    let mut blobs = vec![
        (BlobKind::Data, b"bad".to_vec()),
        (BlobKind::Tree, root.clone().into_bytes()),
    ];
    blobs.extend(
        more.iter()
            .map(|tree| (BlobKind::Tree, tree.clone().into_bytes())),
    );
    store(&vault.repository, &blobs).await;
    vault.tree = Id::of(root.as_bytes());
    let outside = vault.folder.path().join("outside");
    write(&outside, "precious", "precious");
    (vault.again().await, outside)
}

fn partial() -> RestoreOptions {
    RestoreOptions {
        allow_partial: true,
        delete: true,
        ..RestoreOptions::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_of_a_snapshot_leads_out_of_the_target() {
    for name in [
        "..",
        ".",
        "",
        "/",
        "../outside/precious",
        "/tmp/strongroom-escape",
        "a/b",
        "good/../../outside/x",
        "a\\u0000b",
    ] {
        let inner = tree(&[file("precious", b"bad")]);
        for node in [file(name, b"bad"), dir(name, &inner), link(name, "x")] {
            let root = tree(&[file("good", b"bad"), node]);
            let (vault, outside) = forged(root, std::slice::from_ref(&inner)).await;
            write(&vault.target(), "mine", "x");
            let strict = vault.restore(&RestoreOptions::default()).await.unwrap_err();
            assert_eq!(strict.kind(), ErrorKind::Refused, "{name:?}");
            let report = vault.restore(&partial()).await.unwrap();
            assert_eq!(report.problems.len(), 1, "{name:?}: {report:#?}");
            // Nothing is deleted where the snapshot's names are not to be trusted.
            assert_eq!(names(&vault.target()), ["good", "mine"], "{name:?}");
            assert_eq!(
                names(vault.folder.path()),
                ["outside", "source", "target", "vault"]
            );
            assert_eq!(names(&outside), ["precious"]);
            assert_eq!(
                std::fs::read(outside.join("precious")).unwrap(),
                b"precious"
            );
        }
    }
    assert!(!std::path::Path::new("/tmp/strongroom-escape").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_and_a_folder_of_the_same_name_do_not_lead_out() {
    let inner = tree(&[file("precious", b"bad"), file("new", b"bad")]);
    for first in [true, false] {
        let mut nodes = vec![link("way", "../outside"), dir("way", &inner)];
        if !first {
            nodes.reverse();
        }
        let (vault, outside) = forged(tree(&nodes), std::slice::from_ref(&inner)).await;
        let report = vault.restore(&partial()).await.unwrap();
        assert_eq!(report.problems.len(), 1, "{report:#?}");
        assert_eq!(report.problems[0].path, b"/way");
        assert_eq!(names(&outside), ["precious"]);
        assert_eq!(
            std::fs::read(outside.join("precious")).unwrap(),
            b"precious"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_an_earlier_snapshot_does_not_lead_out() {
    let (vault, outside) = forged(tree(&[link("way", "../outside")]), &[]).await;
    vault.restore_all().await;
    let inner = tree(&[file("precious", b"bad")]);
    let root = tree(&[dir("way", &inner)]);
    let blobs = [root.clone(), inner].map(|tree| (BlobKind::Tree, tree.into_bytes()));
    store(&vault.repository, &blobs).await;
    let mut vault = vault.again().await;
    vault.tree = Id::of(root.as_bytes());
    vault.restore_all().await;
    assert_eq!(
        std::fs::read(vault.target().join("way/precious")).unwrap(),
        b"bad"
    );
    assert_eq!(
        std::fs::read(outside.join("precious")).unwrap(),
        b"precious"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_make_no_sense_are_told() {
    let id = Id::of(b"bad");
    let nodes = [
        r#"{"name":"a-dir-without-tree","type":"dir","mode":2147484141,"content":null}"#.to_owned(),
        format!(
            r#"{{"name":"b-unknown-blob","type":"file","mode":420,"size":3,"content":["{}"]}}"#,
            Id::of(b"?")
        ),
        r#"{"name":"c-odd","type":"irregular","mode":420,"content":null}"#.to_owned(),
        // The content decides, whatever size is told.
        format!(
            r#"{{"name":"d-other-size","type":"file","mode":420,"size":99999999999999,"content":["{id}"]}}"#
        ),
        r#"{"name":"e-empty","type":"file","mode":420,"content":null}"#.to_owned(),
    ];
    let (vault, _) = forged(tree(&nodes), &[]).await;
    let report = vault.restore(&partial()).await.unwrap();
    let mut told: Vec<_> = report
        .problems
        .iter()
        .map(|problem| String::from_utf8_lossy(&problem.path).into_owned())
        .collect();
    told.sort();
    assert_eq!(told, ["/a-dir-without-tree", "/b-unknown-blob", "/c-odd"]);
    assert_eq!(
        std::fs::read(vault.target().join("d-other-size")).unwrap(),
        b"bad"
    );
    assert_eq!(std::fs::read(vault.target().join("e-empty")).unwrap(), b"");
}
