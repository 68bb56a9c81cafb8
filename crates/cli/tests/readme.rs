//! A new user types what README says. If a line of it does not work, they leave, or worse, back up by guesswork.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;

use strongroom_testkit::{Ran, strongroom};

const README: &str = include_str!("../../../README.md");

/// The commands of a section, without comments, in their order.
fn commands_of(section: &str) -> Vec<String> {
    let (_, rest) = README
        .split_once(&format!("\n## {section}\n"))
        .expect("the section");
    let text = rest.split("\n## ").next().unwrap();
    let blocks = text
        .split("```sh\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap());
    let lines = blocks.flat_map(str::lines);
    lines
        .map(|line| line.split("  #").next().unwrap().trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

#[test]
fn every_command_of_run_it_works_in_its_order() {
    let program = strongroom!();
    let project = program.home().join("project");
    fs::create_dir_all(project.join("src")).unwrap();
    fs::write(project.join("README.md"), README).unwrap();
    fs::write(project.join("Cargo.toml"), "[workspace]\n").unwrap();
    fs::write(project.join("src/main.rs"), "fn main() {}\n").unwrap();

    // Two snapshots for diff, and nobody is there to answer the question of forget.
    let ids = "$(strongroom snapshots --json | grep -o '\"id\":\"[0-9a-f]*' | cut -c 7- | xargs)";
    let mut script = "set -e\n".to_owned();
    for line in commands_of("Run it") {
        let line = line
            .replace("cargo run --release --", "strongroom")
            .replace("alias strongroom=", "# ")
            .replace("SNAPSHOT SNAPSHOT", ids)
            .replace("--prune", "--prune --yes")
            .replace("/tmp/back", "../back");
        script.push_str(&format!("{line}\n"));
        if line.contains("--init") {
            script.push_str("echo change >> README.md\nSTRONGROOM_PASSWORD=try-me strongroom -r ./vault backup .\n");
        }
    }
    let ran = Ran::run(program.shell(&script).current_dir(&project), b"").ok();

    let restored =
        fs::read_to_string(program.home().join("back/README.md")).expect("a restored file");
    assert_eq!(restored, format!("{README}change\n"));
    assert!(
        !program.home().join("back/vault").exists(),
        "the repository was backed up into itself\n{ran}"
    );
    assert!(program.home().join("back/src/main.rs").exists());
}
