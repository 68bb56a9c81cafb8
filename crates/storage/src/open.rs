//! From an address to a storage.

use std::sync::Arc;

use std::time::Duration;

use crate::azure::{AzureOptions, AzureStorage};
use crate::behaviour::{Behaviour, RetryObserver};
use crate::failure::Failure;
use crate::gcs::{GcsOptions, GcsStorage};
use crate::http::{HttpClient, HttpOptions};
use crate::options::OptionError;
use crate::rclone::RcloneOptions;
use crate::rest::{RestClient, RestOptions, RestStorage};
use crate::s3::{S3Options, S3Storage};
use crate::sftp::SftpOptions;
use crate::webdav::{WebdavClient, WebdavOptions, WebdavStorage};
use crate::{
    AzureLocation, GcsLocation, LocalStorage, Location, Options, RcloneLocation, RestLocation,
    S3Location, Storage, Surroundings, WebdavLocation,
};

/// A storage, with the wrappers that its kind needs around it.
#[derive(Debug)]
pub struct Opened {
    /// The storage; nothing has been touched yet, so it may turn out not to exist.
    pub storage: Arc<dyn Storage>,
    /// What the person should know before anything is sent.
    pub warnings: Vec<String>,
}

/// Why a storage cannot even be spoken with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// An option has a value that it does not take.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// Something that the options name cannot be used, such as a file with certificates.
    #[error("{location}: {message}")]
    Unusable {
        /// The storage.
        location: String,
        /// What is wrong.
        message: String,
    },
}

impl OpenError {
    fn unusable(location: &impl ToString, failure: Failure) -> Self {
        Self::Unusable {
            location: location.to_string(),
            message: failure.message,
        }
    }
}

/// What a storage is opened with.
#[derive(Clone)]
pub struct OpenSettings<'a> {
    /// What the person has set.
    pub options: &'a Options,
    /// Where the rest comes from.
    pub surroundings: &'a Surroundings,
    /// How storages over a network are treated; those opened with clones share its limits of speed.
    pub behaviour: Behaviour,
    /// Is told what is tried again.
    pub observer: RetryObserver,
}

impl std::fmt::Debug for OpenSettings<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenSettings")
            .field("options", &self.options)
            .field("behaviour", &self.behaviour)
            .finish_non_exhaustive()
    }
}

/// Opens a storage with the wrappers that its kind needs:
///
/// ```text
/// on this machine:     kind -> RetryStorage
/// over a network:      kind -> TimeoutStorage -> ConfirmStorage -> LimitStorage -> RetryStorage
/// ```
///
/// # Errors
/// [`OpenError`]. Touches nothing yet but files that the options name.
pub fn open(location: &Location, settings: &OpenSettings<'_>) -> Result<Opened, OpenError> {
    let behaviour = &settings.behaviour;
    let observer = Arc::clone(&settings.observer);
    let over_network = |kind: Arc<dyn Storage>, warnings| Opened {
        storage: behaviour.around(kind, Arc::clone(&settings.observer)),
        warnings,
    };
    match location {
        Location::Local(local) => {
            let kind = Arc::new(LocalStorage::new(local.path()));
            Ok(Opened {
                storage: behaviour.retried(kind, observer),
                warnings: Vec::new(),
            })
        }
        Location::Rest(rest) => {
            let (kind, warnings) = open_rest(rest, settings)?;
            Ok(over_network(Arc::new(kind), warnings))
        }
        Location::Rclone(rclone) => {
            let kind = open_rclone(rclone, settings)?;
            Ok(over_network(Arc::new(kind), Vec::new()))
        }
        Location::Azure(azure) => {
            let (kind, warnings) = open_azure(azure, settings)?;
            Ok(over_network(Arc::new(kind), warnings))
        }
        Location::Gcs(gcs) => {
            let (kind, warnings) = open_gcs(gcs, settings)?;
            Ok(over_network(Arc::new(kind), warnings))
        }
        Location::Sftp(sftp) => {
            let options =
                SftpOptions::new(settings.options, settings.surroundings, behaviour.times)?;
            let kind = crate::sftp::open(sftp, options, behaviour.paces.clone());
            Ok(over_network(Arc::new(kind), Vec::new()))
        }
        Location::Webdav(webdav) => {
            let (kind, warnings) = open_webdav(webdav, settings)?;
            Ok(over_network(Arc::new(kind), warnings))
        }
        Location::S3(s3) => {
            let (kind, warnings) = open_s3(s3, settings)?;
            Ok(over_network(Arc::new(kind), warnings))
        }
    }
}

/// What is asked on the machine itself or beside it answers in this time, or is not there.
const NEARBY: Duration = Duration::from_secs(2);

