//! What is known of an entry is what the real restic knows: both write the same trees, byte for byte. If not, each
//! would store all trees of the other's snapshots again, and metadata would differ by the program that made the backup.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::tz::TimeZone;
use strongroom_repository::format::{Id, Node, NodeKind, Tree};
use strongroom_source::files::{Files, Options};
use strongroom_testkit::source_suite::{Walked, walk};
use strongroom_testkit::{Corpus, Part, Ran, Restic};

use crate::{bytes, options};

/// restic cuts nothing that is smaller.
const SMALLEST_CHUNK_BYTES: usize = 512 * 1024;

/// All trees by the path of the directory, the root with the empty one: the blobs.
fn trees(walked: &Walked) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut folders: BTreeMap<Vec<u8>, Vec<Node>> = BTreeMap::from([(Vec::new(), Vec::new())]);
    let mut paths: Vec<_> = walked.found.keys().collect();
    paths.sort_by_key(|path| std::cmp::Reverse(path.iter().filter(|&&b| b == b'/').count()));
    let mut trees = BTreeMap::new();
    for path in paths {
        let found = &walked.found[path];
        let mut node = found.node.clone();
        match node.kind {
            NodeKind::Dir => {
                let tree = encode(folders.remove(path).unwrap_or_default());
                node.subtree = Some(Id::of(&tree));
                trees.insert(path.clone(), tree);
            }
            NodeKind::File => node.content = Some(chunk(found.content.as_ref().unwrap())),
            _ => {}
        }
        let above = &path[..path.iter().rposition(|&b| b == b'/').unwrap()];
        folders.entry(above.to_vec()).or_default().push(node);
    }
    trees.insert(Vec::new(), encode(folders.remove(&Vec::new()).unwrap()));
    trees
}

fn encode(mut nodes: Vec<Node>) -> Vec<u8> {
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    Tree { nodes }.encode().unwrap()
}

fn chunk(content: &[u8]) -> Vec<Id> {
    assert!(content.len() <= SMALLEST_CHUNK_BYTES);
    if content.is_empty() {
        Vec::new()
    } else {
        vec![Id::of(content)]
    }
}

/// Trees by restic and by us of some paths; `arguments` go to restic.
#[track_caller]
fn compare(folder: &Path, paths: &[&Path], zone: &str, arguments: &[&str], options: Options) {
    let vault = tempfile::tempdir().unwrap();
    let restic = Restic::new(vault.path(), "try-me");
    restic.init();
    let mut command = restic.command(["backup", "--json"]);
    command
        .args(arguments)
        .arg("--")
        .args(paths)
        .current_dir(folder)
        .env("TZ", zone);
    let summary = Ran::run(&mut command, b"").ok().json_message("summary");
    let snapshot = summary["snapshot_id"].as_str().unwrap();
    let paths: Vec<_> = paths.iter().map(|path| bytes(path)).collect();
    let walked = walk(&Files::new(&paths, options).unwrap()).without_errors();
    let ours = trees(&walked);
    let printed = restic.run(["cat", "snapshot", snapshot]).ok().json();
    let theirs: Id = printed["tree"].as_str().unwrap().parse().unwrap();
    if Id::of(&ours[&Vec::new()]) != theirs {
        panic!("{}", first_difference(&restic, &ours, theirs));
    }
}

/// The first tree, from the top, whose difference is not one of its subtrees alone.
fn first_difference(restic: &Restic, ours: &BTreeMap<Vec<u8>, Vec<u8>>, root: Id) -> String {
    let mut pending = vec![(Vec::new(), root)];
    while let Some((path, id)) = pending.pop() {
        let theirs = restic.run(["cat", "blob", &id.to_hex()]).ok().stdout;
        if theirs == ours[&path] {
            continue;
        }
        let both = [&theirs, &ours[&path]].map(|tree| Tree::decode(tree).unwrap().nodes);
        let [theirs, ours] = both.clone().map(|nodes| {
            let alone = nodes.into_iter().map(|node| Node {
                subtree: None,
                ..node
            });
            alone
                .map(|node| encode(vec![node]))
                .collect::<BTreeSet<_>>()
        });
        let shown = |tree: &Vec<u8>| String::from_utf8_lossy(tree).into_owned();
        if theirs != ours {
            let path = String::from_utf8_lossy(&path);
            let only_theirs: String = theirs.difference(&ours).map(shown).collect();
            let only_ours: String = ours.difference(&theirs).map(shown).collect();
            return format!(
                "the tree of {path:?} differs:
restic {only_theirs}ours {only_ours}"
            );
        }
        for node in both[0].iter().filter(|node| node.subtree.is_some()) {
            pending.push((
                [&path, b"/".as_slice(), &node.name].concat(),
                node.subtree.unwrap(),
            ));
        }
    }
    "the trees differ, but no node does".to_owned()
}

fn corpus() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    Corpus::small(7)
        .without(Part::BeyondRestic)
        .grow(folder.path())
        .unwrap();
    folder
}

#[test]
fn trees_of_everything_are_byte_identical() {
    let folder = corpus();
    compare(
        folder.path(),
        &[Path::new(".")],
        "UTC",
        &[],
        options(folder.path()),
    );
}

#[test]
fn folders_above_have_the_metadata_that_restic_gives_them() {
    let folder = corpus();
    let paths = ["xattrs/folder", "acls/folder/plain", "modes"].map(Path::new);
    compare(folder.path(), &paths, "UTC", &[], options(folder.path()));
}

#[test]
fn times_carry_the_offset_of_the_zone() {
    let folder = tempfile::tempdir().unwrap();
    Corpus::of(3, &[Part::Times]).grow(folder.path()).unwrap();
    // In 1906 offsets had seconds, which the format lacks: restic stores a time that is wrong by them, and we do not.
    for entry in std::fs::read_dir(folder.path().join("times")).unwrap() {
        let path = entry.unwrap().path();
        if path.to_str().unwrap().contains("long-before") {
            let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path));
        }
    }
    for zone in ["Europe/Amsterdam", "Asia/Kathmandu", "America/St_Johns"] {
        let mut options = options(folder.path());
        options.zone = TimeZone::get(zone).unwrap();
        compare(folder.path(), &[Path::new(".")], zone, &[], options);
    }
}

#[test]
fn times_of_reading_are_stored_where_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    Corpus::of(3, &[Part::Times]).grow(folder.path()).unwrap();
    let paths = ["times/file-epoch", "times/file-2255"].map(Path::new);
    let read_later = std::fs::FileTimes::new().set_accessed(std::time::SystemTime::now());
    let file = std::fs::File::open(folder.path().join(paths[0])).unwrap();
    file.set_times(read_later).unwrap();
    let mut options = options(folder.path());
    options.with_atime = true;
    compare(folder.path(), &paths, "UTC", &["--with-atime"], options);
}
