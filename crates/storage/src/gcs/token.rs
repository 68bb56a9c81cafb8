//! Tokens, from wherever the credentials say.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use async_trait::async_trait;

use super::credentials::{self, Credentials};
use crate::ErrorKind;
use crate::failure::Failure;
use crate::fresh_secret::{FetchSecret, Fetched};
use crate::http::{HttpClient, HttpRequest, Url};
use crate::oauth;
use crate::secret::SecretSource;

/// Fetches tokens.
#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) credentials: Credentials,
    /// Reaches servers as every request does.
    pub(super) http: HttpClient,
    /// Reaches what is near, or soon finds out that there is nothing.
    pub(super) nearby: HttpClient,
}

#[async_trait]
impl FetchSecret for Tokens {
    async fn fetch(&self) -> Result<Fetched, Failure> {
        match &self.credentials {
            Credentials::Nobody => Err(nothing_given()),
            Credentials::Token(token) => Ok((token.obtain().await?, None)),
            Credentials::File(file) => self.of_file(file).await,
            Credentials::Usual { file, metadata } => match file {
                Some(file) if is_there(file).await => self.of_file(file).await,
                _ => self.of_machine(metadata).await,
            },
        }
    }

    fn can_change(&self) -> bool {
        match &self.credentials {
            Credentials::Nobody => false,
            Credentials::Token(token) => token.can_change(),
            Credentials::File(_) | Credentials::Usual { .. } => true,
        }
    }
}

impl Tokens {
    async fn of_file(&self, file: &Path) -> Result<Fetched, Failure> {
        let text = SecretSource::File(file.to_owned()).obtain().await?;
        let request = credentials::request(&text, SystemTime::now());
        let request = request.map_err(|mut failure| {
            failure.message = format!("{}: {}", file.display(), failure.message);
            failure
        })?;
        oauth::token(&self.http, request, "Google's service for tokens").await
    }

    async fn of_machine(&self, metadata: &Url) -> Result<Fetched, Failure> {
        let mut url = metadata.clone();
        let path = url.path().trim_end_matches('/');
        url.set_path(&format!(
            "{path}/computeMetadata/v1/instance/service-accounts/default/token"
        ));
        let request = HttpRequest::new("GET", url).header("metadata-flavor", "Google");
        let asked = oauth::token(&self.nearby, request, "this machine's service account").await;
        asked.map_err(|failure| match failure.kind {
            ErrorKind::Unreachable | ErrorKind::TimedOut => nothing_given(),
            _ => failure,
        })
    }
}

async fn is_there(file: &Path) -> bool {
    // What is there and cannot be read is told when it is read.
    let found = tokio::fs::metadata(file).await;
    !found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn nothing_given() -> Failure {
    let message = "nothing was given to sign in with: a file with credentials (GOOGLE_APPLICATION_CREDENTIALS, gcs.credentials-file), \
        an access token (GOOGLE_ACCESS_TOKEN, gcs.access-token-command) or the sign-in of `gcloud auth application-default login`; \
        and this machine has no service account";
    Failure::new(ErrorKind::Unauthenticated, message)
}
