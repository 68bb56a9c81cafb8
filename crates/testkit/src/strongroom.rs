//! The built executable, run as a new user would run it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::{Ran, Terminal};

/// The executable in a home of its own.
///
/// The environment holds only the search path, a home folder with its XDG folders inside a temporary directory,
/// UTF-8 as character set, and what the test sets; nothing that begins with `STRONGROOM_` or `RESTIC_` comes in from outside.
#[derive(Debug)]
pub struct Strongroom {
    executable: PathBuf,
    home: TempDir,
    environment: Vec<(OsString, OsString)>,
}

/// The executable that Cargo built for this test: `strongroom!()`. Works in the tests of the crate that builds it.
#[macro_export]
macro_rules! strongroom {
    () => {
        $crate::Strongroom::new(env!("CARGO_BIN_EXE_strongroom"))
    };
}

impl Strongroom {
    /// Takes the executable's path; no repository and no password are set.
    pub fn new(executable: impl Into<PathBuf>) -> Self {
        let home = tempfile::Builder::new()
            .prefix("strongroom-home-")
            .tempdir()
            .expect("a temporary directory");
        let executable = executable.into();
        assert!(
            executable.is_file(),
            "{} is not built",
            executable.display()
        );
        Self {
            executable,
            home,
            environment: Vec::new(),
        }
    }

    /// Sets the repository by `STRONGROOM_REPOSITORY`.
    #[must_use]
    pub fn repository(self, url: impl AsRef<OsStr>) -> Self {
        self.env("STRONGROOM_REPOSITORY", url)
    }

    /// Sets the password by `STRONGROOM_PASSWORD`.
    #[must_use]
    pub fn password(self, password: &str) -> Self {
        self.env("STRONGROOM_PASSWORD", password)
    }

    /// Sets a variable for every run from here on.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// The home folder; runs start here unless the test sets another directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Where the program keeps its cache (`STRONGROOM_CACHE_DIR`).
    pub fn cache_dir(&self) -> PathBuf {
        self.home().join("cache")
    }

    /// A command with the environment set, to add to.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.executable);
        self.set_surroundings(&mut command);
        command.args(args);
        command
    }

    /// A shell script that finds the executable as `strongroom`, as in documents and in people's own scripts.
    pub fn shell(&self, script: &str) -> Command {
        let mut command = Command::new("sh");
        self.set_surroundings(&mut command);
        let folder = self.executable.parent().expect("a folder").to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(folder).chain(std::env::split_paths(&path));
        command.env(
            "PATH",
            std::env::join_paths(folders).expect("folders without colons"),
        );
        command.args(["-c", script]);
        command
    }

    fn set_surroundings(&self, command: &mut Command) {
        command.env_clear();
        for name in ["PATH", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let folder = |name: &str| self.home().join(name);
        command
            .env("HOME", self.home())
            .env("LC_ALL", "C.UTF-8")
            .env("XDG_CACHE_HOME", folder(".cache"))
            .env("XDG_CONFIG_HOME", folder(".config"))
            .env("XDG_STATE_HOME", folder(".local/state"))
            .env("STRONGROOM_CACHE_DIR", self.cache_dir())
            .env("STRONGROOM_STATE_DIR", folder("state"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.home());
    }

    /// Runs to the end without input.
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        self.run_with_stdin(args, b"")
    }

    /// Runs to the end with bytes on standard input.
    pub fn run_with_stdin<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        stdin: &[u8],
    ) -> Ran {
        Ran::run(&mut self.command(args), stdin)
    }

    /// Starts on a terminal: for prompts, confirmations and progress.
    pub fn on_terminal<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Terminal {
        Terminal::start(&self.command(args))
    }

    /// Starts without waiting; pipes on all three streams. For tests that signal or kill the program.
    pub fn spawn<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Child {
        let mut command = self.command(args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {}: {e}", self.executable.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::Strongroom;

    #[test]
    fn nothing_of_the_outside_comes_in_and_what_the_test_sets_does() {
        let program = Strongroom::new("/usr/bin/env")
            .repository("./vault")
            .password("try-me")
            .env("TZ", "UTC");
        let text = program.run([""; 0]).ok().stdout_text();
        let home = program.home().to_str().unwrap();
        assert!(text.contains("STRONGROOM_REPOSITORY=./vault\n"));
        assert!(text.contains(&format!("HOME={home}\n")));
        assert!(text.contains(&format!("STRONGROOM_CACHE_DIR={home}/cache\n")));
        assert!(
            !text.contains("CARGO") && !text.contains("RESTIC_"),
            "{text}"
        );
    }
}
