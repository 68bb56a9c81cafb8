//! Damaged signatures: they cost no data, and whoever asks for them is told.

use crate::action::Action;
use crate::own::{Cell, OwnScene};
use crate::table::assert_table;

const HEAD: &str = "| what | what happened | `check` | `check --verify-key` | on a machine that sees it first | `restore latest` | `--require-signatures` | the next signed backup | `sign accept`, `sign snapshots` |";

const SIGN: [&str; 2] = ["--sign-key", "sign.pem"];
const VERIFY: [&str; 2] = ["--verify-key", "public.pem"];
const DEMAND: [&str; 3] = ["--verify-key", "public.pem", "--require-signatures"];

fn check(cell: &Cell, memory: &str, args: &[&str]) -> String {
    let ran = cell.run_with_memory(memory, &[&["check"], args].concat());
    let told = ran.stdout_text() + &ran.stderr_text();
    match ran.code {
        0 if told.contains("not signed") => "a hint".into(),
        0 => "no error".into(),
        22 => "found (22)".into(),
        _ => panic!("{ran}"),
    }
}

fn row(scene: &OwnScene, object: &str, number: usize, action: Action) -> String {
    let [first, second] = &scene.names;
    let (file, other) = match number {
        0 => (&first[0], &second[0]),
        _ => (&second[0], &first[0]),
    };
    let cell = |copy: &str| {
        let label = format!("{object} {} {copy}", action.name());
        let cell = scene.cell(&label, action, file, other);
        cell.remember(&scene.vault.path("state"));
        cell
    };
    let (damaged, accepted) = (cell("damaged"), cell("accepted"));
    let next = {
        let ran = damaged_backup(&cell("backed up"));
        ran.unwrap_or_else(|code| format!("refused ({code})"))
    };
    let cells = [
        object.to_owned(),
        action.name().to_owned(),
        check(&damaged, "state", &[]),
        check(&damaged, "state", &VERIFY),
        check(&damaged, "other", &VERIFY),
        damaged.restore("latest", &[]),
        damaged.restore("latest", &DEMAND),
        next,
        accept(&accepted),
    ];
    format!("| {} |", cells.join(" | "))
}

/// Whether the new snapshot is one that a restore takes which demands signatures.
fn damaged_backup(cell: &Cell) -> Result<String, i32> {
    let ran = cell.run(&[&SIGN[..], &["backup", "--json", "source"]].concat());
    if ran.code != 0 {
        return Err(ran.code);
    }
    let id = ran.json_message("summary")["snapshot_id"].clone();
    Ok(cell.restore(id.as_str().unwrap(), &DEMAND))
}

/// What is accepted after somebody has looked at it is no finding any more.
fn accept(cell: &Cell) -> String {
    for command in ["accept", "snapshots"] {
        let ran = cell.run(&[&SIGN[..], &["sign", command, "--yes"]].concat());
        if ran.code != 0 {
            return format!("refused ({})", ran.code);
        }
    }
    let verdict = check(cell, "state", &VERIFY);
    match &*verdict {
        "no error" => cell.restore("latest", &DEMAND),
        verdict => format!("check: {verdict}"),
    }
}

/// If a cell were wrong, damage would pass for an attack that costs the data, or an attack for nothing.
#[test]
fn damaged_signatures_cost_no_data() {
    let scene = OwnScene::new("strongroom/signatures", &SIGN, |_| {});
    // What this machine has seen: kept by the commands themselves.
    let seen = scene
        .vault
        .program
        .command([&["check", "--no-cache"][..], &VERIFY].concat())
        .env("STRONGROOM_STATE_DIR", scene.vault.path("state"))
        .status();
    assert!(seen.unwrap().success());
    let mut rows = Vec::new();
    for (number, object) in ["an earlier statement", "the newest statement"]
        .into_iter()
        .enumerate()
    {
        let actions = Action::ALL.into_iter();
        // The folder of an earlier day is the same for both.
        let actions = actions.filter(|action| number == 1 || *action != Action::Older);
        rows.extend(actions.map(|action| row(&scene, object, number, action)));
    }
    assert_table(HEAD, &rows);
}
