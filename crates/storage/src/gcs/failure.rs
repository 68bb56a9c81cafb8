//! What the service says of an error, in the kinds of this crate: "HTTP status and error codes for JSON" of its reference.

use std::time::Duration;

use serde::Deserialize;

use crate::ErrorKind;
use crate::failure::Failure;
use crate::http::{HttpResponse, status};

/// What is read of an error.
const SAID_BYTES: u64 = 64 << 10;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Answer {
    error: Said,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Said {
    message: String,
    errors: Vec<Reason>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Reason {
    reason: String,
}

/// The error that an answer is.
pub(super) async fn of(response: HttpResponse) -> Failure {
    of_any(response, false).await
}

/// The same for a request that bytes came with: what is called invalid then arrived as something else than was sent.
pub(super) async fn of_upload(response: HttpResponse) -> Failure {
    of_any(response, true).await
}

async fn of_any(response: HttpResponse, had_bytes: bool) -> Failure {
    let (status, pause) = (response.status(), response.retry_after());
    if (300..400).contains(&status) && status != 308 {
        return response.failure().await;
    }
    let body = response.read_first(SAID_BYTES).await.unwrap_or_default();
    let answer: Answer = serde_json::from_slice(&body).unwrap_or_default();
    let reasons = answer.error.errors;
    let reason = reasons.first().map_or("", |first| first.reason.as_str());
    let said = match (reason, one_line(&answer.error.message)) {
        ("", message) if message.is_empty() => one_line(&String::from_utf8_lossy(&body)),
        ("", message) => message,
        (reason, message) => format!("{}: {message}", one_line(reason)),
    };
    mapped(status, pause, reason, &said, had_bytes)
}

/// What the reason says otherwise than the status.
fn mapped(
    code: u16,
    pause: Option<Duration>,
    reason: &str,
    said: &str,
    had_bytes: bool,
) -> Failure {
    use ErrorKind as Kind;
    let general = status::failure(code, pause, said);
    let (kind, passes) = match (code, reason) {
        (412, _) | (_, "conditionNotMet") => {
            return Failure::new(Kind::AlreadyExists, "a file of that name exists");
        }
        (400, "invalid") if had_bytes => (Kind::Mismatch, true),
        (_, "rateLimitExceeded" | "userRateLimitExceeded" | "dailyLimitExceeded") => {
            (Kind::Throttled, true)
        }
        (_, "quotaExceeded" | "storageQuotaExceeded") => (Kind::NoSpace, false),
        (_, "internalError" | "uploadBrokenConnection") => (Kind::Io, true),
        _ => return general,
    };
    let failure = match passes {
        true => Failure::passing(kind, general.message),
        false => Failure::new(kind, general.message),
    };
    failure.after(pause)
}

/// A token that was refused, also after a fresh one.
pub(super) fn refused(was_accepted: bool) -> Failure {
    let message = match was_accepted {
        true => {
            "the service no longer accepts the token, which it accepted before: it has expired or was revoked, and no fresh one can be had"
        }
        false => "the service does not accept the token",
    };
    Failure::new(ErrorKind::Unauthenticated, message)
}

/// The first line, without what could move a terminal's cursor.
fn one_line(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty());
    let line = line.unwrap_or_default().trim();
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Retry;

    /// A refusal that is tried again for a quarter of an hour helps nobody; a limit that is not costs a backup.
    #[test]
    fn reasons_are_told_apart() {
        for (code, reason, kind, retry) in [
            (403, "rateLimitExceeded", ErrorKind::Throttled, Retry::Later),
            (403, "forbidden", ErrorKind::PermissionDenied, Retry::Never),
            (
                403,
                "retentionPolicyNotMet",
                ErrorKind::PermissionDenied,
                Retry::Never,
            ),
            (403, "quotaExceeded", ErrorKind::NoSpace, Retry::Never),
            (404, "notFound", ErrorKind::NotFound, Retry::Never),
            (
                412,
                "conditionNotMet",
                ErrorKind::AlreadyExists,
                Retry::Never,
            ),
            (429, "rateLimitExceeded", ErrorKind::Throttled, Retry::Later),
            (500, "internalError", ErrorKind::Io, Retry::Later),
            (400, "invalid", ErrorKind::Io, Retry::Never),
            (503, "", ErrorKind::Unreachable, Retry::Later),
        ] {
            let failure = mapped(code, None, reason, reason, false);
            assert_eq!(
                (failure.kind, failure.retry),
                (kind, retry),
                "{code} {reason}"
            );
        }
        let damaged = mapped(400, None, "invalid", "", true);
        assert_eq!(
            (damaged.kind, damaged.retry),
            (ErrorKind::Mismatch, Retry::Later)
        );
    }
}
