//! The real restic, which has the last word on what the format is.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::Ran;

/// The oldest restic that the tests trust: major and minor number.
const OLDEST: (u32, u32) = (0, 18);

/// The installed restic and one repository.
///
/// Nothing of the person's environment reaches it, and its cache is a folder of its own, so that tests do not
/// see each other. The password travels in the environment, never in the arguments.
#[derive(Debug)]
pub struct Restic {
    repository: OsString,
    password: String,
    home: TempDir,
    environment: Vec<(OsString, OsString)>,
}

impl Restic {
    /// restic on a repository that need not exist yet.
    ///
    /// # Panics
    /// Where restic is missing or older than 0.18; the message says what installs it.
    pub fn new(repository: impl AsRef<OsStr>, password: &str) -> Self {
        assert_version();
        let home = tempfile::Builder::new()
            .prefix("restic-home-")
            .tempdir()
            .expect("a temporary directory");
        Self {
            repository: repository.as_ref().to_owned(),
            password: password.to_owned(),
            home,
            environment: Vec::new(),
        }
    }

    /// Sets a variable for every run from here on, such as the key for a storage.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let (name, value) = (name.as_ref().to_owned(), value.as_ref().to_owned());
        self.environment.push((name, value));
        self
    }

    /// A command with repository, password and cache set, to add arguments to.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = bare_command();
        command
            .env("HOME", self.home.path())
            .env("RESTIC_CACHE_DIR", self.cache_dir())
            .env("RESTIC_REPOSITORY", &self.repository)
            .env("RESTIC_PASSWORD", &self.password)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.home.path())
            .args(args);
        command
    }

    /// Where this restic keeps its cache.
    pub fn cache_dir(&self) -> PathBuf {
        self.home.path().join("cache")
    }

    /// Runs restic to its end, whatever comes of it.
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        Ran::run(&mut self.command(args), b"")
    }

    /// Makes the repository, in format version 2.
    #[track_caller]
    pub fn init(&self) {
        self.init_version(2);
    }

    /// Makes the repository in a format version: 1 or 2.
    #[track_caller]
    pub fn init_version(&self, version: u32) {
        self.run(["init", "--repository-version", &version.to_string()])
            .ok();
    }

    /// Backs the paths up; the summary that restic prints, with `snapshot_id`, `data_added`, `files_new` …
    #[track_caller]
    pub fn backup(&self, paths: &[&Path]) -> Value {
        let none: [&str; 0] = [];
        self.backup_with(none, paths)
    }

    /// Like [`Self::backup`] with more arguments.
    #[track_caller]
    pub fn backup_with<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        paths: &[&Path],
    ) -> Value {
        let mut command = self.command(["backup", "--json"]);
        command.args(args).arg("--").args(paths);
        Ran::run(&mut command, b"").ok().json_message("summary")
    }

    /// Restores a snapshot (`latest`, an id, `id:/folder`) into a directory.
    #[track_caller]
    pub fn restore(&self, snapshot: &str, target: &Path) {
        Ran::run(
            self.command(["restore", snapshot, "--target"]).arg(target),
            b"",
        )
        .ok();
    }

    /// Restores what lies below `folder` in a snapshot, so that its entries lie directly in `target`.
    #[track_caller]
    pub fn restore_folder(&self, snapshot: &str, folder: &Path, target: &Path) {
        let mut from = OsString::from(snapshot);
        from.push(":");
        from.push(folder);
        let mut command = self.command(["restore"]);
        Ran::run(command.arg(from).arg("--target").arg(target), b"").ok();
    }

    /// Checks structure and every byte of every pack.
    #[track_caller]
    pub fn check_read_data(&self) {
        self.run(["check", "--read-data", "--no-cache"]).ok();
    }

    /// The snapshots as restic tells them.
    #[track_caller]
    pub fn snapshots(&self) -> Vec<Value> {
        let ran = self.run(["snapshots", "--json", "--no-cache"]).ok();
        ran.json().as_array().cloned().unwrap_or_default()
    }

    /// Full ids of the snapshots, oldest first.
    #[track_caller]
    pub fn snapshot_ids(&self) -> Vec<String> {
        self.snapshots()
            .iter()
            .map(|s| s["id"].as_str().expect("an id").to_owned())
            .collect()
    }

    /// Applies a policy (`--keep-last 1` …) and prunes.
    #[track_caller]
    pub fn forget_prune<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) {
        Ran::run(self.command(["forget", "--prune"]).args(args), b"").ok();
    }

    /// The ids of all files of a kind: `packs`, `index`, `snapshots`, `keys`, `locks`; or all `blobs`.
    #[track_caller]
    pub fn list(&self, kind: &str) -> Vec<String> {
        let ran = self.run(["list", kind, "--no-lock", "--no-cache"]).ok();
        ran.stdout_text().lines().map(str::to_owned).collect()
    }
}

/// restic with an empty environment: only the search path and the folder for temporary files are kept.
fn bare_command() -> Command {
    let mut command = Command::new("restic");
    command.env_clear();
    for name in ["PATH", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

fn assert_version() {
    static VERSION: OnceLock<String> = OnceLock::new();
    let printed = VERSION.get_or_init(|| {
        let output = bare_command().arg("version").output();
        let output = output
            .unwrap_or_else(|e| panic!("restic cannot be started ({e}); {}", how_to_install()));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    });
    let found = version_of(printed);
    assert!(
        found.is_some_and(|v| v >= OLDEST),
        "the installed restic is {printed:?}; {}",
        how_to_install()
    );
}

fn how_to_install() -> String {
    let (major, minor) = OLDEST;
    format!(
        "the tests need restic {major}.{minor} or later: run scripts/install-test-packages as root"
    )
}

/// Major and minor number from `restic 0.18.0 compiled with …`.
fn version_of(printed: &str) -> Option<(u32, u32)> {
    let mut numbers = printed
        .strip_prefix("restic ")?
        .split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Restic, version_of};

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(
            version_of("restic 0.18.0 compiled with go1.24.4 on linux/amd64"),
            Some((0, 18))
        );
        assert_eq!(version_of("restic 0.9.6 (v0.9.6)"), Some((0, 9)));
        assert_eq!(version_of("restic 1.2-dev"), Some((1, 2)));
        assert_eq!(version_of("bash: restic: command not found"), None);
        assert!((0, 9) < super::OLDEST && (1, 0) > super::OLDEST);
    }

    #[test]
    fn one_backup_and_its_way_back() {
        let dir = tempfile::tempdir().unwrap();
        let (source, target) = (dir.path().join("source"), dir.path().join("target"));
        std::fs::create_dir(&source).unwrap();
        std::fs::write(source.join("a"), b"kept").unwrap();
        let restic = Restic::new(dir.path().join("vault"), "try-me");
        restic.init();
        let summary = restic.backup(&[Path::new(&source)]);
        assert_eq!(summary["files_new"], 1);
        assert_eq!(restic.snapshot_ids().len(), 1);
        assert_eq!(restic.list("packs").len(), 2);
        restic.check_read_data();
        restic.restore_folder("latest", &source, &target);
        assert_eq!(std::fs::read(target.join("a")).unwrap(), b"kept");
        restic.forget_prune(["--keep-last", "1"]);
        assert!(restic.cache_dir().is_dir());
    }
}
