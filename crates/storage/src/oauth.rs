//! Asking for a token as OAuth 2.0 has it (RFC 6749, sections 4.4 and 5), for every kind that signs in with one.

use std::time::Duration;

use bytes::Bytes;
use secrecy::SecretString;
use serde::Deserialize;

use crate::ErrorKind;
use crate::failure::Failure;
use crate::fresh_secret::Fetched;
use crate::http::{HttpClient, HttpRequest, Url, status};
use crate::key_prefix::as_part;

/// Longest answer that is read.
const ANSWER_BYTES: u64 = 256 << 10;

/// A request with a form in its body, as the endpoints for tokens take it.
pub(crate) fn form(url: Url, fields: &[(&str, &str)]) -> HttpRequest {
    let pairs = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", as_part(value)));
    let body = pairs.collect::<Vec<_>>().join("&");
    let request = HttpRequest::new("POST", url);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body(Bytes::from(body))
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    /// Seconds; some say it as text.
    #[serde(default)]
    expires_in: Option<serde_json::Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Refusal {
    error: serde_json::Value,
    error_description: String,
}

/// Sends a request for a token. `whose` says in errors who was asked.
pub(crate) async fn token(
    http: &HttpClient,
    request: HttpRequest,
    whose: &str,
) -> Result<Fetched, Failure> {
    let response = http.send(request).await?;
    let (code, pause) = (response.status(), response.retry_after());
    let body = response.read_first(ANSWER_BYTES).await?;
    if code != 200 {
        let said = refusal(&body);
        // 400 is the answer to a wrong secret as much as to a wrong request; what a server in distress says passes.
        return Err(match code {
            400..=403 => {
                let message = format!("{whose} gives no token: {said}");
                Failure::new(ErrorKind::Unauthenticated, message)
            }
            _ => status::failure(code, pause, &said),
        });
    }
    // What the answer holds must not be in the message.
    let answer: Answer = serde_json::from_slice(&body).map_err(|_| {
        let message = format!("{whose} answers with something that is no token");
        Failure::new(ErrorKind::Unauthenticated, message)
    })?;
    let seconds = answer.expires_in.as_ref().and_then(|value| {
        let text = value.as_str().and_then(|text| text.parse().ok());
        value.as_u64().or(text)
    });
    let token = SecretString::from(answer.access_token);
    Ok((token, seconds.map(Duration::from_secs)))
}

fn refusal(body: &[u8]) -> String {
    let refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
    let code = refusal.error.as_str().unwrap_or("the request was refused");
    let lines = refusal.error_description.lines().next();
    let said = lines.filter(|line| !line.is_empty());
    let text = said.map_or_else(|| code.to_owned(), |said| format!("{code}: {said}"));
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
