//! Tests of what a user without privilege meets: root may read everything, so they run themselves again as nobody.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

const NOBODY: u32 = 65_534;
const FOLDER: &str = "STRONGROOM_TEST_NOBODY_FOLDER";

/// Runs the test of this name (with its modules) again as nobody. Returns a folder of his own when this is that run,
/// and `None` in the outer one, where the inner run has passed.
///
/// # Panics
/// With the output of the inner run if it fails.
pub fn as_nobody(test: &str) -> Option<PathBuf> {
    if let Ok(folder) = std::env::var(FOLDER) {
        return Some(folder.into());
    }
    if !rustix::process::geteuid().is_root() {
        return Some(tempfile::tempdir().unwrap().keep());
    }
    // The executable lies where others may not look, so a copy of it is run.
    let folder = tempfile::tempdir().unwrap();
    let (program, work) = (folder.path().join("test"), folder.path().join("work"));
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    std::fs::create_dir(&work).unwrap();
    for place in [folder.path(), &program, &work] {
        std::fs::set_permissions(place, Permissions::from_mode(0o755)).unwrap();
        chown(place, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let mut command = Command::new(&program);
    let output = command
        .args(["--exact", test, "--nocapture"])
        .env(FOLDER, &work)
        .current_dir("/")
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}\n{output:?}"
    );
    None
}
