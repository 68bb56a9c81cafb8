//! Prune beside restic's: the same figures for the same repository, and each program reads what the other pruned.

use std::collections::BTreeMap;

use strongroom_repository::check::ReadData;
use strongroom_repository::prune::{Amounts, MaxUnused, PruneFigures, PruneOptions};
use strongroom_testkit::engine_backup::backup;
use strongroom_testkit::{CompareOptions, Corpus, Part, assert_same_trees};

use strongroom_storage::Storage;

use crate::fixture::{
    Fixture, assert_sound, check, copy_file, copy_files, files, in_memory, plan, prune,
};

/// Five snapshots, of which three are forgotten: data, trees and whole packs that nobody needs any more.
fn forgotten(version: u32, args: &[&str]) -> Fixture {
    let fixture = Fixture::new(version);
    fixture.write("alone", 99, 500_000);
    fixture.restic.backup_with(args, &[&fixture.source()]);
    std::fs::remove_file(fixture.source().join("alone")).unwrap();
    for round in 0..4_u64 {
        for name in 0..6_u64 {
            if name % 3 == round % 3 || round == 0 {
                fixture.write(
                    &format!("dir{name}/file"),
                    round * 10 + name,
                    200_000 + 40_000 * name as usize,
                );
            }
        }
        fixture.write(&format!("only{round}"), 100 + round, 900_000);
        fixture.restic.backup_with(args, &[&fixture.source()]);
        std::fs::remove_file(fixture.source().join(format!("only{round}"))).unwrap();
    }
    let ids = fixture.restic.snapshot_ids();
    fixture
        .restic
        .run(["forget", &ids[0], &ids[2], &ids[3]])
        .ok();
    fixture
}

/// The lines `name: 12 blobs / 3.456 MiB` and `name: 12 packs` that restic prints.
fn printed(text: &str) -> BTreeMap<String, (u64, String)> {
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let Some((name, rest)) = line.split_once(':') else {
            continue;
        };
        let words: Vec<&str> = rest.split_whitespace().collect();
        if let [count, "blobs", "/", number, unit, ..] = words[..] {
            found.insert(
                name.trim().to_owned(),
                (count.parse().unwrap(), format!("{number} {unit}")),
            );
        } else if let [count, "packs", ..] = words[..] {
            let name = format!("{} packs", name.trim());
            found.insert(name, (count.parse().unwrap(), String::new()));
        } else if let [count] = words[..]
            && let Ok(count) = count.parse()
        {
            found.insert(name.trim().to_owned(), (count, String::new()));
        }
    }
    found
}

fn shown(bytes: u64) -> String {
    let in_units = |unit: u64| bytes as f64 / unit as f64;
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.3} KiB", in_units(1 << 10)),
        1_048_576..1_073_741_824 => format!("{:.3} MiB", in_units(1 << 20)),
        _ => format!("{:.3} GiB", in_units(1 << 30)),
    }
}

#[track_caller]
fn assert_same_figures(ours: &PruneFigures, theirs: &str, options: &str) {
    let theirs_by_name = printed(theirs);
    let blobs = |amounts: Amounts| (amounts.blobs, shown(amounts.bytes));
    let packs = |count: u64| (count, String::new());
    let expected = [
        ("used", blobs(ours.used)),
        ("duplicates", blobs(ours.duplicate)),
        ("unused", blobs(ours.unused)),
        ("total", blobs(ours.total())),
        ("to repack", blobs(ours.repack)),
        ("this removes", blobs(ours.repack_removes)),
        ("to delete", blobs(ours.remove)),
        ("total prune", blobs(ours.removed())),
        ("remaining", blobs(ours.remaining())),
        ("to keep packs", packs(ours.packs_keep)),
        ("to repack packs", packs(ours.packs_repack)),
        ("to delete packs", packs(ours.packs_remove)),
        ("totally used packs", packs(ours.packs_used)),
        ("partly used packs", packs(ours.packs_partly_used)),
        ("unused packs", packs(ours.packs_unused)),
    ];
    for (name, figure) in expected {
        // restic leaves out what is zero.
        let none = if name.ends_with("packs") {
            packs(0)
        } else {
            blobs(Amounts::default())
        };
        let found = theirs_by_name.get(name).unwrap_or(&none);
        assert_eq!(found, &figure, "{options}: {name}\n{theirs}\n{ours:#?}");
    }
}

