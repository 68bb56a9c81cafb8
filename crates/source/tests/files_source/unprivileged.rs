//! What a user may not read is an error with its path, and the rest is read (T-27, T-28).

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use strongroom_source::files::Files;
use strongroom_testkit::as_nobody;
use strongroom_testkit::source_suite::walk;

use crate::{bytes, inside, options};

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn grow(folder: &Path, files: &[&str]) {
    for file in files {
        fs::create_dir_all(folder.join(file).parent().unwrap()).unwrap();
        fs::write(folder.join(file), file).unwrap();
    }
}

#[test]
fn t27_what_may_not_be_read_is_an_error_in_its_place() {
    let Some(folder) = as_nobody("unprivileged::t27_what_may_not_be_read_is_an_error_in_its_place")
    else {
        return;
    };
    grow(
        &folder,
        &["a", "secret", "closed/b", "names-only/c", "open/d"],
    );
    mode(&folder.join("secret"), 0o000);
    mode(&folder.join("closed"), 0o000);
    mode(&folder.join("names-only"), 0o400);
    let files = inside(&folder, |_| {});
    let mut walked = walk(&files);
    walked.errors.sort_by(|a, b| a.path.cmp(&b.path));
    let told: Vec<_> = walked
        .errors
        .iter()
        .map(|e| (e.path.clone(), e.during, e.vanished))
        .collect();
    let expected = [
        ("closed", "open"),
        ("names-only/c", "stat"),
        ("secret", "open"),
    ];
    assert_eq!(
        told,
        expected.map(|(path, during)| (bytes(&folder.join(path)), during, false))
    );
    assert!(walked.errors[0].message.contains("ermission denied"));
    assert_eq!(
        walked.paths(),
        ["/a", "/closed", "/names-only", "/open", "/open/d"]
    );
    for dir in ["closed", "names-only"] {
        mode(&folder.join(dir), 0o700);
    }
}

#[test]
fn folders_above_need_only_be_searchable() {
    let Some(folder) = as_nobody("unprivileged::folders_above_need_only_be_searchable") else {
        return;
    };
    grow(&folder, &["homes/me/file"]);
    mode(&folder.join("homes"), 0o100);
    let mine = bytes(&folder.join("homes/me"));
    let walked = walk(&Files::new(&[mine], options(&folder)).unwrap()).without_errors();
    assert_eq!(
        walked
            .at(bytes(&folder.join("homes/me/file")))
            .content
            .as_deref(),
        Some(&b"homes/me/file"[..])
    );
    mode(&folder.join("homes"), 0o700);
}

#[test]
fn attributes_of_an_unreadable_file_are_an_error_but_not_its_metadata() {
    let Some(folder) = as_nobody(
        "unprivileged::attributes_of_an_unreadable_file_are_an_error_but_not_its_metadata",
    ) else {
        return;
    };
    grow(&folder, &["fifo-like", "file"]);
    let path = folder.join("file");
    rustix::fs::setxattr(&path, "user.note", b"x", rustix::fs::XattrFlags::empty()).unwrap();
    mode(&path, 0o200);
    let mut file = crate::entry(&inside(&folder, |_| {}), "file");
    let error = file.handle.complete(&mut file.node).unwrap_err();
    assert!(error.message.contains("user.note"), "{error}");
    assert_eq!(file.node.size_bytes, 4);
}
