use std::collections::BTreeSet;

use serde_json::Value;
use strongroom_repository::ErrorKind;
use strongroom_repository::find::{FindOptions, ObjectQuery, find_entries, find_objects};
use strongroom_repository::format::{BlobKind, Time};
use strongroom_repository::pattern::{Case, PatternList};
use strongroom_repository::progress::Silent;
use strongroom_repository::walk::locate;
use tokio_util::sync::CancellationToken;

use crate::scene::{scene, text};

#[tokio::test(flavor = "multi_thread")]
async fn find_finds_what_restic_finds() {
    let scene = scene().await;
    let root = scene.tree.to_str().unwrap();
    let times = |oldest: &str, newest: &str| {
        let time = |text: &str| (!text.is_empty()).then(|| text.parse::<Time>().unwrap());
        (time(oldest), time(newest))
    };
    let any = times("", "");
    for (patterns, ignore_case, (oldest, newest)) in [
        (vec!["*.txt"], false, times("", "1999-09-01T01:37:08Z")),
        (vec!["*.txt"], false, times("", "1999-09-01T01:37:07Z")),
        (
            vec!["*.txt"],
            false,
            times("1999-09-01T01:37:08Z", "2001-01-01T00:00:00Z"),
        ),
        (vec!["*.txt"], false, times("1999-09-01T01:37:09Z", "")),
        (vec!["*.txt"], false, any),
        (vec!["photo.jpg"], true, any),
        (vec!["equal/*", "turns"], false, any),
        (vec!["@/a/**/x.txt"], false, any),
        (vec!["@/new"], false, any),
        (vec!["nothing"], false, any),
        (vec!["*"], false, any),
    ] {
        let patterns: Vec<String> = patterns
            .iter()
            .map(|pattern| pattern.replace('@', root))
            .collect();
        let mut arguments = vec!["find".to_owned(), "--json".into()];
        if ignore_case {
            arguments.push("--ignore-case".into());
        }
        for (flag, time) in [("--oldest", oldest), ("--newest", newest)] {
            arguments.extend(time.map(|time| {
                format!(
                    "{flag}={}",
                    time.to_string().replace('T', " ").replace('Z', " +0000")
                )
            }));
        }
        arguments.extend(patterns.iter().cloned());
        // Sorted lists, since two names that are no UTF-8 may look the same in JSON.
        let mut theirs = Vec::new();
        for group in scene.restic.run(&arguments).ok().json().as_array().unwrap() {
            for found in group["matches"].as_array().unwrap() {
                let path = found["path"].as_str().unwrap().to_owned();
                theirs.push((group["snapshot"].as_str().unwrap().to_owned(), path));
            }
        }
        let case = match ignore_case {
            true => Case::Insensitive,
            false => Case::Sensitive,
        };
        let options = FindOptions {
            patterns: PatternList::parse(&patterns, case).unwrap(),
            oldest,
            newest,
        };
        let (repository, index, cancel) =
            (&scene.repository, &scene.index, CancellationToken::new());
        let found = find_entries(
            repository,
            index,
            scene.snapshots.clone(),
            &options,
            &Silent,
            &cancel,
        );
        let mut ours = Vec::new();
        for group in found.await.unwrap() {
            assert!(group.matches.is_sorted_by(|a, b| a.path < b.path));
            let matches = group.matches.iter();
            ours.extend(matches.map(|entry| (group.snapshot.id.to_hex(), text(&entry.path))));
        }
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "{patterns:?} {oldest:?} {newest:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn find_finds_the_files_of_blobs_and_packs_as_restic_does() {
    let scene = scene().await;
    let (repository, index, cancel) = (&scene.repository, &scene.index, CancellationToken::new());
    let path = [scene.tree.as_os_str().as_encoded_bytes(), b"/b/equal"].concat();
    let tree = locate(repository, index, scene.snapshots[0].snapshot.tree, &path)
        .await
        .unwrap();
    let tree = tree.directory().unwrap();
    let nodes = repository.load_tree(index, &tree).await.unwrap().nodes;
    let blob = nodes
        .iter()
        .find(|node| node.name == b"big-again")
        .unwrap()
        .content
        .as_ref()
        .unwrap()[0];
    let location = index.locate(BlobKind::Data, &blob).unwrap();
    for (flag, id, query) in [
        (
            "--blob",
            blob.to_hex(),
            ObjectQuery::Blobs(vec![blob.to_hex()]),
        ),
        (
            "--blob",
            blob.short(),
            ObjectQuery::Blobs(vec![blob.short()]),
        ),
        (
            "--tree",
            tree.to_hex(),
            ObjectQuery::Trees(vec![tree.short()]),
        ),
        (
            "--pack",
            location.pack.to_hex(),
            ObjectQuery::Packs(vec![location.pack.to_hex()]),
        ),
    ] {
        let theirs = scene.restic.run(["find", "--json", flag, &id]).ok();
        let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let theirs: BTreeSet<_> = theirs
            .json()
            .as_array()
            .unwrap()
            .iter()
            .map(|found| {
                ["object_type", "id", "path", "parent_tree", "snapshot"]
                    .map(|name| string(&found[name]))
            })
            .collect();
        assert!(!theirs.is_empty(), "{flag} {id}");
        let found = find_objects(
            repository,
            index,
            &scene.snapshots,
            &query,
            &Silent,
            &cancel,
        )
        .await
        .unwrap();
        let ours: BTreeSet<_> = found
            .iter()
            .map(|found| {
                let kind = match found.kind {
                    BlobKind::Data => "blob",
                    BlobKind::Tree => "tree",
                };
                let parent = found.parent_tree.map(|id| id.to_hex()).unwrap_or_default();
                let snapshot = scene.snapshots[found.snapshot].id.to_hex();
                [
                    kind.to_owned(),
                    found.id.to_hex(),
                    text(&found.path),
                    parent,
                    snapshot,
                ]
            })
            .collect();
        // restic stops at the first place of a tree.
        match flag {
            "--tree" => assert!(ours.is_superset(&theirs), "{ours:?} {theirs:?}"),
            _ => assert_eq!(ours, theirs, "{flag} {id}"),
        }
    }
    let missing = ObjectQuery::Packs(vec!["0123456789".into()]);
    let missing = find_objects(
        repository,
        index,
        &scene.snapshots,
        &missing,
        &Silent,
        &cancel,
    )
    .await;
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
}
