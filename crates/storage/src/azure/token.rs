//! Tokens of Microsoft Entra: for an application with a secret (the client credentials of OAuth 2.0, RFC 6749, section
//! 4.4), or for the identity that a machine of the same cloud has.

use async_trait::async_trait;
use bytes::Bytes;
use secrecy::ExposeSecret;

use crate::ErrorKind;
use crate::failure::Failure;
use crate::fresh_secret::{FetchSecret, Fetched};
use crate::http::{HttpClient, HttpRequest, Url};
use crate::key_prefix::as_part;
use crate::oauth;
use crate::secret::SecretSource;

/// What the token is for.
const RESOURCE: &str = "https://storage.azure.com/";

/// Who a token is for.
#[derive(Debug, Clone)]
pub(super) enum Identity {
    /// An application that knows a secret.
    Application(Application),
    /// The machine that this runs on.
    Machine {
        /// Who knows its identity.
        service: Url,
        /// Which, where it has several.
        client: Option<String>,
    },
}

/// An application that knows a secret.
#[derive(Debug, Clone)]
pub(super) struct Application {
    pub(super) authority: Url,
    pub(super) tenant: String,
    pub(super) client: String,
    pub(super) secret: SecretSource,
}

/// Fetches tokens for an identity.
#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) identity: Identity,
    /// Reaches servers as every request does.
    pub(super) http: HttpClient,
    /// Reaches what is near, or soon finds out that there is nothing.
    pub(super) nearby: HttpClient,
}

#[async_trait]
impl FetchSecret for Tokens {
    async fn fetch(&self) -> Result<Fetched, Failure> {
        match &self.identity {
            Identity::Application(application) => {
                let request = application.request().await?;
                oauth::token(&self.http, request, "Microsoft Entra").await
            }
            Identity::Machine { service, client } => {
                let request = of_machine(service, client.as_deref());
                let asked = oauth::token(&self.nearby, request, "this machine's identity").await;
                asked.map_err(|failure| match failure.kind {
                    ErrorKind::Unreachable | ErrorKind::TimedOut => nothing_given(),
                    _ => failure,
                })
            }
        }
    }

    fn can_change(&self) -> bool {
        true
    }
}

impl Application {
    async fn request(&self) -> Result<HttpRequest, Failure> {
        let secret = self.secret.obtain().await?;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &self.client),
            ("client_secret", secret.expose_secret()),
            ("scope", &format!("{RESOURCE}.default")),
        ];
        let mut url = self.authority.clone();
        let path = url.path().trim_end_matches('/');
        url.set_path(&format!(
            "{path}/{}/oauth2/v2.0/token",
            as_part(&self.tenant)
        ));
        Ok(oauth::form(url, &form))
    }
}

fn of_machine(service: &Url, client: Option<&str>) -> HttpRequest {
    let mut url = service.clone();
    let path = url.path().trim_end_matches('/');
    url.set_path(&format!("{path}/metadata/identity/oauth2/token"));
    let mut query = format!("api-version=2018-02-01&resource={}", as_part(RESOURCE));
    if let Some(client) = client {
        query.push_str(&format!("&client_id={}", as_part(client)));
    }
    url.set_query(Some(&query));
    let request = HttpRequest::new("GET", url).header("metadata", "true");
    request.body(Bytes::new())
}

fn nothing_given() -> Failure {
    let message = "nothing was given to sign in with: a key (AZURE_ACCOUNT_KEY, azure.key-file), a shared access signature \
        (AZURE_ACCOUNT_SAS, azure.sas-file) or an application (AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET); and this machine has \
        no identity in Azure";
    Failure::new(ErrorKind::Unauthenticated, message)
}
