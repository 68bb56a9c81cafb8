//! A rule that never fires would be taken for a tidy project.

use crate::rules::{File, RULES};

/// What a rule says of a file.
fn seen(rule: &str, path: &str, text: &str) -> Vec<usize> {
    let (_, check) = RULES.iter().find(|(name, _)| *name == rule).unwrap();
    let file = File {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    check(&file).into_iter().map(|(line, _)| line).collect()
}

const LIBRARY: &str = "crates/repository/src/prune.rs";

#[test]
fn length() {
    assert_eq!(seen("length", LIBRARY, &"x\n".repeat(401)), [0]);
    assert_eq!(seen("length", LIBRARY, &"x\n".repeat(400)), []);
    assert_eq!(seen("length", "docs/format.md", &"x\n".repeat(999)), []);
}

#[test]
fn module_names() {
    assert_eq!(seen("module names", "crates/cli/src/utils.rs", ""), [0]);
    assert_eq!(
        seen("module names", "crates/cli/tests/common/mod.rs", ""),
        [0]
    );
    assert_eq!(seen("module names", LIBRARY, ""), []);
}

#[test]
fn unfinished() {
    assert_eq!(
        seen("unfinished", LIBRARY, "fn a() {\n    todo!()\n}\n"),
        [2]
    );
    assert_eq!(seen("unfinished", LIBRARY, "unimplemented!(\"x\")\n"), [1]);
    assert_eq!(
        seen(
            "unfinished",
            "crates/cli/tests/a.rs",
            "#[test]\n#[ignore]\n"
        ),
        [2]
    );
    assert_eq!(
        seen("unfinished", LIBRARY, "// todo!()\nlet a = \"todo!\";\n"),
        []
    );
}

#[test]
fn printing() {
    assert_eq!(
        seen("printing", LIBRARY, "println!(\"a\");\neprint!(\"b\");\n"),
        [1, 2]
    );
    assert_eq!(
        seen("printing", "crates/cli/src/main.rs", "println!(\"a\");\n"),
        []
    );
    assert_eq!(
        seen(
            "printing",
            "crates/repository/tests/a.rs",
            "println!(\"a\");\n"
        ),
        []
    );
    assert_eq!(seen("printing", LIBRARY, "my_println!(\"a\");\n"), []);
}

#[test]
fn environment() {
    assert_eq!(
        seen("environment", LIBRARY, "let a = std::env::var(\"HOME\");\n"),
        [1]
    );
    assert_eq!(
        seen(
            "environment",
            LIBRARY,
            "use std::env;\nlet a = env::var_os(b);\n"
        ),
        [1]
    );
    assert_eq!(
        seen(
            "environment",
            "crates/cli/src/main.rs",
            "std::env::args();\n"
        ),
        []
    );
    assert_eq!(
        seen(
            "environment",
            "crates/testkit/src/restic.rs",
            "std::env::var(a);\n"
        ),
        []
    );
}

#[test]
fn unsafe_code() {
    assert_eq!(seen("unsafe", LIBRARY, "let a = unsafe { b() };\n"), [1]);
    let kernel = "crates/kernel/src/lib.rs";
    assert_eq!(seen("unsafe", kernel, "unsafe { b() };\n"), [1]);
    assert_eq!(
        seen(
            "unsafe",
            kernel,
            "// SAFETY: b is there.\n\nunsafe { b() };\n"
        ),
        [3]
    );
    assert_eq!(
        seen(
            "unsafe",
            kernel,
            "// SAFETY: b is there,\n// and awake.\nlet a = unsafe { b() };\n"
        ),
        []
    );
    assert_eq!(
        seen("unsafe", kernel, "// SAFETY: never.\nunsafe fn a() {}\n"),
        [2]
    );
    assert_eq!(
        seen("unsafe", LIBRARY, "#![deny(unsafe_code)] // unsafe\n"),
        []
    );
}

#[test]
fn words() {
    let text = format!(
        "The {} is slow.\nThe storage is slow.\n",
        concat!("Back", "end")
    );
    assert_eq!(seen("words", "docs/a.md", &text), [1]);
    assert_eq!(seen("words", LIBRARY, &text), [1]);
}

#[test]
fn trailing_whitespace() {
    assert_eq!(
        seen("trailing whitespace", "README.md", "a \nb\n\t\nc\r\n"),
        [1, 3, 4]
    );
    assert_eq!(seen("trailing whitespace", LIBRARY, "a\nb"), [2]);
    assert_eq!(
        seen("trailing whitespace", "crates/cli/tests/a.snap", "a \n"),
        []
    );
    assert_eq!(seen("trailing whitespace", LIBRARY, "a\n"), []);
}

#[test]
fn lints() {
    assert_eq!(seen("lints", "crates/cli/Cargo.toml", "[package]\n"), [0]);
    assert_eq!(
        seen(
            "lints",
            "crates/cli/Cargo.toml",
            "[lints]\nworkspace = true\n"
        ),
        []
    );
    assert_eq!(seen("lints", "Cargo.toml", "[workspace]\n"), []);
}

#[test]
fn places() {
    let text = format!(
        "cp {}x .\nsee static.{}/serde\nfine\n",
        concat!("/wo", "rk/"),
        concat!("crates", ".io")
    );
    assert_eq!(seen("places", "README.md", &text), [1, 2]);
    assert_eq!(seen("places", LIBRARY, &text), [1, 2]);
    assert_eq!(
        seen(
            "places",
            "README.md",
            "/etc/strongroom, ~/work/ and /home/anna/work/ are fine\n"
        ),
        []
    );
}

#[test]
fn links() {
    let text = "[a](README.md) [b](docs/none.md)\n[c](https://example.org/none) [d](#there)\n";
    assert_eq!(seen("links", "STYLE.md", text), [1]);
    assert_eq!(
        seen(
            "links",
            "docs/format.md",
            "[a](../README.md#x)\n[b](README.md)\n"
        ),
        [2]
    );
}

#[test]
fn changelog() {
    let path = "changelog/unreleased/a.md";
    assert_eq!(
        seen("changelog", path, "Bugfix: A thing works\n\nIt did not.\n"),
        []
    );
    assert_eq!(
        seen("changelog", path, "A thing works\n\nIt did not.\n"),
        [1]
    );
    assert_eq!(
        seen("changelog", path, "Bugfix: A thing works\nIt did not.\n"),
        [1]
    );
    assert_eq!(
        seen("changelog", "changelog/unreleased/a", "Bugfix: A\n\nB\n"),
        [1]
    );
}
