//! A mount that a test holds.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use strongroom_testkit::Ran;

use crate::vault::Vault;

/// `strongroom mount` on `./mnt`, ready. Ends with the test, whatever becomes of it.
pub struct Mounted {
    pub folder: PathBuf,
    child: Option<Child>,
}

impl Mounted {
    /// Mounts with more arguments.
    #[track_caller]
    pub fn start(vault: &Vault, arguments: &[&str]) -> Self {
        let folder = vault.path("mnt");
        std::fs::create_dir_all(&folder).unwrap();
        let words = [&["mount", "mnt"][..], arguments].concat();
        let mut child = vault.program.spawn(words);
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        if line.is_empty() {
            let ended = Ran::from_output("strongroom mount", child.wait_with_output().unwrap());
            panic!(
                "nothing was mounted; the tests need FUSE (/dev/fuse, and root or fusermount3): {ended}"
            );
        }
        assert!(line.contains("mnt"), "{line}");
        assert!(is_mounted(&folder));
        Self {
            folder,
            child: Some(child),
        }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.join(below)
    }

    /// Ends it by a signal, and waits.
    #[track_caller]
    pub fn signal(mut self, signal: &str) -> Ran {
        let child = self.child.take().unwrap();
        let pid = child.id().to_string();
        let kill = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(kill.success());
        Ran::from_output("strongroom mount", child.wait_with_output().unwrap())
    }

    /// Waits until it has ended by itself.
    #[track_caller]
    pub fn wait(mut self) -> Ran {
        let child = self.child.take().unwrap();
        Ran::from_output("strongroom mount", child.wait_with_output().unwrap())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // A test that failed with something open: the folder must be free before it is removed.
            let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Whether something is mounted there.
pub fn is_mounted(folder: &Path) -> bool {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let folder = folder.to_str().unwrap();
    mounts
        .lines()
        .any(|line| line.split(' ').nth(4) == Some(folder))
}

/// The names in a folder, sorted.
#[track_caller]
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<String> = entries.map(|e| name(e).into_string().unwrap()).collect();
    names.sort();
    names
}
