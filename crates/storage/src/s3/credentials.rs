//! Whose keys sign the requests: the usual places, in the usual order, asked when keys are needed and again when they expire.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::failure::Failure;
use crate::http::{HttpClient, HttpOptions};
use crate::options::OptionError;
use crate::secret::SecretSource;
use crate::{ErrorKind, Options, Surroundings};

use super::metadata::{Container, Instance};
use super::options::{
    ACCESS_KEY, NO_SIGN, PROFILE, SECRET_KEY_COMMAND, SECRET_KEY_FILE, SESSION_TOKEN_COMMAND,
    SESSION_TOKEN_FILE,
};
use super::profile::Profiles;
use super::web_identity::WebIdentity;

/// Keys that expire are replaced so long before: a request that takes long must still be signed by ones that hold.
const EARLY: SignedDuration = SignedDuration::from_mins(5);

/// A pair of keys, with the token that temporary ones have.
#[derive(Debug, Clone)]
pub(super) struct AccessKey {
    /// No secret, and shown in no message all the same.
    pub(super) id: String,
    pub(super) secret: SecretString,
    pub(super) session_token: Option<SecretString>,
    pub(super) expires: Option<Timestamp>,
}

impl AccessKey {
    fn is(&self, other: &Self) -> bool {
        let token = |key: &Self| {
            let token = key.session_token.as_ref();
            token.map(|token| token.expose_secret().to_owned())
        };
        let same_secret = self.secret.expose_secret() == other.secret.expose_secret();
        self.id == other.id && same_secret && token(self) == token(other)
    }
}

/// Places that may have keys, in their order; the first that has any counts.
#[derive(Debug, Clone)]
pub(super) struct Sources(Vec<Source>);

#[derive(Debug, Clone)]
enum Source {
    Nobody,
    Given {
        id: String,
        secret: SecretSource,
        token: Option<SecretSource>,
    },
    Profile(Profiles),
    WebIdentity(WebIdentity),
    Container(Container),
    Instance(Instance),
}

impl Sources {
    /// Options before the environment, keys before a profile, and what the machine itself has at the end.
    pub(super) fn new(
        options: &Options,
        surroundings: &Surroundings,
        profiles: Profiles,
    ) -> Result<Self, OptionError> {
        if options.flag(NO_SIGN)? {
            return Ok(Self(vec![Source::Nobody]));
        }
        let set = |key| options.text(key).is_some();
        if set(PROFILE) && !set(ACCESS_KEY) {
            return Ok(Self(vec![Source::Profile(profiles)]));
        }
        let id = options
            .text(ACCESS_KEY)
            .or_else(|| surroundings.variable(&["AWS_ACCESS_KEY_ID"]));
        let secret = SecretSource::find(
            options,
            surroundings,
            (SECRET_KEY_FILE, SECRET_KEY_COMMAND),
            &["AWS_SECRET_ACCESS_KEY"],
        )?;
        let token = SecretSource::find(
            options,
            surroundings,
            (SESSION_TOKEN_FILE, SESSION_TOKEN_COMMAND),
            &["AWS_SESSION_TOKEN"],
        )?;
        match (id, secret) {
            (Some(id), Some(secret)) => {
                let id = id.to_owned();
                return Ok(Self(vec![Source::Given { id, secret, token }]));
            }
            (Some(_), None) => {
                let expected = "a secret key beside it (s3.secret-key-file, s3.secret-key-command, AWS_SECRET_ACCESS_KEY)";
                return Err(OptionError::malformed(ACCESS_KEY, expected));
            }
            (None, Some(_)) => {
                let expected =
                    "the id of an access key beside it (s3.access-key, AWS_ACCESS_KEY_ID)";
                return Err(OptionError::malformed(SECRET_KEY_FILE, expected));
            }
            (None, None) => {}
        }
        if profiles.is_named {
            return Ok(Self(vec![Source::Profile(profiles)]));
        }
        let mut sources = Vec::new();
        sources.extend(WebIdentity::new(surroundings).map(Source::WebIdentity));
        sources.push(Source::Profile(profiles));
        sources.extend(Container::new(surroundings).map(Source::Container));
        sources.extend(Instance::new(surroundings).map(Source::Instance));
        Ok(Self(sources))
    }
}

/// The keys as they are now.
#[derive(Debug)]
pub(super) struct Credentials {
    sources: Sources,
    http: HttpClient,
    /// Asks what is no farther than the next machine: through no proxy, and for a moment only.
    near: HttpClient,
    region: String,
    /// Held while keys are fetched, so that a command which asks a person asks once.
    known: Mutex<Option<Arc<AccessKey>>>,
}

