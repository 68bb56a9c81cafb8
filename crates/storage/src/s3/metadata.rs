//! Keys that the machine has: those of a container (ECS, EKS) and those of an instance (EC2, version 2 of its service).

use std::net::IpAddr;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use crate::failure::Failure;
use crate::http::{HttpClient, HttpRequest, Url};
use crate::secret::SecretSource;
use crate::{ErrorKind, Surroundings};

use super::credentials::{AccessKey, written};

/// Keys are a few hundred bytes, and tokens a few thousand.
const MOST_BYTES: u64 = 64 << 10;

/// A service that gives the keys of a container's role.
#[derive(Debug, Clone)]
pub(super) struct Container {
    address: String,
    token: Option<SecretSource>,
}

impl Container {
    pub(super) fn new(surroundings: &Surroundings) -> Option<Self> {
        let relative = surroundings.variable(&["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]);
        let full = surroundings.variable(&["AWS_CONTAINER_CREDENTIALS_FULL_URI"]);
        let address = match relative {
            Some(path) => format!("http://169.254.170.2{path}"),
            None => full?.to_owned(),
        };
        let file = surroundings.variable(&["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]);
        let value = surroundings.variable(&["AWS_CONTAINER_AUTHORIZATION_TOKEN"]);
        let token = file
            .map(|file| SecretSource::File(PathBuf::from(file)))
            .or_else(|| value.map(SecretSource::value));
        Some(Self { address, token })
    }

    pub(super) async fn access_key(&self, http: &HttpClient) -> Result<AccessKey, Failure> {
        const WHO: &str = "the container's service for keys";
        let url = Url::parse(&self.address).ok().filter(may_be_asked);
        let url = url.ok_or_else(|| {
            failed(WHO, "its address is neither https nor that of this machine (AWS_CONTAINER_CREDENTIALS_FULL_URI)")
        })?;
        let mut request = HttpRequest::new("GET", url);
        if let Some(token) = &self.token {
            request = request.secret_header("authorization", token.obtain().await?.expose_secret());
        }
        let body = ask(http, request, WHO).await?;
        written(body.expose_secret().as_bytes())
            .ok_or_else(|| failed(WHO, "it answered with no keys"))
    }
}

/// What is sent there must not go over a network unencrypted.
fn may_be_asked(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    let near = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];
    let is_near = address.is_some_and(|address| {
        address.is_loopback() || near.iter().any(|near| near.parse() == Ok(address))
    });
    match url.scheme() {
        "https" => true,
        "http" => is_near || host == "localhost",
        _ => false,
    }
}

/// The service of an EC2 instance, which is there on others' machines as well.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    address: String,
}

impl Instance {
    pub(super) fn new(surroundings: &Surroundings) -> Option<Self> {
        let disabled = surroundings.variable(&["AWS_EC2_METADATA_DISABLED"]);
        if disabled.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return None;
        }
        let address = surroundings.variable(&["AWS_EC2_METADATA_SERVICE_ENDPOINT"]);
        let address = address.unwrap_or("http://169.254.169.254");
        Some(Self {
            address: address.trim_end_matches('/').to_owned(),
        })
    }

    /// `None` where there is no such service, or the instance has no role.
    pub(super) async fn access_key(&self, http: &HttpClient) -> Result<Option<AccessKey>, Failure> {
        const WHO: &str = "the instance's service for keys";
        const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
        let Ok(url) = Url::parse(&format!("{}/latest/api/token", self.address)) else {
            return Err(failed(
                WHO,
                "its address is none (AWS_EC2_METADATA_SERVICE_ENDPOINT)",
            ));
        };
        let request =
            HttpRequest::new("PUT", url).header("x-aws-ec2-metadata-token-ttl-seconds", "300");
        let Ok(token) = ask(http, request, WHO).await else {
            return Ok(None);
        };
        let get = async |path: &str| {
            let url = Url::parse(&format!("{}{path}", self.address)).ok()?;
            let request = HttpRequest::new("GET", url);
            let request = request.secret_header("x-aws-ec2-metadata-token", token.expose_secret());
            ask(http, request, WHO).await.ok()
        };
        let Some(roles) = get(ROLES).await else {
            return Ok(None);
        };
        let role = roles
            .expose_secret()
            .lines()
            .next()
            .unwrap_or_default()
            .trim();
        if role.is_empty() {
            return Ok(None);
        }
        let keys = get(&format!("{ROLES}{role}")).await;
        let keys = keys.and_then(|keys| written(keys.expose_secret().as_bytes()));
        keys.map(Some)
            .ok_or_else(|| failed(WHO, "it has a role and gives no keys for it"))
    }
}

async fn ask(http: &HttpClient, request: HttpRequest, who: &str) -> Result<SecretString, Failure> {
    let response = http.send(request).await.map_err(|failure| Failure {
        message: format!("{who}: {}", failure.message),
        ..failure
    })?;
    if !(200..=299).contains(&response.status()) {
        return Err(failed(who, &format!("it answered {}", response.status())));
    }
    let body = response.read_first(MOST_BYTES).await?;
    let text = std::str::from_utf8(&body).map_err(|_| failed(who, "it answered with no text"))?;
    Ok(SecretString::from(text.to_owned()))
}

fn failed(who: &str, why: &str) -> Failure {
    Failure::new(ErrorKind::Unauthenticated, format!("{who}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever can set the variable must not be able to have the token sent to them in the open.
    #[test]
    fn a_token_goes_nowhere_unencrypted() {
        for (address, may) in [
            ("http://169.254.170.2/x", true),
            ("http://169.254.170.23/v1/credentials", true),
            ("http://[fd00:ec2::23]/v1/credentials", true),
            ("http://127.0.0.1:90/", true),
            ("http://localhost/", true),
            ("https://keys.example.org/", true),
            ("http://keys.example.org/", false),
            ("http://169.254.170.24/", false),
            ("ftp://127.0.0.1/", false),
        ] {
            assert_eq!(
                may_be_asked(&Url::parse(address).unwrap()),
                may,
                "{address}"
            );
        }
    }
}
