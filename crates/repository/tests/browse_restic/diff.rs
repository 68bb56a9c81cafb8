use serde_json::Value;
use strongroom_repository::diff::{Change, DiffFigures, DiffOptions, diff};
use strongroom_repository::progress::Silent;
use tokio_util::sync::CancellationToken;

use crate::scene::{lines, scene, text};

fn figures(value: &Value) -> DiffFigures {
    let number = |name: &str| value[name].as_u64().unwrap();
    DiffFigures {
        files: number("files"),
        dirs: number("dirs"),
        others: number("others"),
        data_blobs: number("data_blobs"),
        tree_blobs: number("tree_blobs"),
        bytes: number("bytes"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn diff_shows_what_restic_shows() {
    let scene = scene().await;
    let (repository, index, cancel) = (&scene.repository, &scene.index, CancellationToken::new());
    for (from, to) in [(0, 1), (1, 0), (1, 2), (0, 2), (2, 2)] {
        for metadata in [false, true] {
            let (from, to) = (&scene.snapshots[from], &scene.snapshots[to]);
            let mut arguments = vec![
                "diff".to_owned(),
                "--json".into(),
                from.id.to_hex(),
                to.id.to_hex(),
            ];
            if metadata {
                arguments.push("--metadata".into());
            }
            let theirs = lines(&scene.restic.run(&arguments).ok());
            let (statistics, changes) = theirs.split_last().unwrap();
            let theirs: Vec<_> = changes
                .iter()
                .map(|line| {
                    (
                        line["path"].as_str().unwrap().to_owned(),
                        line["modifier"].as_str().unwrap().to_owned(),
                    )
                })
                .collect();
            let mut ours = Vec::new();
            let mut show = |change: Change| {
                ours.push((text(&change.path), change.modifier.to_string()));
            };
            let (before, after) = (from.snapshot.tree, to.snapshot.tree);
            let options = DiffOptions { metadata };
            let report = diff(
                repository, index, before, after, options, &mut show, &Silent, &cancel,
            );
            let report = report.await.unwrap();
            assert_eq!(ours, theirs);
            assert_eq!(
                report.changed_files,
                statistics["changed_files"].as_u64().unwrap()
            );
            assert_eq!(
                report.added,
                figures(&statistics["added"]),
                "added, metadata: {metadata}"
            );
            assert_eq!(
                report.removed,
                figures(&statistics["removed"]),
                "removed, metadata: {metadata}"
            );
        }
    }
}
