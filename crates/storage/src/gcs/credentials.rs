//! Who signs in: the JSON files of Google's programs, and the assertion that a service account signs (RFC 7523).

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::BASE64URL_NOPAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::ErrorKind;
use crate::failure::Failure;
use crate::http::{HttpRequest, Url};
use crate::oauth;
use crate::secret::SecretSource;

/// What a token is for: reading and writing objects, and making buckets.
const SCOPE: &str = "https://www.googleapis.com/auth/devstorage.read_write";
/// Where tokens are given, where the file does not say it.
const TOKENS: &str = "https://oauth2.googleapis.com/token";
/// How long an assertion is good: the most that is taken.
const ASSERTION_S: u64 = 3600;

/// Where the credentials are.
#[derive(Debug, Clone)]
pub(super) enum Credentials {
    /// There are none.
    Nobody,
    /// A token that somebody else has fetched.
    Token(SecretSource),
    /// This file.
    File(PathBuf),
    /// That of `gcloud`, or where there is none what the machine is.
    Usual {
        /// Of the user.
        file: Option<PathBuf>,
        /// Who knows what the machine is.
        metadata: Url,
    },
}

/// What such a file holds.
#[derive(Deserialize)]
struct File {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    token_uri: Option<String>,
    #[serde(default)]
    client_email: String,
    #[serde(default)]
    private_key: String,
    #[serde(default)]
    private_key_id: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    client_secret: String,
    #[serde(default)]
    refresh_token: String,
}

/// The request for a token that the credentials in a file's text allow. Messages repeat nothing of it.
pub(super) fn request(text: &SecretString, now: SystemTime) -> Result<HttpRequest, Failure> {
    let file: File = serde_json::from_str(text.expose_secret())
        .map_err(|_| unusable("the file holds no credentials in JSON"))?;
    let tokens = file.token_uri.as_deref().unwrap_or(TOKENS);
    let url = Url::parse(tokens).map_err(|_| unusable("its token_uri is no address"))?;
    match file.kind.as_str() {
        "service_account" => {
            let assertion = assertion(&file, tokens, now)?;
            let fields = [
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", assertion.expose_secret()),
            ];
            Ok(oauth::form(url, &fields))
        }
        "authorized_user" => {
            let fields = [
                ("grant_type", "refresh_token"),
                ("client_id", &file.client_id),
                ("client_secret", &file.client_secret),
                ("refresh_token", &file.refresh_token),
            ];
            Ok(oauth::form(url, &fields))
        }
        "external_account"
        | "impersonated_service_account"
        | "external_account_authorized_user" => Err(unusable(
            "credentials of this type are not understood here; let gcs.access-token-command=\"gcloud auth print-access-token\" \
                 fetch the token",
        )),
        _ => Err(unusable(
            "the file is neither of a service account nor of a user (its `type`)",
        )),
    }
}

/// Three parts with dots between them: what it is, what it says, and the signature of both.
fn assertion(file: &File, tokens: &str, now: SystemTime) -> Result<SecretString, Failure> {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let header = serde_json::json!({"alg": "RS256", "typ": "JWT", "kid": file.private_key_id});
    let claims = serde_json::json!({
        "iss": file.client_email,
        "scope": SCOPE,
        "aud": tokens,
        "iat": now,
        "exp": now.saturating_add(ASSERTION_S),
    });
    let part = |value: &serde_json::Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let wrong = || unusable("its private_key is no RSA key in PEM");
    let key = PrivatePkcs8KeyDer::from_pem_slice(file.private_key.as_bytes());
    let key = key.map_err(|_| wrong())?;
    let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).map_err(|_| wrong())?;
    let mut signature = vec![0; key.public().modulus_len()];
    let random = SystemRandom::new();
    key.sign(
        &RSA_PKCS1_SHA256,
        &random,
        signed.as_bytes(),
        &mut signature,
    )
    .map_err(|_| unusable("its private_key cannot sign"))?;
    Ok(format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature)).into())
}

fn unusable(what: &str) -> Failure {
    let message = format!("the credentials cannot be used: {what}");
    Failure::new(ErrorKind::Unauthenticated, message)
}
