//! Profiles in `~/.aws/credentials` and `~/.aws/config`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use crate::failure::Failure;
use crate::secret::SecretSource;
use crate::{ErrorKind, Options, Surroundings};

use super::credentials::{AccessKey, process_output};
use super::options::PROFILE;

/// Where profiles stand, and which of them counts.
#[derive(Debug, Clone)]
pub(super) struct Profiles {
    credentials: Option<PathBuf>,
    config: Option<PathBuf>,
    name: String,
    /// Somebody has named the profile, so that it must be there.
    pub(super) is_named: bool,
}

impl Profiles {
    pub(super) fn new(options: &Options, surroundings: &Surroundings) -> Self {
        let file = |variable: &str, name: &str| {
            let named = surroundings.variable(&[variable]).map(PathBuf::from);
            named.or_else(|| Some(surroundings.home()?.join(".aws").join(name)))
        };
        let name = options
            .text(PROFILE)
            .or_else(|| surroundings.variable(&["AWS_PROFILE"]));
        Self {
            credentials: file("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
            config: file("AWS_CONFIG_FILE", "config"),
            name: name.unwrap_or("default").to_owned(),
            is_named: name.is_some(),
        }
    }

    /// A setting of the profile, which is no secret.
    pub(super) fn setting(&self, key: &str) -> Option<String> {
        let profile = self.read();
        let value = profile.get(key)?.expose_secret();
        Some(value.to_owned()).filter(|value| !value.is_empty())
    }

    /// The keys of the profile; `None` where it has none.
    pub(super) async fn access_key(&self) -> Result<Option<AccessKey>, Failure> {
        let profile = self.read();
        let get = |key: &str| profile.get(key).map(ExposeSecret::expose_secret);
        if let (Some(id), Some(secret)) = (
            get("aws_access_key_id"),
            profile.get("aws_secret_access_key"),
        ) {
            return Ok(Some(AccessKey {
                id: id.to_owned(),
                secret: secret.clone(),
                session_token: profile.get("aws_session_token").cloned(),
                expires: None,
            }));
        }
        if let Some(line) = get("credential_process") {
            let words = shell_words::split(line).unwrap_or_default();
            if words.is_empty() {
                return Err(self.failed("credential_process is no command whose quotes are closed"));
            }
            let printed = SecretSource::Command(words).obtain().await?;
            return process_output(&printed).map(Some);
        }
        if ["role_arn", "sso_session", "sso_start_url"]
            .iter()
            .any(|key| get(key).is_some())
        {
            return Err(self.failed(
                "it takes a role or a sign-in at AWS, which is not done here; let it have the line credential_process = \
                 aws configure export-credentials --profile NAME --format process",
            ));
        }
        match self.is_named {
            true => Err(self.failed("it has no keys, or there is no such profile")),
            false => Ok(None),
        }
    }

    fn failed(&self, why: &str) -> Failure {
        let file = |file: &Option<PathBuf>| {
            let file = file.as_ref().map(|file| file.display().to_string());
            file.unwrap_or_else(|| "no home folder".to_owned())
        };
        let message = format!(
            "the profile {:?} of {} and {}: {why}",
            self.name,
            file(&self.credentials),
            file(&self.config)
        );
        Failure::new(ErrorKind::Unauthenticated, message)
    }

    /// What both files say of the profile; that of the credentials counts first.
    fn read(&self) -> BTreeMap<String, SecretString> {
        let text = |file: &Option<PathBuf>| {
            let text = file
                .as_ref()
                .and_then(|file| std::fs::read_to_string(file).ok());
            SecretString::from(text.unwrap_or_default())
        };
        let mut profile = section(text(&self.config).expose_secret(), |header| {
            let named = header.strip_prefix("profile").map(str::trim_start);
            named == Some(&self.name) || header == "default" && self.name == "default"
        });
        let own = section(text(&self.credentials).expose_secret(), |header| {
            header == self.name
        });
        profile.extend(own);
        profile
    }
}

/// The settings below a header; lines that are indented belong to another setting and are passed over.
fn section(text: &str, is_ours: impl Fn(&str) -> bool) -> BTreeMap<String, SecretString> {
    let mut settings = BTreeMap::new();
    let mut ours = false;
    for line in text.lines() {
        let is_indented = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(header) = line.strip_prefix('[') {
            let header = header.split(']').next().unwrap_or_default();
            ours = is_ours(header.trim());
        } else if let Some((key, value)) = line.split_once('=')
            && ours
            && !is_indented
        {
            let value = SecretString::from(value.trim().to_owned());
            settings.insert(key.trim().to_ascii_lowercase(), value);
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of another profile open another account.
    #[test]
    fn a_section_is_that_of_its_name_alone() {
        let text = "a = lost\n[default]\nregion = eu\n# region = us\ns3 =\n  region = no\n\n[ other ]\nregion=x = y\nKey =\n";
        let of = |name: &str| section(text, |header| header == name);
        let get = |name: &str, key: &str| {
            let section = of(name);
            section
                .get(key)
                .map(|value| value.expose_secret().to_owned())
        };
        assert_eq!(get("default", "region").as_deref(), Some("eu"));
        assert_eq!(get("other", "region").as_deref(), Some("x = y"));
        assert_eq!(get("other", "key").as_deref(), Some(""));
        assert_eq!(get("default", "a"), None);
        assert!(of("third").is_empty());
    }
}
