//! The rules. Each takes one file and says what is wrong with it; the reasons are in STYLE.md.

use std::path::Path;

use crate::code::code_only;

/// A file of the project.
pub struct File {
    /// Below the root, with `/`.
    pub path: String,
    pub text: String,
}

impl File {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The folder below `crates/`, or nothing.
    fn crate_folder(&self) -> &str {
        self.path
            .strip_prefix("crates/")
            .and_then(|p| p.split('/').next())
            .unwrap_or("")
    }

    fn is_in_crates(&self, folders: &[&str]) -> bool {
        folders.contains(&self.crate_folder())
    }

    /// The product's own code, which users run.
    fn is_product(&self) -> bool {
        let is_product_folder =
            self.path.starts_with("crates/") && !self.is_in_crates(&["testkit"]);
        self.is_rust() && self.path.contains("/src/") && is_product_folder
    }
}

/// A rule: its name and a check that returns the lines (from 1; 0 for the whole file) and what is wrong there.
pub type Rule = (&'static str, fn(&File) -> Vec<(usize, String)>);

pub const RULES: [Rule; 12] = [
    ("length", length),
    ("module names", module_names),
    ("unfinished", unfinished),
    ("printing", printing),
    ("environment", environment),
    ("unsafe", unsafe_code),
    ("words", words),
    ("trailing whitespace", trailing_whitespace),
    ("lints", lints),
    ("places", places),
    ("links", links),
    ("changelog", changelog),
];

/// A file has one purpose, and is read in one go.
const MAX_LINES: usize = 400;

/// Files that were longer when the rule came, with their lengths then. May only shrink.
const LONGER: [(&str, usize); 0] = [];

fn length(file: &File) -> Vec<(usize, String)> {
    let limit = LONGER
        .iter()
        .find(|(path, _)| *path == file.path)
        .map_or(MAX_LINES, |(_, lines)| *lines);
    let lines = file.text.lines().count();
    if !file.is_rust() || lines <= limit {
        return Vec::new();
    }
    vec![(
        0,
        format!("{lines} lines, more than {limit}: give its parts files of their own"),
    )]
}

fn module_names(file: &File) -> Vec<(usize, String)> {
    const SAY_NOTHING: [&str; 7] = [
        "util", "utils", "helper", "helpers", "common", "manager", "misc",
    ];
    if !file.is_rust() {
        return Vec::new();
    }
    let parts = file.path.trim_end_matches(".rs").split('/');
    let bad = parts.filter(|part| SAY_NOTHING.contains(part));
    bad.map(|part| {
        (
            0,
            format!("a module named {part:?} says nothing of what is in it"),
        )
    })
    .collect()
}

fn unfinished(file: &File) -> Vec<(usize, String)> {
    let words = ["todo!", "unimplemented!", "#[ignore", "dbg!"];
    if file.is_rust() {
        code_lines_with(file, &words, "is unfinished work")
    } else {
        Vec::new()
    }
}

fn printing(file: &File) -> Vec<(usize, String)> {
    if !file.is_product() || file.is_in_crates(&["cli"]) {
        return Vec::new();
    }
    code_lines_with(
        file,
        &["print!", "println!", "eprint!", "eprintln!"],
        "prints: only cli does",
    )
}

fn environment(file: &File) -> Vec<(usize, String)> {
    if !file.is_product() || file.is_in_crates(&["cli"]) {
        return Vec::new();
    }
    code_lines_with(
        file,
        &["std::env", "env::var"],
        "reads the environment: only cli does",
    )
}

/// Unsafe functions that a trait of the standard library asks for; only the compiler calls them. May only shrink.
const UNSAFE_FUNCTIONS: [(&str, usize); 1] = [("crates/kernel/src/large_pages.rs", 4)];

/// `kernel` alone has unsafe blocks, each under a comment that says why it is sound. Unsafe functions would hand the duty on.
fn unsafe_code(file: &File) -> Vec<(usize, String)> {
    if !file.is_rust() {
        return Vec::new();
    }
    let mut found = code_lines_with(file, &["unsafe"], "belongs into kernel");
    if file.is_in_crates(&["kernel"]) {
        found.retain(|(line, _)| !has_safety_comment(&file.text, *line));
        for (_, what) in &mut found {
            *what = "unsafe lacks its SAFETY comment".to_owned();
        }
        let allowed = UNSAFE_FUNCTIONS
            .iter()
            .find(|(path, _)| *path == file.path)
            .map_or(0, |(_, count)| *count);
        let functions = code_lines_with(file, &["unsafe fn"], "is not for others to get right");
        if functions.len() > allowed {
            found.extend(functions);
        }
    }
    found
}

/// Whether the comment right above a line begins with `SAFETY:`.
fn has_safety_comment(text: &str, line: usize) -> bool {
    let above: Vec<&str> = text.lines().take(line - 1).collect();
    let mut comment = above.iter().rev().map(|line| line.trim());
    comment
        .by_ref()
        .take_while(|line| line.starts_with("//"))
        .any(|line| line.starts_with("// SAFETY:"))
}

/// One noun a thing; these have another in docs/glossary.md.
fn words(file: &File) -> Vec<(usize, String)> {
    let other_words = [(concat!("back", "end"), "storage")];
    let mut found = Vec::new();
    for (number, line) in numbered(&file.text) {
        let line = line.to_lowercase();
        for (word, ours) in other_words {
            if line.contains(word) {
                found.push((number, format!("{word:?}: our word is {ours:?}")));
            }
        }
    }
    found
}

fn trailing_whitespace(file: &File) -> Vec<(usize, String)> {
    if file.path.ends_with(".snap") {
        return Vec::new();
    }
    let bad = numbered(&file.text).filter(|(_, line)| line.ends_with([' ', '\t', '\r']));
    let mut found: Vec<_> = bad
        .map(|(number, _)| (number, "ends in white space".to_owned()))
        .collect();
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        found.push((
            file.text.lines().count(),
            "the last line does not end".to_owned(),
        ));
    }
    found
}