impl Credentials {
    /// `region` is for services that give keys and have one.
    pub(super) fn new(sources: Sources, http: HttpClient, region: String) -> Result<Self, Failure> {
        let moment = (
            std::time::Duration::from_secs(1),
            std::time::Duration::from_secs(2),
        );
        let plain = HttpOptions::new(&Options::default(), &Surroundings::default(), moment);
        let plain =
            plain.map_err(|error| Failure::new(ErrorKind::Unsupported, error.to_string()))?;
        Ok(Self {
            sources,
            http,
            near: HttpClient::new(&plain, 1, Default::default())?,
            region,
            known: Mutex::new(None),
        })
    }

    /// Keys that hold for a while; `None` where nothing is to be signed.
    pub(super) async fn current(&self) -> Result<Option<Arc<AccessKey>>, Failure> {
        let mut known = self.known.lock().await;
        let now = Timestamp::now();
        let holds = |key: &AccessKey, until: Timestamp| key.expires.is_none_or(|end| end > until);
        let later = now.checked_add(EARLY).unwrap_or(now);
        if let Some(key) = known.as_ref().filter(|key| holds(key, later)) {
            return Ok(Some(Arc::clone(key)));
        }
        match self.load().await {
            Ok(fresh) => *known = fresh.map(Arc::new),
            // Those that are known hold for some minutes yet.
            Err(_) if known.as_ref().is_some_and(|key| holds(key, now)) => {}
            Err(failure) => return Err(failure),
        }
        Ok(known.clone())
    }

    /// Other keys than those which were refused, where there are any.
    pub(super) async fn renewed(
        &self,
        refused: &AccessKey,
    ) -> Result<Option<Arc<AccessKey>>, Failure> {
        let mut known = self.known.lock().await;
        let differs = |key: &&Arc<AccessKey>| !key.is(refused);
        if let Some(key) = known.as_ref().filter(differs) {
            // Another call has fetched them meanwhile.
            return Ok(Some(Arc::clone(key)));
        }
        *known = self.load().await?.map(Arc::new);
        Ok(known.as_ref().filter(differs).cloned())
    }

    async fn load(&self) -> Result<Option<AccessKey>, Failure> {
        for source in &self.sources.0 {
            let found = match source {
                Source::Nobody => return Ok(None),
                Source::Given { id, secret, token } => Some(AccessKey {
                    id: id.clone(),
                    secret: secret.obtain().await?,
                    session_token: match token {
                        Some(token) => Some(token.obtain().await?),
                        None => None,
                    },
                    expires: None,
                }),
                Source::Profile(profiles) => profiles.access_key().await?,
                Source::WebIdentity(identity) => {
                    Some(identity.access_key(&self.http, &self.region).await?)
                }
                Source::Container(container) => Some(container.access_key(&self.near).await?),
                Source::Instance(instance) => instance.access_key(&self.near).await?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        let message = "no keys were found to sign in with: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile \
            (s3.profile), s3.access-key with s3.secret-key-file, or s3.no-sign=true for a bucket that everybody may read";
        Err(Failure::new(ErrorKind::Unauthenticated, message))
    }
}

/// Keys as services and commands write them. Neither shows what it holds.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    access_key_id: String,
    secret_access_key: SecretText,
    #[serde(alias = "Token")]
    session_token: Option<SecretText>,
    expiration: Option<String>,
}

struct SecretText(SecretString);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(text.into()))
    }
}

/// Reads keys in the form of JSON; `None` where it is none. A message would repeat a part of it.
pub(super) fn written(json: &[u8]) -> Option<AccessKey> {
    let written: Written = serde_json::from_slice(json).ok()?;
    Some(AccessKey {
        id: written.access_key_id,
        secret: written.secret_access_key.0,
        session_token: written.session_token.map(|token| token.0),
        expires: written.expiration.and_then(|time| time.parse().ok()),
    })
}

/// What a command of `credential_process` prints.
pub(super) fn process_output(printed: &SecretString) -> Result<AccessKey, Failure> {
    written(printed.expose_secret().as_bytes()).ok_or_else(|| {
        let message = "the command of credential_process prints no keys in the form of JSON";
        Failure::new(ErrorKind::Unauthenticated, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key in a log is a key of everybody.
    #[test]
    fn keys_are_read_and_not_shown() {
        let json =
            br#"{"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"hunter2","Token":"hunter3",
            "Expiration":"2030-01-01T00:00:00Z"}"#;
        let key = written(json).unwrap();
        assert_eq!(key.secret.expose_secret(), "hunter2");
        assert_eq!(
            key.session_token.as_ref().unwrap().expose_secret(),
            "hunter3"
        );
        assert!(key.expires.is_some());
        assert!(!format!("{key:?}").contains("hunter"));
        assert!(written(b"{}").is_none() && written(b"").is_none());
    }
}
