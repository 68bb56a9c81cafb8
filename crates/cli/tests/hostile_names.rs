//! Names that break scripts, patterns and terminals, through every command that takes a name (T-30, T-31).

#![allow(clippy::unwrap_used)]

mod vault;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

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

/// A name in an old encoding that no pattern can name on the command line is restored only with everything beside it.
#[test]
fn t31_a_pattern_need_not_be_utf_8() {
    let vault = Vault::new(strongroom!());
    let name = OsStr::from_bytes(b"caf\xe9");
    std::fs::write(vault.path("source").join(name), "latin").unwrap();
    vault.backup();
    let run = |args: &[&[u8]]| {
        vault
            .program
            .run(args.iter().map(|arg| OsStr::from_bytes(arg)))
    };
    let found = run(&[b"find", b"--json", b"caf\xe9"]).ok().json();
    assert_eq!(found[0]["hits"], 1, "{found}");
    run(&[b"restore", b"latest", b"-t", b"only", b"--include=caf\xe9"]).ok();
    let restored = std::fs::read_dir(vault.path("only/source")).unwrap();
    let names: Vec<_> = restored.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [name]);
    run(&[
        b"restore",
        b"latest",
        b"-t",
        b"without",
        b"--exclude",
        b"caf\xe9",
    ])
    .ok();
    assert!(vault.path("without/source").exists());
    assert!(!vault.path("without/source").join(name).exists());
}
