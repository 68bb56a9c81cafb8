//! The storage: that of `rest:` over a process.

use std::sync::Arc;
use std::time::Duration;

use crate::http::Url;

use super::client::RcloneProcess;
use super::{RcloneLocation, RcloneOptions};
use crate::Pace;
use crate::failure::Failure;
use crate::rest::{Credentials, RestClient, RestStorage};

/// What the requests call the host, which nobody looks up.
const NOWHERE: &str = "http://localhost/";

/// The storage at a remote; starts nothing yet.
pub(crate) fn open(
    location: &RcloneLocation,
    options: RcloneOptions,
    times: (Duration, Duration),
    paces: (Pace, Pace),
) -> Result<RestStorage, Failure> {
    let connections = options.connections;
    let base = Url::parse(NOWHERE)
        .map_err(|e| Failure::new(crate::ErrorKind::Unsupported, e.to_string()))?;
    let process = RcloneProcess::new(options, location.clone(), times, paces);
    let client = RestClient::new(Arc::new(process), base, Credentials::default());
    Ok(RestStorage::new(client, location.to_string(), connections))
}
