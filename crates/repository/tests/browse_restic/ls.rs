use std::sync::Arc;

use strongroom_repository::ls::{ListOptions, Listing};
use strongroom_repository::walk::Step;
use tokio_util::sync::CancellationToken;

use crate::scene::{lines, scene, text};

#[tokio::test(flavor = "multi_thread")]
async fn ls_lists_what_restic_lists() {
    let scene = scene().await;
    let root = scene.tree.to_str().unwrap();
    let snapshot = &scene.snapshots[1];
    let at = |path: &str| format!("{root}/{path}");
    for (directories, recursive) in [
        (vec![], false),
        (vec![at("a")], false),
        (vec![at("a")], true),
        (vec![at("corpus/names"), at("b/equal")], true),
        (vec![at("a"), at("new/one")], false),
        (vec!["/".to_owned()], false),
        (vec![at("nowhere")], true),
    ] {
        let mut arguments = vec!["ls".to_owned(), "--json".into(), snapshot.id.to_hex()];
        if recursive {
            arguments.push("--recursive".into());
        }
        arguments.extend(directories.iter().cloned());
        let theirs: Vec<(String, String)> = lines(&scene.restic.run(&arguments).ok())
            .iter()
            .filter(|line| line["message_type"] == "node")
            .map(|line| {
                (
                    line["path"].as_str().unwrap().into(),
                    line["type"].as_str().unwrap().into(),
                )
            })
            .collect();
        let options = ListOptions {
            directories: directories
                .iter()
                .map(|dir| dir.clone().into_bytes())
                .collect(),
            recursive,
        };
        let (repository, index) = (scene.repository.clone(), Arc::clone(&scene.index));
        let cancel = CancellationToken::new();
        let mut listing = Listing::new(repository, index, snapshot.snapshot.tree, options, cancel);
        let mut ours = Vec::new();
        while let Some(step) = listing.next().await.unwrap() {
            match step {
                Step::Entry(entry) => {
                    ours.push((text(&entry.path), entry.node.kind.as_str().to_owned()))
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(ours, theirs, "{directories:?}, recursive: {recursive}");
    }
}
