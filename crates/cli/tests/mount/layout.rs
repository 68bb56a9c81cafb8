//! Where snapshots are found.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use strongroom_testkit::{Ran, strongroom};

use crate::mounted::{Mounted, names};
use crate::vault::Vault;

/// The user without rights of every Debian.
const NOBODY: u32 = 65534;

fn backup(vault: &Vault, content: &str, arguments: &[&str]) {
    std::fs::write(vault.path("source/one.txt"), content).unwrap();
    vault.run(&[&["backup", "source"], arguments].concat()).ok();
}

fn three() -> Vault {
    let vault = Vault::new(strongroom!());
    let (first, second) = ("2020-01-01 10:00:00", "2021-02-03 04:05:06");
    backup(
        &vault,
        "a",
        &["--time", first, "--host", "ada", "--tag", "x,y/z"],
    );
    backup(&vault, "b", &["--time", second, "--host", "ada"]);
    backup(
        &vault,
        "c",
        &["--time", second, "--host", "b/../b", "--tag", ".."],
    );
    vault
}

#[test]
fn snapshots_are_found_by_id_time_host_and_tag() {
    let vault = three();
    let mounted = Mounted::start(&vault, &[]);
    let names = |below: &str| names(&mounted.path(below));
    let (first, second) = ("2020-01-01T10:00:00Z", "2021-02-03T04:05:06Z");
    let again = "2021-02-03T04:05:06Z-1";
    assert_eq!(names(""), ["hosts", "ids", "snapshots", "tags"]);
    let mut ids: Vec<String> = vault.restic().snapshot_ids();
    ids.iter_mut().for_each(|id| id.truncate(8));
    ids.sort();
    assert_eq!(names("ids"), ids);
    assert_eq!(names("snapshots"), [first, second, again, "latest"]);
    // What a snapshot says of itself makes no folders and leads nowhere else.
    assert_eq!(names("hosts"), ["ada", "b_.._b"]);
    assert_eq!(names("hosts/ada"), [first, second, "latest"]);
    assert_eq!(names("tags"), ["__", "x", "y_z"]);
    assert_eq!(names("tags/y_z"), [first, "latest"]);
    let content =
        |below: &str| std::fs::read_to_string(mounted.path(below).join("source/one.txt")).unwrap();
    assert_eq!(content("hosts/ada/latest"), "b");
    assert_eq!(content("hosts/b_.._b/latest"), "c");
    assert_eq!(content("tags/x/latest"), "a");
    assert_eq!(content(&format!("snapshots/{first}")), "a");
    let target = std::fs::read_link(mounted.path("tags/x/latest")).unwrap();
    assert_eq!(target.to_str(), Some(first));
    let time = mounted
        .path("snapshots")
        .join(first)
        .metadata()
        .unwrap()
        .mtime();
    assert_eq!(time, 1_577_872_800);
}

#[test]
fn filters_and_templates_choose_what_is_shown_where() {
    let vault = three();
    let templates = ["--path-template", "by/%h-%u/%T", "--path-template", "%I"];
    let time = ["--time-template", "2006/01/02_15-04"];
    let mounted = Mounted::start(
        &vault,
        &[&["--host", "ada"][..], &templates, &time].concat(),
    );
    let top = names(&mounted.folder);
    assert_eq!(top.len(), 3, "{top:?}");
    assert!(top.contains(&"by".to_owned()), "{top:?}");
    let host = names(&mounted.path("by"));
    assert_eq!(host.len(), 1);
    let host = mounted.path("by").join(&host[0]);
    assert_eq!(names(&host), ["2020", "2021", "latest"]);
    assert_eq!(names(&host.join("2020/01")), ["01_10-00"]);
    assert_eq!(
        std::fs::read_to_string(host.join("latest/source/one.txt")).unwrap(),
        "b"
    );
    mounted.signal("-TERM").ok();
    for wrong in [
        &["--path-template", "fixed"][..],
        &["--path-template", "../%T"],
        &["--time-template", "/"],
    ] {
        vault
            .run(&[&["mount", "mnt"], wrong].concat())
            .expect_code(2);
    }
}

#[test]
fn an_empty_repository_has_its_folders() {
    let vault = Vault::new(strongroom!());
    let mounted = Mounted::start(&vault, &[]);
    assert_eq!(
        names(&mounted.folder),
        ["hosts", "ids", "snapshots", "tags"]
    );
    assert!(names(&mounted.path("snapshots")).is_empty());
}

#[test]
fn a_new_snapshot_appears_while_it_is_mounted() {
    let vault = Vault::new(strongroom!());
    backup(&vault, "old", &["--time", "2020-01-01"]);
    let mounted = Mounted::start(&vault, &["--reload-every", "0"]);
    let latest = mounted.path("snapshots/latest/source/one.txt");
    assert_eq!(std::fs::read_to_string(&latest).unwrap(), "old");
    backup(&vault, "new", &["--time", "2020-01-02"]);
    assert_eq!(std::fs::read_to_string(&latest).unwrap(), "new");
    assert_eq!(names(&mounted.path("ids")).len(), 2);
    // The mount's lock holds off what deletes.
    vault.run(&["prune"]).expect_code(11);
    mounted.signal("-TERM").ok();
    assert!(vault.restic().list("locks").is_empty());
}

/// Other users get nothing, or what the modes allow, or everything: as was asked.
#[test]
fn others_may_look_where_allowed() {
    let vault = Vault::new(strongroom!());
    let secret = vault.path("source/secret");
    std::fs::write(&secret, "s").unwrap();
    set_mode(&secret, 0o600);
    vault.backup();
    set_mode(vault.program.home(), 0o755);
    let readable = |mounted: &Mounted, name: &str| {
        let path = mounted.path("snapshots/latest/source").join(name);
        let mut command = Command::new("cat");
        let command = command.arg(path).uid(NOBODY).gid(NOBODY);
        Ran::run(command, b"").code == 0
    };
    for (arguments, open, closed) in [
        (&[][..], false, false),
        (&["--allow-other"], true, false),
        (&["--allow-other", "--no-default-permissions"], true, true),
    ] {
        let mounted = Mounted::start(&vault, arguments);
        assert_eq!(readable(&mounted, "one.txt"), open, "{arguments:?}");
        assert_eq!(readable(&mounted, "secret"), closed, "{arguments:?}");
        mounted.signal("-TERM").ok();
    }
}

fn set_mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
