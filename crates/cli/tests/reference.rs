//! The whole command line as one page: a flag that changes or vanishes by accident breaks somebody's script.

use strongroom_testkit::strongroom;

#[test]
fn the_reference_is_what_the_program_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli-reference.md");
    let written = std::fs::read_to_string(path).unwrap_or_default();
    let said = strongroom!().run(["generate", "--reference", "-"]).ok();
    let said = said.stdout_text();
    let differs = |n: usize| written.lines().nth(n) != said.lines().nth(n);
    let first = (0..said.lines().count()).find(|&n| differs(n));
    assert!(
        written == said,
        "docs/cli-reference.md is out of date from line {:?} on; where the change is meant: \
         cargo run -- generate --reference docs/cli-reference.md",
        first.map(|n| n + 1)
    );
}