fn lints(file: &File) -> Vec<(usize, String)> {
    let is_manifest = file.path.starts_with("crates/") && file.path.ends_with("/Cargo.toml");
    if !is_manifest || file.text.contains("[lints]\nworkspace = true\n") {
        return Vec::new();
    }
    vec![(
        0,
        "lacks [lints] workspace = true, so that no lint holds here".to_owned(),
    )]
}

/// What is true on one machine only, and the hosts of package registries, which a file must not depend on.
fn places(file: &File) -> Vec<(usize, String)> {
    const PLACES: [&str; 14] = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/Us", "ers/"),
        concat!("crates", ".io"),
        concat!("docs", ".rs"),
        concat!("lib", ".rs/"),
        concat!("npmjs", ".com"),
        concat!("npmjs", ".org"),
        concat!("pypi", ".org"),
        concat!("pythonhosted", ".org"),
        concat!("rubygems", ".org"),
        concat!("proxy.golang", ".org"),
        concat!("deb.debian", ".org"),
        concat!("docker", ".io"),
    ];
    let mut found = Vec::new();
    for (number, line) in numbered(&file.text) {
        for place in PLACES.into_iter().filter(|place| names_place(line, place)) {
            found.push((number, format!("names {place}")));
        }
    }
    found
}

/// A link in a document leads to a file of the project, or out of it.
fn links(file: &File) -> Vec<(usize, String)> {
    if !file.path.ends_with(".md") {
        return Vec::new();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = root.join(Path::new(&file.path).parent().unwrap());
    let mut found = Vec::new();
    for (number, line) in numbered(&file.text) {
        for target in line
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let path = target.split('#').next().unwrap();
            let leads_out = target.contains("://") || path.is_empty();
            if !leads_out && !folder.join(path).exists() {
                found.push((number, format!("leads nowhere: {target}")));
            }
        }
    }
    found
}

/// Release notes are put together from these files, so all have one form: `Kind: sentence`, an empty line, prose.
fn changelog(file: &File) -> Vec<(usize, String)> {
    const KINDS: [&str; 4] = ["Security: ", "Bugfix: ", "Change: ", "Enhancement: "];
    if !file.path.starts_with("changelog/") || file.path.ends_with("/TEMPLATE") {
        return Vec::new();
    }
    let mut lines = file.text.lines();
    let first = lines.next().unwrap_or("");
    let has_kind = KINDS.iter().any(|kind| first.starts_with(kind));
    let has_prose = lines.next() == Some("") && lines.next().is_some_and(|line| !line.is_empty());
    if file.path.ends_with(".md") && has_kind && has_prose {
        return Vec::new();
    }
    vec![(
        1,
        "does not have the form of changelog/unreleased/TEMPLATE".to_owned(),
    )]
}

/// Whether the line has the host, or the path itself and not as the end of a longer one.
fn names_place(line: &str, place: &str) -> bool {
    let longer = |c: char| c.is_alphanumeric() || "_-~.*".contains(c);
    let mut found = line.match_indices(place);
    found.any(|(at, _)| !place.starts_with('/') || !line[..at].ends_with(longer))
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    // `lines` would take a carriage return away.
    text.split('\n').enumerate().map(|(n, line)| (n + 1, line))
}

/// Lines of code, not of comments or strings, that hold one of the words as a word of its own.
fn code_lines_with(file: &File, words: &[&str], why: &str) -> Vec<(usize, String)> {
    let code = code_only(&file.text);
    let mut found = Vec::new();
    for (number, line) in numbered(&code) {
        if let Some(word) = words.iter().find(|word| has_word(line, word)) {
            found.push((number, format!("{word} {why}")));
        }
    }
    found
}

fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let (before, behind) = (&line[..at], &line[at + word.len()..]);
        let goes_on = word.ends_with(part_of_word) && behind.starts_with(part_of_word);
        !goes_on && !before.ends_with(part_of_word)
    })
}
