//! The one place that reads the environment, the home folder, the terminal, the clock's zone and the user.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::path::PathBuf;

use jiff::tz::TimeZone;
use strongroom_storage::Surroundings;

/// What the program takes from its surroundings: read once at the start, handed on as a value.
#[derive(Debug, Clone)]
pub struct Environment {
    variables: HashMap<OsString, OsString>,
    /// Whether standard input, output and error are terminals.
    pub stdin_is_terminal: bool,
    pub stdout_is_terminal: bool,
    pub stderr_is_terminal: bool,
    /// The zone that times are shown in and that retention counts days in.
    pub time_zone: TimeZone,
    pub hostname: String,
    pub username: String,
    pub uid: u32,
    pub gid: u32,
    /// Absolute; `None` where it was removed under the program's feet.
    pub working_directory: Option<PathBuf>,
}

impl Environment {
    /// Reads all of it.
    pub fn read() -> Self {
        let uid = rustix::process::getuid().as_raw();
        Self {
            variables: std::env::vars_os().collect(),
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            time_zone: TimeZone::system(),
            hostname: rustix::system::uname()
                .nodename()
                .to_string_lossy()
                .into_owned(),
            username: username(uid),
            uid,
            gid: rustix::process::getgid().as_raw(),
            working_directory: std::env::current_dir().ok(),
        }
    }

    /// A variable; one that is set to nothing counts as unset.
    pub fn variable(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        let value = self.variables.get(name.as_ref())?;
        (!value.is_empty()).then_some(value.as_os_str())
    }

    /// `STRONGROOM_NAME`, or `RESTIC_NAME` where ours is unset.
    pub fn setting(&self, name: &str) -> Option<&OsStr> {
        PREFIXES
            .iter()
            .find_map(|prefix| self.variable(format!("{prefix}{name}")))
    }

    /// Like [`Self::setting`] for what has to be text; what is no UTF-8 counts as unset.
    pub fn setting_text(&self, name: &str) -> Option<&str> {
        self.setting(name).and_then(OsStr::to_str)
    }

    /// What storages may learn: variables that are text, the home folder, and the user's name.
    pub fn surroundings(&self) -> Surroundings {
        let text = |(name, value): (&OsString, &OsString)| {
            Some((name.to_str()?.to_owned(), value.to_str()?.to_owned()))
        };
        Surroundings::new(self.variables.iter().filter_map(text))
            .with_home(self.variable("HOME").map(PathBuf::from))
            .with_user(&*self.username)
    }

    /// Where caches go: `STRONGROOM_CACHE_DIR`, `XDG_CACHE_HOME/strongroom`, `~/.cache/strongroom`.
    ///
    /// `RESTIC_CACHE_DIR` is not read: the two programs' caches have different layouts.
    pub fn cache_directory(&self) -> Option<PathBuf> {
        let absolute = |name| {
            self.variable(name)
                .map(PathBuf::from)
                .filter(|p| p.is_absolute())
        };
        self.variable("STRONGROOM_CACHE_DIR")
            .map(PathBuf::from)
            .or_else(|| absolute("XDG_CACHE_HOME").map(|p| p.join("strongroom")))
            .or_else(|| absolute("HOME").map(|p| p.join(".cache/strongroom")))
    }

    /// Where what has to last goes: `STRONGROOM_STATE_DIR`, `XDG_STATE_HOME/strongroom`, `~/.local/state/strongroom`.
    pub fn state_directory(&self) -> Option<PathBuf> {
        let absolute = |name| {
            self.variable(name)
                .map(PathBuf::from)
                .filter(|p| p.is_absolute())
        };
        self.variable("STRONGROOM_STATE_DIR")
            .map(PathBuf::from)
            .or_else(|| absolute("XDG_STATE_HOME").map(|p| p.join("strongroom")))
            .or_else(|| absolute("HOME").map(|p| p.join(".local/state/strongroom")))
    }

    /// Whether colours are wanted on a stream: `NO_COLOR`, `CLICOLOR_FORCE`, `CLICOLOR=0`, `TERM=dumb`, then the terminal.
    pub fn colour(&self, is_terminal: bool) -> bool {
        let is = |name: &str, value: &str| self.variable(name) == Some(OsStr::new(value));
        if self.variable("NO_COLOR").is_some() {
            return false;
        }
        if self.variable("CLICOLOR_FORCE").is_some() && !is("CLICOLOR_FORCE", "0") {
            return true;
        }
        is_terminal && !is("CLICOLOR", "0") && !is("TERM", "dumb")
    }
}

/// The families of variables, the stronger first.
pub const PREFIXES: [&str; 2] = ["STRONGROOM_", "RESTIC_"];

fn username(uid: u32) -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid));
    user.ok()
        .flatten()
        .map(|user| user.name)
        .unwrap_or_default()
}

#[cfg(test)]
impl Environment {
    /// An environment that holds these variables alone and no terminal.
    pub fn of(variables: &[(&str, &str)]) -> Self {
        Self {
            variables: variables
                .iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            stdin_is_terminal: false,
            stdout_is_terminal: false,
            stderr_is_terminal: false,
            time_zone: TimeZone::UTC,
            hostname: "host".into(),
            username: "user".into(),
            uid: 1000,
            gid: 1000,
            working_directory: Some("/".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Environment;

    #[test]
    fn our_names_win_and_what_is_empty_is_unset() {
        let both = Environment::of(&[("STRONGROOM_HOST", "ours"), ("RESTIC_HOST", "theirs")]);
        assert_eq!(both.setting_text("HOST"), Some("ours"));
        let empty = Environment::of(&[("STRONGROOM_HOST", ""), ("RESTIC_HOST", "theirs")]);
        assert_eq!(empty.setting_text("HOST"), Some("theirs"));
        assert_eq!(Environment::of(&[]).setting_text("HOST"), None);
    }

    #[test]
    fn the_cache_follows_the_xdg_rules() {
        let of = |variables: &[(&str, &str)]| Environment::of(variables).cache_directory();
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("HOME", "/h")]), Some("/h/.cache/strongroom".into()));
        assert_eq!(
            of(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")]),
            Some("/x/strongroom".into())
        );
        assert_eq!(
            of(&[("XDG_CACHE_HOME", "relative"), ("HOME", "/h")]),
            Some("/h/.cache/strongroom".into())
        );
        assert_eq!(
            of(&[("STRONGROOM_CACHE_DIR", "/c"), ("XDG_CACHE_HOME", "/x")]),
            Some("/c".into())
        );
    }

    #[test]
    fn no_color_wins_over_everything() {
        assert!(Environment::of(&[]).colour(true));
        assert!(!Environment::of(&[]).colour(false));
        assert!(!Environment::of(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]).colour(true));
        assert!(Environment::of(&[("CLICOLOR_FORCE", "1")]).colour(false));
        assert!(!Environment::of(&[("CLICOLOR", "0")]).colour(true));
        assert!(!Environment::of(&[("TERM", "dumb")]).colour(true));
    }
}
