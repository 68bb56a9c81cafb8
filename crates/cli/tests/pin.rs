//! `strongroom pin` and `unpin`.

#![allow(clippy::unwrap_used)]

mod vault;

use strongroom_testkit::strongroom;
use vault::Vault;

fn three(vault: &Vault) -> Vec<String> {
    let backup = |day: u8| {
        std::fs::write(vault.path("source/one.txt"), format!("day {day}")).unwrap();
        let time = format!("2024-05-{day:02} 12:00:00");
        let told = vault
            .run(&["backup", "--json", "source", "--time", &time])
            .ok();
        let id = told.json_message("summary")["snapshot_id"].clone();
        id.as_str().unwrap().to_owned()
    };
    (1..=3).map(backup).collect()
}

#[test]
fn a_pinned_snapshot_is_not_forgotten_by_policy_or_name_until_it_is_unpinned() {
    let vault = Vault::new(strongroom!());
    let ids = three(&vault);
    let note = "tax 2024, do not touch";
    let told = vault
        .run(&["pin", &ids[0], "--until", "2y", "--note", note, "--json"])
        .ok();
    let changed = told.json_message("changed");
    assert_eq!(changed["old_snapshot_id"], ids[0].as_str());
    let pinned = changed["new_snapshot_id"].as_str().unwrap().to_owned();
    let again = vault
        .run(&["pin", &pinned, "--until", "1999-01-01"])
        .expect_code(2);
    assert!(again.stderr_text().contains("has passed"), "{again}");
    vault
        .run(&["pin", &pinned, "--until", "soon"])
        .expect_code(2);
    vault.run(&["pin"]).expect_code(2);

    let shown = vault.run(&["snapshots"]).ok();
    assert!(shown.stdout_text().contains("pinned until 20"), "{shown}");
    assert!(shown.stdout_text().contains(note), "{shown}");
    let json = vault.run(&["snapshots", "--json", &pinned]).ok().json();
    assert_eq!(json[0]["pin"]["note"], note);

    let named = vault.run(&["forget", &pinned, "--yes"]).expect_code(26);
    assert!(named.stderr_text().contains("unpin"), "{named}");
    let policy = vault.run(&["forget", "--keep-last", "1", "--yes"]).ok();
    assert!(policy.stdout_text().contains("pinned until"), "{policy}");
    let set = vault
        .run(&["tag", "--set", "other", "latest", &pinned])
        .ok();
    assert!(
        set.stderr_text().contains("1 snapshot stay pinned"),
        "{set}"
    );
    let left = vault.restic().snapshots();
    assert_eq!(left.len(), 2);
    assert_eq!(left[0]["original"], ids[0].as_str());
    // restic sees the pin as well.
    let keep = ["forget", "--keep-tag", "pinned", "--group-by", ""];
    vault.restic().run(keep).ok();
    assert_eq!(vault.restic().snapshots().len(), 1);

    let pinned = vault.restic().snapshot_ids().remove(0);
    vault.run(&["unpin", &pinned[..10]]).ok();
    let tags = vault.restic().snapshots()[0]["tags"].clone();
    assert_eq!(tags, serde_json::json!(["other"]));
    vault.run(&["unpin", "latest"]).ok();
    vault
        .run(&["forget", &vault.restic().snapshot_ids()[0], "--yes"])
        .ok();
    assert!(vault.restic().snapshot_ids().is_empty());
    vault.restic().check_read_data();
}

/// A pin that another program wrote wrongly is a pin.
#[test]
fn a_pin_with_a_date_that_cannot_be_read_is_warned_of_and_holds() {
    let vault = Vault::new(strongroom!());
    let ids = three(&vault);
    let odd = "pinned-until:next summer";
    vault.restic().run(["tag", "--add", odd, &ids[0]]).ok();
    let kept = vault.run(&["forget", "--keep-last", "1", "--yes"]).ok();
    assert!(kept.stderr_text().contains("next summer"), "{kept}");
    assert_eq!(vault.restic().snapshots().len(), 2);
}
