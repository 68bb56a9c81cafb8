//! What a storage may learn of the person's surroundings, as values.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// Variables of the environment, the home folder and the user's name, read by whoever starts the program.
///
/// This crate looks at nothing of the kind by itself, so that a test and a server decide what a storage sees. Shows only
/// the names of variables: their values may be secrets.
#[derive(Clone, Default)]
pub struct Surroundings {
    variables: BTreeMap<String, String>,
    home: Option<PathBuf>,
    user: Option<String>,
}

impl Surroundings {
    /// Surroundings with these variables; one that is empty counts as unset.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let set = |(_, value): &(String, String)| !value.is_empty();
        Self {
            variables: variables.into_iter().filter(set).collect(),
            home: None,
            user: None,
        }
    }

    /// With a home folder, in which some kinds look for their usual files.
    #[must_use]
    pub fn with_home(mut self, home: Option<PathBuf>) -> Self {
        self.home = home;
        self
    }

    /// With the name of the user that the program runs as.
    #[must_use]
    pub fn with_user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// The first of these variables that is set.
    pub fn variable(&self, names: &[&str]) -> Option<&str> {
        let mut values = names.iter().filter_map(|name| self.variables.get(*name));
        values.next().map(String::as_str)
    }

    /// The home folder.
    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// The user's name.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings")
            .field("variables", &self.variables.keys().collect::<Vec<_>>())
            .field("home", &self.home)
            .field("user", &self.user)
            .finish()
    }
}