fn options() -> Vec<(Vec<&'static str>, PruneOptions)> {
    let with = |max_unused| PruneOptions {
        max_unused,
        ..PruneOptions::default()
    };
    vec![
        (vec![], PruneOptions::default()),
        (vec!["--max-unused", "0"], with(MaxUnused::Bytes(0))),
        (vec!["--max-unused", "30%"], with(MaxUnused::Percent(30.0))),
        (
            vec!["--max-unused", "unlimited"],
            with(MaxUnused::Unlimited),
        ),
        (
            vec!["--max-unused", "0", "--max-repack-size", "2M"],
            PruneOptions {
                max_repack_bytes: Some(2 << 20),
                ..with(MaxUnused::Bytes(0))
            },
        ),
        (
            vec!["--max-unused", "0", "--repack-cacheable-only"],
            PruneOptions {
                repack_cacheable_only: true,
                ..with(MaxUnused::Bytes(0))
            },
        ),
        (
            vec!["--repack-small"],
            PruneOptions {
                repack_small: true,
                ..PruneOptions::default()
            },
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn our_plan_has_restics_figures() {
    for version in [1, 2] {
        let fixture = forgotten(version, &[]);
        let repository = fixture.open().await;
        for (args, options) in options() {
            let ran = fixture
                .restic
                .run(
                    ["prune", "--dry-run", "-vv", "--no-cache"]
                        .iter()
                        .chain(&args),
                )
                .ok();
            let ours = plan(&repository, &options).await.unwrap();
            assert_same_figures(
                ours.figures(),
                &ran.stdout_text(),
                &format!("version {version} {args:?}"),
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn restic_checks_and_restores_what_we_pruned() {
    for version in [1, 2] {
        let fixture = forgotten(version, &[]);
        let repository = fixture.open().await;
        let options = PruneOptions {
            max_unused: MaxUnused::Bytes(0),
            ..PruneOptions::default()
        };
        let before = plan(&repository, &options).await.unwrap();
        assert!(before.figures().packs_repack > 0 && before.figures().packs_remove > 0);
        prune(&repository, &options).await.unwrap();
        fixture.restic.check_read_data();
        let target = fixture.dir.path().join("target");
        fixture
            .restic
            .restore_folder("latest", &fixture.source(), &target);
        std::fs::remove_file(target.join("only3")).unwrap();
        assert_same_trees(
            &fixture.source(),
            &target,
            &CompareOptions {
                root: false,
                ..CompareOptions::default()
            },
        );
        let report = check(&repository, ReadData::All).await;
        assert_sound(&report, "pruned");
        assert_eq!(report.hints, []);
        assert_eq!(report.figures.blobs, report.figures.blobs_used);
        let after = plan(&repository, &options).await.unwrap();
        assert!(after.figures().is_nothing(), "{after:?}");
        assert_eq!(
            after.figures().total().blobs,
            before.figures().remaining().blobs
        );
        let theirs = fixture
            .restic
            .run([
                "prune",
                "--dry-run",
                "-vv",
                "--max-unused",
                "0",
                "--no-cache",
            ])
            .ok();
        assert_same_figures(after.figures(), &theirs.stdout_text(), "afterwards");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn we_check_what_we_wrote_and_restic_pruned() {
    let fixture = Fixture::new(2);
    let tree = fixture.source().join("corpus");
    Corpus::small(5)
        .without(Part::BeyondRestic)
        .grow(&tree)
        .unwrap();
    let repository = fixture.open().await;
    backup(&repository, &tree, None).await;
    std::fs::remove_dir_all(tree.join(Part::Names.folder())).unwrap();
    let second = backup(&repository, &tree, None).await;
    fixture
        .restic
        .forget_prune(["--keep-last", "1", "--max-unused", "0"]);
    let report = check(&repository, ReadData::All).await;
    assert_sound(&report, "pruned by restic");
    assert_eq!(report.figures.snapshots, 1);
    // And once more the other way round: we prune what restic pruned.
    prune(
        &repository,
        &PruneOptions {
            max_unused: MaxUnused::Bytes(0),
            ..PruneOptions::default()
        },
    )
    .await
    .unwrap();
    fixture.restic.check_read_data();
    let target = fixture.dir.path().join("target");
    fixture
        .restic
        .restore_folder(&second.snapshot_id.unwrap().to_hex(), &tree, &target);
    assert_same_trees(
        &tree,
        &target,
        &CompareOptions {
            root: false,
            ..CompareOptions::default()
        },
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_version_1_left_uncompressed_is_compressed_where_asked() {
    let fixture = Fixture::two_snapshots(1).0;
    fixture.restic.run(["migrate", "upgrade_repo_v2"]).ok();
    let repository = fixture.open().await;
    let options = PruneOptions {
        repack_uncompressed: true,
        ..PruneOptions::default()
    };
    let before = plan(&repository, &options).await.unwrap();
    let theirs = fixture
        .restic
        .run([
            "prune",
            "--dry-run",
            "-vv",
            "--no-cache",
            "--repack-uncompressed",
        ])
        .ok();
    assert_same_figures(
        before.figures(),
        &theirs.stdout_text(),
        "--repack-uncompressed",
    );
    prune(&repository, &options).await.unwrap();
    let after = plan(&repository, &options).await.unwrap();
    assert_eq!(after.figures().uncompressed_bytes, 0);
    assert!(after.figures().is_nothing());
    assert!(after.figures().total().bytes * 10 < before.figures().total().bytes * 9);
    fixture.restic.check_read_data();
}

/// Blobs that two backups at the same time have both stored, and packs of one that was killed.
#[tokio::test(flavor = "multi_thread")]
async fn duplicates_and_packs_in_no_index_are_counted_as_restic_counts_them() {
    let fixture = forgotten(2, &[]);
    let before = in_memory(&fixture.path()).await;
    fixture.write("twice", 77, 700_000);
    fixture.backup();
    let first = in_memory(&fixture.path()).await;
    let path = fixture.path();
    std::fs::remove_dir_all(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    copy_files(&before, &*fixture.storage()).await;
    fixture.backup();
    fixture.write("killed", 78, 300_000);
    for path in files(&first, "").await {
        if !before
            .list(None)
            .await
            .unwrap()
            .iter()
            .any(|file| file.path == path)
        {
            copy_file(&first, &*fixture.storage(), &path).await;
        }
    }
    let whole = in_memory(&path).await;
    fixture.backup();
    for path in ["index", "snapshots"] {
        for path in files(&*fixture.storage(), path).await {
            if whole.stat(&path).await.is_err() {
                fixture.storage().delete(&path).await.unwrap();
            }
        }
    }
    let repository = fixture.open().await;
    let planned = plan(&repository, &PruneOptions::default()).await.unwrap();
    let ours = planned.figures();
    assert!(
        ours.duplicate.blobs > 0 && ours.packs_unreferenced > 0,
        "{ours:?}"
    );
    let theirs = fixture
        .restic
        .run(["prune", "--dry-run", "-vv", "--no-cache"])
        .ok()
        .stdout_text();
    let theirs_by_name = printed(&theirs);
    let shown = |amounts: Amounts| (amounts.blobs, shown(amounts.bytes));
    assert_eq!(theirs_by_name["used"], shown(ours.used), "{theirs}");
    assert_eq!(
        theirs_by_name["duplicates"],
        shown(ours.duplicate),
        "{theirs}"
    );
    assert_eq!(theirs_by_name["unused"], shown(ours.unused), "{theirs}");
    assert_eq!(theirs_by_name["total"], shown(ours.total()), "{theirs}");
    let options = PruneOptions {
        max_unused: MaxUnused::Bytes(0),
        ..PruneOptions::default()
    };
    prune(&repository, &options).await.unwrap();
    fixture.restic.check_read_data();
    let after = plan(&repository, &options).await.unwrap();
    assert!(after.figures().is_nothing());
    assert_eq!(after.figures().total(), after.figures().used);
}

/// Every backup leaves an index file; years of them would make each command wait for thousands of requests.
#[tokio::test(flavor = "multi_thread")]
async fn many_small_index_files_become_one() {
    let fixture = Fixture::new(2);
    for round in 0..14 {
        fixture.write(&format!("file{round}"), round, 30_000);
        fixture.backup();
    }
    let repository = fixture.open().await;
    let count = async || files(&*fixture.storage(), "index").await.len();
    // Whole packs alone, so that most index files name nothing that goes.
    let options = PruneOptions {
        max_repack_bytes: Some(0),
        ..PruneOptions::default()
    };
    let before = plan(&repository, &options).await.unwrap();
    assert_eq!(
        (count().await, before.figures().indexes_replace),
        (14, 0),
        "there is nothing to prune yet"
    );
    let ids = fixture.restic.snapshot_ids();
    fixture.restic.run(["forget", &ids[5]]).ok();
    let planned = plan(&repository, &options).await.unwrap();
    assert_eq!(planned.figures().packs_remove, 1);
    assert_eq!(planned.figures().indexes_replace, 14);
    prune(&repository, &options).await.unwrap();
    assert_eq!(count().await, 1);
    fixture.restic.check_read_data();
    assert_sound(&check(&repository, ReadData::All).await, "merged");
}
