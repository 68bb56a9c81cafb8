//! Names that break scripts, patterns and terminals, through every command that takes a name (T-30, T-31).

#![allow(clippy::unwrap_used)]

mod vault;

use strongroom_testkit::strongroom;
use vault::Vault;

/// Fails where somebody cannot get the one file back that they name.
#[test]
fn t31_a_file_is_found_printed_and_restored_by_any_name() {
    let vault = Vault::new(strongroom!());
    // Each with a pattern that means it and no other.
    let names = [
        ("[x]", r"\[x\]"),
        ("a*b?", r"a\*b\?"),
        ("line\nbreak", "line\nbreak"),
        ("!not", "!not"),
        ("$(id);`id`", "$(id);`id`"),
        (" spaces ", " spaces "),
        ("-dash", "-dash"),
        ("\u{202e}right\u{1b}[31m", "\u{202e}right\u{1b}*"),
    ];
    for (name, _) in names {
        std::fs::write(vault.path("source").join(name), name).unwrap();
    }
    vault.backup();
    for (name, pattern) in names {
        let path = format!("/source/{name}");
        let dumped = vault.run(&["dump", "latest", &path]).ok();
        assert_eq!(dumped.stdout, name.as_bytes());
        let found = vault.run(&["find", "--json", "--", pattern]).ok().json();
        assert_eq!(found[0]["matches"][0]["path"], path.as_str(), "{found}");
        assert_eq!(found[0]["hits"], 1, "{found}");
    }
    let mut restore = vec![
        "restore".to_owned(),
        "latest".into(),
        "-t".into(),
        "out".into(),
    ];
    restore.extend(names.map(|(_, pattern)| format!("--include=/source/{pattern}")));
    vault.program.run(restore).ok();
    let restored = std::fs::read_dir(vault.path("out/source")).unwrap().count();
    assert_eq!(restored, names.len());
    let listed = vault.run(&["ls", "latest"]).ok().stdout;
    assert!(!listed.contains(&0x1b));
}
