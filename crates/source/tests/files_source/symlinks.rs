//! Symbolic links: stored, skipped or followed, as asked, and never round in circles (T-27).

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use strongroom_repository::backup::{LeftOutReason, Source};
use strongroom_repository::format::NodeKind;
use strongroom_source::files::{Files, Symlinks};
use strongroom_testkit::source_suite::{Walked, walk};

use crate::{bytes, inside, options};

fn grow(folder: &Path) {
    fs::create_dir_all(folder.join("dir/inner")).unwrap();
    fs::write(folder.join("dir/inner/file"), "content").unwrap();
    for (target, link) in [
        ("dir/inner/file", "to-file"),
        ("dir/inner", "to-dir"),
        ("to-dir", "to-link"),
        ("nowhere", "dangling"),
        ("itself", "itself"),
        ("..", "dir/up"),
        (".", "dir/inner/here"),
        ("../inner", "dir/inner/same"),
        ("dir/inner/file/none", "through-a-file"),
    ] {
        symlink(target, folder.join(link)).unwrap();
    }
}

fn kinds(walked: &Walked) -> Vec<String> {
    let kind = |path: &[u8], kind: &NodeKind| format!("{} {kind:?}", String::from_utf8_lossy(path));
    walked
        .found
        .iter()
        .map(|(path, found)| kind(path, &found.node.kind))
        .collect()
}

#[test]
fn links_are_stored_as_links() {
    let folder = tempfile::tempdir().unwrap();
    grow(folder.path());
    let walked = walk(&inside(folder.path(), |_| {})).without_errors();
    let links = walked
        .found
        .values()
        .filter(|found| found.node.kind == NodeKind::Symlink);
    assert_eq!(links.count(), 9);
    assert_eq!(walked.at("/dangling").node.link_target, b"nowhere");
    assert_eq!(walked.at("/dir/up").node.link_target, b"..");
}

#[test]
fn t27_skipped_links_are_told() {
    let folder = tempfile::tempdir().unwrap();
    grow(folder.path());
    let files = inside(folder.path(), |options| options.symlinks = Symlinks::Skip);
    assert_eq!(
        walk(&files).without_errors().paths(),
        ["/dir", "/dir/inner", "/dir/inner/file"]
    );
    let told = files.left_out();
    assert_eq!(told.len(), 9);
    assert!(
        told.iter()
            .all(|left_out| left_out.reason == LeftOutReason::Symlink)
    );
}

#[test]
fn followed_links_are_what_they_lead_to_and_loops_end() {
    let folder = tempfile::tempdir().unwrap();
    grow(folder.path());
    let files = Files::new(&[b"top".to_vec()], {
        let top = folder
            .path()
            .parent()
            .unwrap()
            .join(folder.path().file_name().unwrap());
        symlink(&top, folder.path().join("top")).unwrap();
        let mut options = options(folder.path());
        options.symlinks = Symlinks::Follow;
        options
    })
    .unwrap();
    let walked = walk(&files).without_errors();
    let expected = [
        "/top Dir",
        "/top/dangling Symlink",
        "/top/dir Dir",
        "/top/dir/inner Dir",
        "/top/dir/inner/file File",
        "/top/dir/inner/here Symlink",
        "/top/dir/inner/same Symlink",
        "/top/dir/up Symlink",
        "/top/itself Symlink",
        "/top/through-a-file Symlink",
        "/top/to-dir Dir",
        "/top/to-dir/file File",
        "/top/to-dir/here Symlink",
        "/top/to-dir/same Symlink",
        "/top/to-file File",
        "/top/to-link Dir",
        "/top/to-link/file File",
        "/top/to-link/here Symlink",
        "/top/to-link/same Symlink",
        "/top/top Symlink",
    ];
    assert_eq!(kinds(&walked), expected);
    assert_eq!(
        walked.at("/top/to-file").content.as_deref(),
        Some(&b"content"[..])
    );
    assert_eq!(
        walked.at("/top/to-link/file").content.as_deref(),
        Some(&b"content"[..])
    );
    let told: Vec<_> = files
        .left_out()
        .into_iter()
        .map(|left_out| left_out.reason)
        .collect();
    assert_eq!(told, [LeftOutReason::SymlinkLoop; 9]);
}

#[test]
fn a_link_out_of_the_tree_is_followed_with_the_metadata_of_what_it_leads_to() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(outside.path().join("file"), "outside").unwrap();
    rustix::fs::setxattr(
        outside.path().join("file"),
        "user.of",
        b"file",
        rustix::fs::XattrFlags::empty(),
    )
    .unwrap();
    symlink(outside.path(), folder.path().join("link")).unwrap();
    symlink(
        outside.path().join("file"),
        folder.path().join("link-to-file"),
    )
    .unwrap();
    let files = inside(folder.path(), |options| options.symlinks = Symlinks::Follow);
    let walked = walk(&files).without_errors();
    for path in ["/link/file", "/link-to-file"] {
        let found = walked.at(path);
        assert_eq!(found.content.as_deref(), Some(&b"outside"[..]), "{path}");
        assert_eq!(found.node.extended_attributes[0].name, "user.of", "{path}");
        assert!(found.node.link_target.is_empty());
    }
    assert_eq!(
        walked.at("/link").source_path,
        bytes(&folder.path().join("link"))
    );
}
