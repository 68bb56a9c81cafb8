//! Our reading of patterns beside the real restic's, on a small tree with awkward names.
//!
//! Where the two differ, a person who moves an exclude file from restic to us loses files, or takes in secrets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use strongroom_repository::pattern::PatternSet;
use strongroom_testkit::{Random, Restic};

const FILES: &[&str] = &[
    "a.o",
    "a.O",
    "b.c",
    "dir/a.o",
    "dir/sub/a.o",
    "dir/sub/deep/keep.o",
    "dir/sub/deep/x[1].txt",
    "dir/ä.txt",
    "node_modules/m/index.js",
    "other/node_modules/x",
    "star*name/f",
    "!bang/f",
    "#hash",
    " space ",
    "Photos/IMG.JPG",
    "Photos/img.jpg",
    "back\\slash",
];

/// Pattern lists, `i:` in front of those that ignore case, `@` for the root of the tree.
const LISTS: &[&[&str]] = &[
    &["*.o"],
    &["*.o", "!keep.o"],
    &["!keep.o", "*.o"],
    &["dir/*", "!sub"],
    &["*", "!@", "@/dir", "!@/dir/sub"],
    &["@/dir/**/a.o"],
    &["dir/**/*.o"],
    &["**/deep"],
    &["deep/**"],
    &["@/**/sub/**/*.txt"],
    &["node_modules/", "b.c/"],
    &["@/*.o"],
    &["/a.o", "/dir"],
    &["[a-b].?"],
    &["x\\[1\\].txt", "star\\*name", "\\!bang"],
    &["x[1].txt"],
    &["?.txt"],
    &["i:*.jpg"],
    &["i:PHOTOS", "!Photos"],
    &["i:*.o", "i:!A.O"],
    &["#hash", " space ", "back\\\\slash"],
    &["./dir", "other/../b.c"],
    &["@/dir/sub/", "!@/dir/sub/deep"],
    &["**"],
];

fn list_arguments(kind: &str, list: &[&str], root: &Path) -> Vec<String> {
    let root = root.to_str().unwrap();
    list.iter()
        .map(|pattern| match pattern.strip_prefix("i:") {
            Some(pattern) => format!("--i{kind}={}", pattern.replace('@', root)),
            None => format!("--{kind}={}", pattern.replace('@', root)),
        })
        .collect()
}

fn set(list: &[&str], root: &Path) -> PatternSet {
    let root = root.to_str().unwrap();
    let (insensitive, sensitive): (Vec<_>, Vec<_>) = list
        .iter()
        .map(|pattern| pattern.replace('@', root))
        .partition(|pattern| pattern.starts_with("i:"));
    PatternSet::parse(sensitive, insensitive.iter().map(|pattern| &pattern[2..])).unwrap()
}

/// The files of the tree that are reached when a directory is entered only where `enter` says so.
fn reached(
    root: &Path,
    enter: &dyn Fn(&Path) -> bool,
    take: &dyn Fn(&Path) -> bool,
) -> BTreeSet<PathBuf> {
    let entered = |file: &PathBuf| {
        let below = |path: &&Path| *path != file && path.starts_with(root);
        file.ancestors().filter(below).all(enter)
    };
    let files = FILES.iter().map(|file| root.join(file));
    files.filter(entered).filter(|file| take(file)).collect()
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

/// The files that a dry run of restic names.
fn named(restic: &Restic, arguments: &[String], root: &Path) -> BTreeSet<PathBuf> {
    let ran = restic.run(arguments).ok();
    let names: BTreeSet<_> = ran
        .stdout_text()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|message| message["message_type"] == "verbose_status")
        .filter_map(|message| Some(PathBuf::from(message["item"].as_str()?)))
        .collect();
    let files = FILES.iter().map(|file| root.join(file));
    files.filter(|file| names.contains(file)).collect()
}

struct Scene {
    _dir: tempfile::TempDir,
    root: PathBuf,
    restic: Restic,
}

fn scene() -> Scene {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("tree");
    for file in FILES {
        let file = root.join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, b"x").unwrap();
    }
    let restic = Restic::new(dir.path().join("vault"), "try-me");
    restic.init();
    Scene {
        _dir: dir,
        root,
        restic,
    }
}

fn seed() -> u64 {
    std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0)
}

fn random_lists(random: &mut Random, count: usize) -> Vec<Vec<&'static str>> {
    const POOL: &[&str] = &[
        "*",
        "!*",
        "*.o",
        "!*.o",
        "dir",
        "!dir",
        "@/dir",
        "!@/dir/sub",
        "sub/*",
        "!deep",
        "**/a.o",
        "@/**",
        "@/*/*",
        "!@",
        "i:*.TXT",
        "i:!DIR",
        "[!a]*",
        "dir/**/deep/**",
        "!node_modules",
        "?*",
    ];
    let mut below = |limit: usize| usize::try_from(random.below(limit as u64)).unwrap();
    let mut list = || {
        let length = 1 + below(4);
        (0..length).map(|_| POOL[below(POOL.len())]).collect()
    };
    (0..count).map(|_| list()).collect()
}

#[test]
fn excludes_leave_out_what_restic_leaves_out() {
    let Scene { _dir, root, restic } = scene();
    let seed = seed();
    let random = random_lists(&mut Random::new(seed), 12);
    let lists = LISTS
        .iter()
        .copied()
        .chain(random.iter().map(Vec::as_slice));
    for list in lists {
        let set = set(list, &root);
        let kept = |path: &Path| !set.is_match(bytes(path));
        let ours = reached(&root, &kept, &kept);
        let mut arguments = vec![
            "backup".into(),
            "--dry-run".into(),
            "-vv".into(),
            "--json".into(),
        ];
        arguments.extend(list_arguments("exclude", list, &root));
        arguments.push(root.to_str().unwrap().into());
        let theirs = named(&restic, &arguments, &root);
        assert_eq!(ours, theirs, "{list:?}, seed {seed}");
    }
}

#[test]
fn includes_take_in_what_restic_takes_in() {
    let Scene { _dir, root, restic } = scene();
    restic.backup(&[&root]);
    let seed = seed();
    let random = random_lists(&mut Random::new(seed), 12);
    let lists = LISTS
        .iter()
        .copied()
        .chain(random.iter().map(Vec::as_slice));
    for list in lists {
        let set = set(list, &root);
        let enter = |path: &Path| set.matches(bytes(path)).child_may_match;
        let take = |path: &Path| set.matches(bytes(path)).matched;
        let ours = reached(&root, &enter, &take);
        let mut arguments: Vec<String> = vec![
            "restore".into(),
            "latest".into(),
            "--target=/nowhere".into(),
        ];
        arguments.extend(["--dry-run".into(), "-vv".into(), "--json".into()]);
        arguments.extend(list_arguments("include", list, &root));
        let theirs = named(&restic, &arguments, &root);
        assert_eq!(ours, theirs, "{list:?}, seed {seed}");
    }
}

#[test]
fn what_restic_refuses_we_refuse() {
    let Scene { _dir, root, restic } = scene();
    for pattern in ["[", "a/[]", "x\\", "*[b-", "[-a]"] {
        let exclude = format!("--exclude={pattern}");
        let ran = restic.run(["backup", "--dry-run", &exclude, root.to_str().unwrap()]);
        assert!(ran.stderr_text().contains("invalid pattern"), "{pattern:?}");
        assert!(PatternSet::parse([pattern], [""]).is_err(), "{pattern:?}");
    }
}
