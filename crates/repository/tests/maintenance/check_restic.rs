//! A check beside restic's: a false alarm would teach people to ignore it.

use serde_json::Value;
use strongroom_repository::check::{FindingKind, ReadData};
use strongroom_testkit::Corpus;
use strongroom_testkit::engine_backup::backup;

use crate::fixture::{Fixture, assert_sound, check, in_memory, overwrite};

#[tokio::test(flavor = "multi_thread")]
async fn what_restic_wrote_is_sound() {
    for version in [1, 2] {
        let (fixture, _) = Fixture::two_snapshots(version);
        let repository = fixture.open().await;
        let report = check(&repository, ReadData::All).await;
        assert_sound(&report, "written by restic");
        assert_eq!(report.hints, []);
        let packs = fixture.restic.list("packs").len() as u64;
        let blobs = fixture.restic.list("blobs").len() as u64;
        assert_eq!(
            (report.figures.packs, report.figures.packs_read),
            (packs, packs)
        );
        assert_eq!(
            (report.figures.blobs, report.figures.blobs_used),
            (blobs, blobs)
        );
        assert_eq!(report.figures.snapshots, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_we_wrote_of_everything_a_file_system_holds_is_sound() {
    let fixture = Fixture::new(2);
    let tree = fixture.source().join("corpus");
    Corpus::small(9).grow(&tree).unwrap();
    let repository = fixture.open().await;
    backup(&repository, &tree, None).await;
    let report = check(&repository, ReadData::All).await;
    assert_sound(&report, "written by us");
    assert!(report.figures.trees > 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_summary_has_restics_fields_and_values() {
    let (fixture, _) = Fixture::two_snapshots(2);
    let compare = async |sound: bool| {
        let ran = fixture
            .restic
            .run(["check", "--json", "--no-cache", "--read-data"]);
        assert_eq!(ran.code == 0, sound, "{ran}");
        let mut theirs = ran.json_message("summary");
        theirs.as_object_mut().unwrap().remove("message_type");
        let report = check(&fixture.open().await, ReadData::All).await;
        (theirs, serde_json::to_value(report.summary()).unwrap())
    };
    let (theirs, ours) = compare(true).await;
    assert_eq!(theirs, ours);
    // One flipped bit in one pack.
    let pack = crate::fixture::files(&*fixture.storage(), "data")
        .await
        .remove(0);
    overwrite(&*fixture.storage(), &pack, |content| content[20] ^= 1).await;
    let (theirs, ours) = compare(false).await;
    for field in ["broken_packs", "suggest_repair_index", "suggest_prune"] {
        assert_eq!(theirs[field], ours[field], "{field}: {theirs} {ours}");
    }
    assert_ne!(ours["num_errors"], Value::from(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn packs_in_no_index_are_a_hint_as_in_restic() {
    let (fixture, _) = Fixture::two_snapshots(2);
    let whole = in_memory(&fixture.path()).await;
    let index = crate::fixture::files(&whole, "index").await.remove(0);
    // Without the snapshots nothing needs what the removed index file named.
    for snapshot in crate::fixture::files(&whole, "snapshots").await {
        strongroom_storage::Storage::delete(&whole, &snapshot)
            .await
            .unwrap();
    }
    strongroom_storage::Storage::delete(&whole, &index)
        .await
        .unwrap();
    let (_dir, restic) = crate::fixture::on_disk(&whole).await;
    let theirs = restic
        .run(["check", "--json", "--no-cache"])
        .ok()
        .json_message("summary");
    let repository = strongroom_testkit::engine::open_repository(std::sync::Arc::new(whole)).await;
    let report = check(&repository, ReadData::Nothing).await;
    assert_sound(&report, "packs without index");
    assert!(!report.hints.is_empty());
    assert!(
        report
            .hints
            .iter()
            .all(|hint| matches!(hint.kind, FindingKind::PackUnreferenced { .. }))
    );
    assert_eq!(
        theirs["suggest_prune"],
        Value::from(report.summary().suggest_prune)
    );
}

/// A pack that an upload left empty or short, and said that all was well: the check that everybody runs, which reads no
/// data, must find it (story T-21).
#[tokio::test(flavor = "multi_thread")]
async fn t21_a_short_pack_is_found_without_reading_data() {
    let (fixture, _) = Fixture::two_snapshots(2);
    let whole = in_memory(&fixture.path()).await;
    for path in crate::fixture::files(&whole, "data").await {
        for left in [0, 1, 1000] {
            let damaged = whole.fork();
            overwrite(&damaged, &path, |content| content.truncate(left)).await;
            let repository =
                strongroom_testkit::engine::open_repository(std::sync::Arc::new(damaged)).await;
            let report = check(&repository, ReadData::Nothing).await;
            let pack: strongroom_repository::format::Id = path.file_name().parse().unwrap();
            assert_eq!(report.broken_packs(), [pack], "{path} cut to {left} bytes");
            assert!(!report.affected.is_empty(), "{path} cut to {left} bytes");
        }
    }
}
