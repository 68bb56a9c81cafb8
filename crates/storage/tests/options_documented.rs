//! The pages for users name every option as the code has it: one that is in neither place cannot be found or trusted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::Path;

use strongroom_storage::OPTION_GROUPS;

#[test]
fn each_page_has_the_options_of_its_groups_and_no_others() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/user/storage");
    let mut wanted = BTreeSet::new();
    for group in OPTION_GROUPS {
        for option in group.options {
            let row = format!(
                "| `{}` | `{}` | {} |",
                option.key, option.value, option.help
            );
            wanted.insert((group.page.to_owned(), row));
        }
    }
    let mut written = BTreeSet::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let entry = entry.unwrap();
        let page = entry.file_name().into_string().unwrap();
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let is_option = |line: &&str| {
            let groups = OPTION_GROUPS.iter();
            let mut starts = groups.map(|group| format!("| `{}.", group.name));
            starts.any(|start| line.starts_with(&start))
        };
        let rows = text.lines().filter(is_option).map(str::to_owned);
        written.extend(rows.map(|row| (page.clone(), row)));
    }
    let missing: Vec<_> = wanted.difference(&written).collect();
    let unknown: Vec<_> = written.difference(&wanted).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "not in docs/user/storage: {missing:#?}\nnot in the code: {unknown:#?}"
    );
}