/// A client for servers anywhere, and one for what is near and reached without proxies.
fn http_clients(
    location: &impl ToString,
    http: &HttpOptions,
    connections: usize,
    behaviour: &Behaviour,
) -> Result<(HttpClient, HttpClient), OpenError> {
    let client = |options: &HttpOptions| {
        let client = HttpClient::new(options, connections, behaviour.paces.clone());
        client.map_err(|failure| OpenError::unusable(location, failure))
    };
    Ok((client(http)?, client(&http.nearby(NEARBY))?))
}

fn open_azure(
    location: &AzureLocation,
    settings: &OpenSettings<'_>,
) -> Result<(AzureStorage, Vec<String>), OpenError> {
    let (options, surroundings) = (settings.options, settings.surroundings);
    let behaviour = &settings.behaviour;
    let azure = AzureOptions::new(options, surroundings)?;
    let http = HttpOptions::new(options, surroundings, behaviour.times)?;
    let mut warnings = http.warnings();
    warnings.extend(azure.warnings());
    let (client, nearby) = http_clients(location, &http, azure.connections, behaviour)?;
    Ok((AzureStorage::new(client, nearby, location, azure), warnings))
}

fn open_gcs(
    location: &GcsLocation,
    settings: &OpenSettings<'_>,
) -> Result<(GcsStorage, Vec<String>), OpenError> {
    let (options, surroundings) = (settings.options, settings.surroundings);
    let behaviour = &settings.behaviour;
    let gcs = GcsOptions::new(options, surroundings)?;
    let http = HttpOptions::new(options, surroundings, behaviour.times)?;
    let mut warnings = http.warnings();
    warnings.extend(gcs.warnings());
    let (client, nearby) = http_clients(location, &http, gcs.connections, behaviour)?;
    Ok((GcsStorage::new(client, nearby, location, gcs), warnings))
}

fn open_rest(
    location: &RestLocation,
    settings: &OpenSettings<'_>,
) -> Result<(RestStorage, Vec<String>), OpenError> {
    let (options, surroundings) = (settings.options, settings.surroundings);
    let behaviour = &settings.behaviour;
    let rest = RestOptions::new(location, options, surroundings)?;
    let http = HttpOptions::new(options, surroundings, behaviour.times)?;
    let mut warnings = http.warnings();
    warnings.extend(rest.warnings(location));
    let client = HttpClient::new(&http, rest.connections, behaviour.paces.clone());
    let client = client.map_err(|failure| OpenError::unusable(location, failure))?;
    let base = location.url().clone();
    let client = RestClient::new(Arc::new(client), base, rest.credentials);
    let kind = RestStorage::new(client, location.to_string(), rest.connections);
    Ok((kind, warnings))
}

fn open_webdav(
    location: &WebdavLocation,
    settings: &OpenSettings<'_>,
) -> Result<(WebdavStorage, Vec<String>), OpenError> {
    let (options, surroundings) = (settings.options, settings.surroundings);
    let behaviour = &settings.behaviour;
    let webdav = WebdavOptions::new(location, options, surroundings)?;
    let http = HttpOptions::new(options, surroundings, behaviour.times)?;
    let mut warnings = http.warnings();
    warnings.extend(webdav.warnings(location));
    let client = HttpClient::new(&http, webdav.connections, behaviour.paces.clone());
    let client = client.map_err(|failure| OpenError::unusable(location, failure))?;
    let (base, private) = (location.url().clone(), location.is_private());
    let client = WebdavClient::new(client, base, webdav.credentials, private);
    let kind = WebdavStorage::new(client, location.to_string(), webdav.connections);
    Ok((kind, warnings))
}

fn open_rclone(
    location: &RcloneLocation,
    settings: &OpenSettings<'_>,
) -> Result<RestStorage, OpenError> {
    let behaviour = &settings.behaviour;
    let options = RcloneOptions::new(settings.options)?;
    let paces = behaviour.paces.clone();
    let kind = crate::rclone::open(location, options, behaviour.times, paces);
    kind.map_err(|failure| OpenError::unusable(location, failure))
}

fn open_s3(
    location: &S3Location,
    settings: &OpenSettings<'_>,
) -> Result<(S3Storage, Vec<String>), OpenError> {
    let (options, surroundings) = (settings.options, settings.surroundings);
    let behaviour = &settings.behaviour;
    let http = HttpOptions::new(options, surroundings, behaviour.times)?;
    let options = S3Options::new(options, surroundings, http)?;
    let warnings = options.warnings();
    let kind = crate::s3::open(location, options, behaviour.paces.clone());
    let kind = kind.map_err(|failure| OpenError::unusable(location, failure))?;
    Ok((kind, warnings))
}
