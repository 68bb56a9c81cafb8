//! Damaged parity: it costs nothing but its protection, and that can be made anew.

use crate::action::Action;
use crate::own::{Cell, OwnScene, paths};
use crate::table::assert_table;

const HEAD: &str = "| what | what happened | `check` | `repair files --read-data` | `restore latest` | packs are lost as well, `repair files` | the same after `parity create` | the same after `repair files --read-data` and `parity create` |";

fn told(cell: &Cell, args: &[&str]) -> String {
    let ran = cell.run(args).ok();
    let told = ran.stdout_text() + &ran.stderr_text();
    let is_told = [
        "of parity cannot be read",
        "of parity lack",
        "protects nothing",
        "parity has",
        "missing or of another length in parity",
    ];
    match is_told.iter().any(|words| told.contains(words)) {
        true => "told".into(),
        false => "no word".into(),
    }
}

/// The packs of the first backup are lost: what parity brings back of the latest snapshot.
fn lose_packs(scene: &OwnScene, cell: &Cell) -> String {
    cell.lose(&paths(&scene.vault.path("before"), "data"));
    let ran = cell.run(&["repair", "files", "--read-data", "--yes"]);
    assert!([0, 21].contains(&ran.code), "{ran}");
    cell.restore("latest", &["--allow-partial-restore"])
}

fn row(scene: &OwnScene, object: &str, action: Action) -> String {
    let ending = match object {
        "descriptor of a group" => ".group",
        _ => ".parity",
    };
    let file = |number: usize| {
        let mut names = scene.names[number].iter();
        names.find(|name| name.ends_with(ending)).unwrap()
    };
    let cell = |copy: &str| {
        let label = format!("{object} {} {copy}", action.name());
        scene.cell(&label, action, file(0), file(1))
    };
    let (damaged, created, repaired) = (cell("damaged"), cell("created"), cell("repaired"));
    created.run(&["parity", "create"]).ok();
    repaired
        .run(&["repair", "files", "--read-data", "--yes"])
        .ok();
    repaired.run(&["parity", "create"]).ok();
    let cells = [
        object.to_owned(),
        action.name().to_owned(),
        told(&damaged, &["check"]),
        told(&damaged, &["repair", "files", "--read-data", "--dry-run"]),
        damaged.restore("latest", &[]),
        // The last: it changes the repository.
        lose_packs(scene, &damaged),
        lose_packs(scene, &created),
        lose_packs(scene, &repaired),
    ];
    format!("| {} |", cells.join(" | "))
}

/// If a cell were wrong, somebody would rely on parity that brings nothing back.
#[test]
fn damaged_parity_costs_its_protection_and_no_more() {
    let scene = OwnScene::new("strongroom/parity", &[], |vault| {
        vault.run(&["parity", "create", "--percent", "50"]).ok();
    });
    let mut rows = Vec::new();
    for object in ["descriptor of a group", "parity file"] {
        let actions = Action::ALL.into_iter();
        let actions = actions.filter(|action| object == "parity file" || *action != Action::Older);
        rows.extend(actions.map(|action| row(&scene, object, action)));
    }
    assert_table(HEAD, &rows);
}
