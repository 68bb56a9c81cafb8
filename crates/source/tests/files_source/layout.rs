//! The tree of a snapshot is laid out as the real restic lays it out. Were it not, no parent would be found in a
//! repository that both write to, and `SNAPSHOT:/path` would mean different things.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use strongroom_repository::backup::Source;
use strongroom_source::files::Files;
use strongroom_testkit::source_suite::walk;
use strongroom_testkit::{Ran, Restic};

use crate::options;

/// Folders and files to name in all the ways; the working directory is `home/me`.
fn grow(root: &Path) {
    for folder in [
        "home/me/docs/letters",
        "home/me/src/a/b",
        "home/you/docs",
        "docs",
        "etc/a",
    ] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    for file in [
        "home/me/docs/letters/one",
        "home/me/docs/two",
        "home/me/src/a/b/three",
        "home/me/src/a/four",
        "home/you/docs/five",
        "docs/six",
        "etc/a/seven",
    ] {
        fs::write(root.join(file), file).unwrap();
    }
    std::os::unix::fs::symlink("src/a", root.join("home/me/link")).unwrap();
}

struct Case {
    paths: Vec<String>,
    tree: Vec<String>,
}

/// What restic makes of the paths; `None` if it refuses.
fn by_restic(restic: &Restic, working_directory: &Path, paths: &[String]) -> Option<Case> {
    let mut command: Command = restic.command(["backup", "--json", "--force", "--"]);
    let ran = Ran::run(command.args(paths).current_dir(working_directory), b"");
    if !matches!(ran.code, 0 | 3) {
        return None;
    }
    let id = ran.json_message("summary")["snapshot_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let listed = restic.run(["ls", "--json", &id]).ok();
    let mut lines: Vec<Value> = listed
        .stdout_text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let paths = lines.remove(0)["paths"]
        .as_array()
        .unwrap()
        .iter()
        .map(text)
        .collect();
    let mut tree: Vec<_> = lines.iter().map(|line| text(&line["path"])).collect();
    tree.sort();
    Some(Case { paths, tree })
}

fn by_us(working_directory: &Path, paths: &[String]) -> Option<Case> {
    let options = options(working_directory);
    let paths: Vec<_> = paths.iter().map(|path| path.clone().into_bytes()).collect();
    let files = Files::new(&paths, options).ok()?;
    Some(Case {
        paths: files.paths(),
        tree: walk(&files).paths(),
    })
}

#[test]
fn the_tree_is_laid_out_as_restic_does() {
    let (folder, vault) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = fs::canonicalize(folder.path()).unwrap();
    grow(&root);
    let here = root.join("home/me");
    let restic = Restic::new(vault.path(), "try-me");
    restic.init();
    let at = |path: &str| root.join(path).to_str().unwrap().to_owned();
    let cases: Vec<Vec<String>> = vec![
        vec!["docs/".into(), "./docs".into()],
        vec![".".into()],
        vec!["..".into()],
        vec!["../..".into()],
        vec!["docs/../src//a/.".into()],
        vec!["../you".into(), "docs".into()],
        vec!["docs".into(), "../you/docs".into(), "../../docs".into()],
        vec![
            "docs".into(),
            "../../docs".into(),
            at("docs"),
            "docs/two".into(),
        ],
        vec![at("docs"), at("home/me/docs/letters")],
        vec![at("home/me/docs"), "docs".into()],
        vec![
            at("home/me/docs"),
            at("home/me"),
            at("home/me/src/a/b/three"),
        ],
        vec![".".into(), "docs/letters".into()],
        vec![".".into(), "./docs/letters/one".into(), at("etc")],
        vec!["src/a/b".into(), "src".into(), "src/a/four".into()],
        vec!["link/b".into()],
        vec!["link".into(), "link/b".into()],
        vec!["docs".into(), "nowhere".into()],
        vec!["nowhere".into()],
        vec!["docs/two".into(), "docs/two/".into()],
        vec!["".into(), "src".into()],
    ];
    for paths in cases {
        match (by_restic(&restic, &here, &paths), by_us(&here, &paths)) {
            (Some(theirs), Some(ours)) => {
                assert_eq!(ours.tree, theirs.tree, "the tree of {paths:?}");
                assert_eq!(ours.paths, theirs.paths, "the paths of {paths:?}");
            }
            (None, None) => {}
            (theirs, ours) => panic!(
                "{paths:?}: restic {} it, we {}",
                if theirs.is_some() { "takes" } else { "refuses" },
                if ours.is_some() { "take it" } else { "refuse" }
            ),
        }
    }
}

#[test]
fn a_path_below_a_file_is_an_error_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    grow(folder.path());
    let options = options(&folder.path().join("home/me"));
    let paths = [
        b"docs/two/none".to_vec(),
        b"src/a/four".to_vec(),
        b"gone".to_vec(),
    ];
    let walked = walk(&Files::new(&paths, options).unwrap());
    assert_eq!(walked.paths(), ["/docs", "/src", "/src/a", "/src/a/four"]);
    let paths: Vec<_> = walked
        .errors
        .iter()
        .map(|e| String::from_utf8_lossy(&e.path).into_owned())
        .collect();
    let root = folder.path().join("home/me");
    let expected = ["gone", "docs/two"].map(|path| root.join(path).to_str().unwrap().to_owned());
    assert_eq!(paths.len(), 2, "{paths:?}");
    assert!(
        expected.iter().all(|path| paths.contains(path)),
        "{paths:?}"
    );
}
