//! Where a repository's password comes from: a file, a command, the environment, or the terminal.

mod command;
mod file;
mod prompt;

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use crate::arguments::{FromPasswordArguments, GlobalArguments};
use crate::context::Context;
use crate::environment::{Environment, PREFIXES};
use crate::error::{Error, Result};

/// Where to take a password from.
#[derive(Debug, Clone)]
pub enum PasswordSource {
    /// The text of the file; white space around it does not belong to it.
    File(PathBuf),
    /// What a command prints; white space around it does not belong to it.
    Command(String),
    /// From the environment, as it is.
    Value(SecretString),
    /// The empty password, asked for by name.
    Empty,
    /// Nobody said; the terminal is asked.
    Terminal,
}

/// What the password is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To open what has a password already.
    Open,
    /// To be set; typed twice on a terminal.
    New,
}

impl PasswordSource {
    /// For the nth repository of `--repo`: the nth `--password-file`, or the one for all.
    pub fn of_repository(
        global: &GlobalArguments,
        nth: usize,
        environment: &Environment,
    ) -> Result<Self> {
        let files = &global.password_file;
        let file = match files.as_slice() {
            [one] => Some(one),
            files => files.get(nth),
        };
        let given = Given {
            file: file.cloned(),
            command: global.password_command.clone(),
            none: global.insecure_no_password,
        };
        given.resolve(environment, "", "--insecure-no-password")
    }

    /// For the repository of `--from-repo`.
    pub fn of_source(from: &FromPasswordArguments, environment: &Environment) -> Result<Self> {
        let given = Given {
            file: from.from_password_file.clone(),
            command: from.from_password_command.clone(),
            none: from.from_insecure_no_password,
        };
        given.resolve(environment, "FROM_", "--from-insecure-no-password")
    }

    /// Whether a second try can bring another password.
    pub fn asks(&self) -> bool {
        matches!(self, Self::Terminal)
    }

    /// Gets the password. `what` names the repository in questions and errors.
    pub async fn obtain(
        &self,
        context: &Context,
        purpose: Purpose,
        what: &str,
    ) -> Result<SecretString> {
        let secret = match self {
            Self::Empty => return Ok(SecretString::from("")),
            Self::Value(secret) => secret.clone(),
            Self::File(path) => file::read(path)?,
            Self::Command(line) => command::run(line, context).await?,
            Self::Terminal => prompt::ask(context, purpose, what).await?,
        };
        match secret.expose_secret().is_empty() {
            true => Err(Error::refused(format!(
                "the password for {what} is empty, which protects nothing"
            ))
            .hint("give a password, or --insecure-no-password if an empty one is meant")),
            false => Ok(secret),
        }
    }
}

/// What the command line says about a password.
struct Given {
    file: Option<PathBuf>,
    command: Option<String>,
    none: bool,
}

impl Given {
    /// The command line before our variables before restic's; within a family the command before the file before the value.
    fn resolve(
        self,
        environment: &Environment,
        infix: &str,
        none_option: &str,
    ) -> Result<PasswordSource> {
        let given = self.command.map(PasswordSource::Command);
        let given = given.or(self.file.map(PasswordSource::File));
        let found = match given {
            Some(source) => Some(source),
            None => PREFIXES
                .iter()
                .map(|prefix| of_family(environment, &format!("{prefix}{infix}PASSWORD")))
                .find_map(Result::transpose)
                .transpose()?,
        };
        match (self.none, found) {
            (true, Some(_)) => Err(Error::usage(format!(
                "{none_option} and a password given otherwise exclude each other"
            ))
            .hint("leave out one of the two; passwords may come from STRONGROOM_PASSWORD… or RESTIC_PASSWORD…")),
            (true, None) => Ok(PasswordSource::Empty),
            (false, found) => Ok(found.unwrap_or(PasswordSource::Terminal)),
        }
    }
}

fn of_family(environment: &Environment, name: &str) -> Result<Option<PasswordSource>> {
    let text = |name: &str| match environment.variable(name) {
        None => Ok(None),
        Some(value) => match value.to_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(Error::usage(format!("{name} is not valid UTF-8"))),
        },
    };
    if let Some(line) = text(&format!("{name}_COMMAND"))? {
        return Ok(Some(PasswordSource::Command(line)));
    }
    if let Some(path) = environment.variable(format!("{name}_FILE")) {
        return Ok(Some(PasswordSource::File(path.into())));
    }
    Ok(text(name)?.map(|value| PasswordSource::Value(SecretString::from(value))))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::{Environment, GlobalArguments, PasswordSource};

    fn source(global: &GlobalArguments, variables: &[(&str, &str)]) -> String {
        match PasswordSource::of_repository(global, 1, &Environment::of(variables)) {
            Ok(PasswordSource::File(path)) => format!("file {}", path.display()),
            Ok(PasswordSource::Command(line)) => format!("command {line}"),
            Ok(PasswordSource::Value(secret)) => format!("value {}", secret.expose_secret()),
            Ok(PasswordSource::Empty) => "empty".into(),
            Ok(PasswordSource::Terminal) => "terminal".into(),
            Err(error) => format!("error {}", error.code.number()),
        }
    }

    #[test]
    fn the_command_line_wins_then_our_variables_then_restics() {
        let nothing = GlobalArguments::default();
        let file = GlobalArguments {
            password_file: vec!["/f".into()],
            ..Default::default()
        };
        let none = GlobalArguments {
            insecure_no_password: true,
            ..Default::default()
        };
        let ours = ("STRONGROOM_PASSWORD", "ours");
        let theirs = ("RESTIC_PASSWORD_COMMAND", "theirs");
        assert_eq!(source(&file, &[ours, theirs]), "file /f");
        let each = GlobalArguments {
            password_file: vec!["/first".into(), "/second".into()],
            ..Default::default()
        };
        assert_eq!(source(&each, &[ours]), "file /second");
        assert_eq!(source(&nothing, &[ours, theirs]), "value ours");
        assert_eq!(source(&nothing, &[theirs]), "command theirs");
        assert_eq!(
            source(&nothing, &[ours, ("STRONGROOM_PASSWORD_FILE", "/g")]),
            "file /g"
        );
        assert_eq!(source(&nothing, &[]), "terminal");
        assert_eq!(source(&none, &[]), "empty");
        assert_eq!(source(&none, &[ours]), "error 2");
    }
}
