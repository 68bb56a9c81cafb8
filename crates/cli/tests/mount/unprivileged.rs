//! A user without rights mounts a repository of theirs: the system's fusermount3 does it for them.
//!
//! Root plays that user in a mount namespace of its own, where /dev/fuse has the mode that udev gives it, or another.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use strongroom_testkit::{Ran, strongroom};

use crate::vault::Vault;

/// The user without rights of every Debian.
const NOBODY: u32 = 65_534;

/// Makes a /dev/fuse of a mode that only this process and its children see, and goes on as nobody.
const AS_NOBODY: &str = "set -e
mkdir device && mount -t tmpfs none device
mknod -m \"$MODE\" device/fuse c 10 229 && mount --bind device/fuse /dev/fuse
exec setpriv --reuid 65534 --regid 65534 --clear-groups sh -c \"$1\"";

/// Mounts, waits until it is told, looks, and ends it in the way of $END.
const LOOK: &str = "set -e
mkfifo told
./strongroom mount mnt >told & pid=$!
read line <told || wait $pid
cat mnt/snapshots/latest/source/one.txt
touch mnt/new && exit 3 || ls mnt/hosts >/dev/null
eval \"$END\"
wait $pid
if grep -F \" $PWD/mnt \" /proc/self/mountinfo; then exit 4; fi
rmdir mnt
./strongroom list locks";

fn give(path: &Path) {
    chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if path.is_dir() && !path.is_symlink() {
        for entry in path.read_dir().unwrap() {
            give(&entry.unwrap().path());
        }
    }
}

/// A repository of nobody's, and a copy of the executable that they may run. `None` where this is not root.
fn vault() -> Option<Vault> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let vault = Vault::new(strongroom!());
    vault.backup();
    std::fs::create_dir(vault.path("mnt")).unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_strongroom"), vault.path("strongroom")).unwrap();
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(vault.program.home(), open).unwrap();
    let entries = vault.program.home().read_dir().unwrap();
    entries.for_each(|entry| give(&entry.unwrap().path()));
    chown(vault.program.home(), Some(NOBODY), Some(NOBODY)).unwrap();
    Some(vault)
}

fn as_nobody(vault: &Vault, device_mode: &str, script: &str, environment: &[(&str, &str)]) -> Ran {
    let made = vault.program.command([""; 0]);
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", AS_NOBODY, "sh", script]);
    command.env_clear().env("MODE", device_mode);
    command.envs(made.get_envs().filter_map(|(k, v)| Some((k, v?))));
    command.envs(environment.iter().copied());
    Ran::run(command.current_dir(vault.program.home()), b"")
}

#[test]
fn an_ordinary_user_mounts_looks_and_unmounts() {
    for end in ["kill -INT $pid", "kill -TERM $pid", "fusermount3 -u mnt"] {
        let Some(vault) = vault() else { return };
        let ran = as_nobody(&vault, "666", LOOK, &[("END", end)]).ok();
        assert_eq!(ran.stdout_text(), "one\n", "{end}: {ran}");
        assert!(!ran.stderr_text().contains("warning"), "{end}: {ran}");
    }
}

#[test]
fn what_keeps_an_ordinary_user_from_mounting_is_said() {
    let Some(vault) = vault() else { return };
    let refused = |mode: &str, environment: &[(&str, &str)], told: &str| {
        let ran = as_nobody(&vault, mode, "./strongroom mount mnt", environment).expect_code(1);
        let text = ran.stderr_text();
        assert!(text.contains(told), "{told:?} is not in\n{ran}");
        assert!(
            text.contains("hint: install the system's package fuse3"),
            "{ran}"
        );
        std::fs::remove_dir(vault.path("device")).unwrap();
    };
    // The library looks for the program in this place alone then.
    let missing = ("FUSERMOUNT_PATH", "/nonexistent/fusermount3");
    refused("666", &[missing], "fusermount3, which is not installed");
    refused("600", &[], "this user may not open /dev/fuse");
    vault.restic().check_read_data();
}
