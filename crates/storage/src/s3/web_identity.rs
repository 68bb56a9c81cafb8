//! Keys for a token that somebody else vouches for, as in Kubernetes: `AssumeRoleWithWebIdentity` of AWS STS.

use std::path::PathBuf;

use bytes::Bytes;
use percent_encoding::utf8_percent_encode;
use secrecy::ExposeSecret;

use crate::failure::Failure;
use crate::http::{HttpClient, HttpRequest, Url};
use crate::secret::SecretSource;
use crate::{ErrorKind, Surroundings};

use super::credentials::AccessKey;
use super::endpoint::ESCAPED;
use super::failure;
use super::xml::Element;

const MOST_BYTES: u64 = 256 << 10;

/// A token in a file, which is replaced before it expires, and the role that it is good for.
#[derive(Debug, Clone)]
pub(super) struct WebIdentity {
    token: SecretSource,
    role: String,
    session: String,
    endpoint: Option<String>,
}

impl WebIdentity {
    pub(super) fn new(surroundings: &Surroundings) -> Option<Self> {
        let file = surroundings.variable(&["AWS_WEB_IDENTITY_TOKEN_FILE"])?;
        let session = surroundings.variable(&["AWS_ROLE_SESSION_NAME"]);
        let endpoint = surroundings.variable(&["AWS_ENDPOINT_URL_STS"]);
        Some(Self {
            token: SecretSource::File(PathBuf::from(file)),
            role: surroundings.variable(&["AWS_ROLE_ARN"])?.to_owned(),
            session: session.unwrap_or("strongroom").to_owned(),
            endpoint: endpoint.map(str::to_owned),
        })
    }

    pub(super) async fn access_key(
        &self,
        http: &HttpClient,
        region: &str,
    ) -> Result<AccessKey, Failure> {
        let token = self.token.obtain().await?;
        let end = if region.starts_with("cn-") { ".cn" } else { "" };
        let usual = || format!("https://sts.{region}.amazonaws.com{end}/");
        let url = self.endpoint.clone().unwrap_or_else(usual);
        let url = Url::parse(&url).map_err(|_| failed("AWS_ENDPOINT_URL_STS is no address"))?;
        let escaped = |text: &str| utf8_percent_encode(text, ESCAPED).to_string();
        let body = format!(
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={}&RoleSessionName={}&WebIdentityToken={}",
            escaped(&self.role),
            escaped(&self.session),
            escaped(token.expose_secret())
        );
        let request = HttpRequest::new("POST", url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(body));
        let response = http.send(request).await?;
        let status = response.status();
        let body = response.read_first(MOST_BYTES).await?;
        let document = Element::parse(&body);
        if !(200..=299).contains(&status) {
            let error = document
                .as_ref()
                .ok()
                .and_then(|document| document.child("Error"));
            let known = error.map(|error| failure::of_document(error, status).failure);
            let why = known.map_or_else(|| format!("it answered {status}"), |known| known.message);
            return Err(failed(&why));
        }
        let document = document?;
        let result = document.child("AssumeRoleWithWebIdentityResult");
        let keys = result.and_then(|result| result.child("Credentials"));
        let get = |name: &str| keys.and_then(|keys| keys.text_of(name));
        match (get("AccessKeyId"), get("SecretAccessKey")) {
            (Some(id), Some(secret)) => Ok(AccessKey {
                id: id.to_owned(),
                secret: secret.to_owned().into(),
                session_token: get("SessionToken").map(|token| token.to_owned().into()),
                expires: get("Expiration").and_then(|time| time.parse().ok()),
            }),
            _ => Err(failed("it answered with no keys")),
        }
    }
}

fn failed(why: &str) -> Failure {
    let message = format!("the service that gives keys for a role (AWS STS): {why}");
    Failure::new(ErrorKind::Unauthenticated, message)
}
