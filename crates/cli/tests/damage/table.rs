//! The table of the document.

use std::path::Path;

use crate::action::Action;
use crate::scene::Object;
use crate::verdict::Verdicts;

const HEAD: &str = "| what | what happened | `check` | `check --read-data` | `restore latest` | `--allow-partial-restore` | the next backup | repair | repair and a backup |";

/// Fails unless the document has the table of the matrix with these rows and no others.
pub fn assert_documented(rows: &[(Object, Action, Verdicts)]) {
    let rows: Vec<String> = rows.iter().map(row).collect();
    assert_table(HEAD, &rows);
}

/// Fails unless the document has a table with this head and these rows.
pub fn assert_table(head: &str, found: &[String]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/damage.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().skip_while(|line| *line != head);
    let is_there = lines.next().is_some();
    let documented: Vec<&str> = lines
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .collect();
    let differs = |n: &usize| documented.get(*n) != found.get(*n).map(String::as_str).as_ref();
    let wrong: Vec<usize> = (0..documented.len().max(found.len()))
        .filter(differs)
        .collect();
    if is_there && wrong.is_empty() {
        return;
    }
    let differing = wrong.iter().map(|n| {
        let (theirs, ours) = (documented.get(*n), found.get(*n));
        format!(
            "- {}\n+ {}",
            theirs.unwrap_or(&""),
            ours.map_or("", |row| row)
        )
    });
    panic!(
        "docs/damage.md says something else:\n{}\nthe whole table is\n{head}\n{}",
        differing.collect::<Vec<_>>().join("\n"),
        found.join("\n")
    );
}

fn row((object, action, verdicts): &(Object, Action, Verdicts)) -> String {
    let cells = [
        object.name(),
        action.name(),
        &verdicts.check,
        &verdicts.check_read_data,
        &verdicts.restore,
        &verdicts.partial_restore,
        &verdicts.next_backup,
        &verdicts.repair,
        &verdicts.repair_and_backup,
    ];
    format!("| {} |", cells.join(" | "))
}
