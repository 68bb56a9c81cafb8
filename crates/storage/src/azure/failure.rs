//! What the service says of an error, in the kinds of this crate: "Blob service error codes" of its REST reference.

use std::time::{Duration, SystemTime};

use serde::Deserialize;

use super::sign_in::Way;
use crate::ErrorKind;
use crate::failure::Failure;
use crate::http::{HttpResponse, status};

/// What is read of an error.
const SAID_BYTES: u64 = 16 << 10;

/// The service takes requests whose time is this much off. What is more than half of it is worth a word.
const SKEW: Duration = Duration::from_secs(15 * 60 / 2);

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Said {
    code: String,
    message: String,
    authentication_error_detail: String,
}

/// The code of an answer, which stands in its head also where there is no body.
pub(super) fn code(response: &HttpResponse) -> Option<&str> {
    response.header("x-ms-error-code")
}

/// Whether an answer refuses who we are, as against what we may do.
pub(super) fn is_of_sign_in(response: &HttpResponse) -> bool {
    match response.status() {
        401 => true,
        400 | 403 => matches!(
            code(response),
            Some(
                "AuthenticationFailed"
                    | "InvalidAuthenticationInfo"
                    | "NoAuthenticationInformation"
            )
        ),
        _ => false,
    }
}

/// Whether another secret may be let in where this one was not. The emulator says of a wrong signature what the service
/// says of somebody who lacks a right.
pub(super) fn may_be_stale(response: &HttpResponse) -> bool {
    is_of_sign_in(response) || code(response) == Some("AuthorizationFailure")
}

/// The error that an answer is.
pub(super) async fn of(response: HttpResponse) -> Failure {
    let (status, pause) = (response.status(), response.retry_after());
    if (300..400).contains(&status) {
        return response.failure().await;
    }
    let code = code(&response).map(str::to_owned);
    let said = said(response).await;
    let code = code.unwrap_or(said.code);
    let general = status::failure(status, pause, &shown(&code, &said.message));
    mapped(&code, general)
}

/// What the code says otherwise than the status.
fn mapped(code: &str, general: Failure) -> Failure {
    use ErrorKind as Kind;
    let (kind, passes, message) = match code {
        "ContainerNotFound" => (Kind::NotFound, false, "there is no such container"),
        "BlobNotFound" | "ResourceNotFound" => (Kind::NotFound, false, "there is no such blob"),
        "ContainerBeingDeleted" => (
            Kind::Io,
            true,
            "a container of this name is being deleted, which takes a while",
        ),
        "BlobAlreadyExists" | "ConditionNotMet" => {
            (Kind::AlreadyExists, false, "a file of that name exists")
        }
        "Md5Mismatch" | "Crc64Mismatch" => (
            Kind::Mismatch,
            true,
            "what arrived is not what was sent; the service has not stored it",
        ),
        // The emulator's code for the same.
        "InvalidOperation" => (Kind::Mismatch, true, ""),
        "InvalidBlockList" => (
            Kind::Mismatch,
            true,
            "the service no longer has all blocks of the file, as where two write it at the same time",
        ),
        "InvalidBlobOrBlock" | "InvalidBlockId" => (
            Kind::Unsupported,
            false,
            "another program has begun an upload of this file and not ended it; what it left vanishes within a week",
        ),
        "BlobArchived" | "BlobBeingRehydrated" => (
            Kind::Unsupported,
            false,
            "the blob lies in the tier Archive and cannot be read: bring it to Hot, Cool or Cold, which takes hours",
        ),
        "BlobImmutableDueToPolicy" => (
            Kind::PermissionDenied,
            false,
            "the blob must not be changed or removed yet: a policy or a legal hold protects it",
        ),
        "SnapshotsPresent" => (
            Kind::PermissionDenied,
            false,
            "the blob has snapshots of the service's own, and is not removed with them",
        ),
        "LeaseIdMissing" | "LeaseAlreadyPresent" => (
            Kind::PermissionDenied,
            false,
            "somebody holds a lease on it",
        ),
        "AccountIsDisabled" | "InsufficientAccountPermissions" | "UnauthorizedBlobOverwrite" => {
            (Kind::PermissionDenied, false, "")
        }
        "InvalidRange" => (Kind::RangeOutside, false, "the file is shorter than that"),
        "ServerBusy" | "TooManyRequests" => (Kind::Throttled, true, ""),
        "InternalError" => (Kind::Io, true, ""),
        "OperationTimedOut" => (Kind::TimedOut, true, ""),
        "AccountLimitExceeded" => (Kind::NoSpace, false, ""),
        _ => return general,
    };
    let message = match message {
        "" => general.message.clone(),
        known => format!("{known} ({code})"),
    };
    let failure = match passes {
        true => Failure::passing(kind, message),
        false => Failure::new(kind, message),
    };
    failure.after(general.retry_after)
}

/// A sign-in that was refused, and what to look at.
pub(super) async fn refused(response: HttpResponse, way: Way, was_accepted: bool) -> Failure {
    let off = response
        .header("date")
        .and_then(|date| clock_off(date, SystemTime::now()));
    let said = said(response).await;
    let what = match way {
        Way::Key => "the key of the account",
        Way::Signature => "the shared access signature",
        Way::Token => "the token",
    };
    let mut message = match was_accepted {
        true => format!(
            "the service no longer accepts {what}, which it accepted before: it has expired or was revoked"
        ),
        false => format!("the service does not accept {what}"),
    };
    if let Some(off) = off {
        message.push_str(&format!(
            "; the clock of this machine is {} minutes off that of the service, which takes no more than 15: set it right",
            off.as_secs() / 60
        ));
    }
    let detail = one_line(&said.authentication_error_detail);
    // That of a wrong key repeats the text that was signed, which tells nobody anything.
    if way != Way::Key && !detail.is_empty() {
        message.push_str(&format!("; it says: {detail}"));
    }
    Failure::new(ErrorKind::Unauthenticated, message)
}

/// How far the clocks are apart, where that matters.
fn clock_off(date: &str, now: SystemTime) -> Option<Duration> {
    let there = httpdate::parse_http_date(date).ok()?;
    let apart = match now.duration_since(there) {
        Ok(apart) => apart,
        Err(earlier) => earlier.duration(),
    };
    (apart > SKEW).then_some(apart)
}

async fn said(response: HttpResponse) -> Said {
    let body = response.read_first(SAID_BYTES).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    quick_xml::de::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default()
}

fn shown(code: &str, message: &str) -> String {
    match (code, one_line(message)) {
        ("", message) => message,
        (code, message) if message.is_empty() => one_line(code),
        (code, message) => format!("{}: {message}", one_line(code)),
    }
}

/// The first line, without what could move a terminal's cursor.
fn one_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default().trim();
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Retry;

    /// Each of them has another meaning than its status.
    #[test]
    fn codes_are_told_apart() {
        for (status, code, kind, retry) in [
            (
                409,
                "BlobAlreadyExists",
                ErrorKind::AlreadyExists,
                Retry::Never,
            ),
            (409, "ContainerBeingDeleted", ErrorKind::Io, Retry::Later),
            (409, "BlobArchived", ErrorKind::Unsupported, Retry::Never),
            (
                409,
                "BlobImmutableDueToPolicy",
                ErrorKind::PermissionDenied,
                Retry::Never,
            ),
            (
                412,
                "ConditionNotMet",
                ErrorKind::AlreadyExists,
                Retry::Never,
            ),
            (
                412,
                "LeaseIdMissing",
                ErrorKind::PermissionDenied,
                Retry::Never,
            ),
            (400, "Md5Mismatch", ErrorKind::Mismatch, Retry::Later),
            (400, "InvalidBlockList", ErrorKind::Mismatch, Retry::Later),
            (400, "InvalidHeaderValue", ErrorKind::Io, Retry::Never),
            (503, "ServerBusy", ErrorKind::Throttled, Retry::Later),
            (500, "InternalError", ErrorKind::Io, Retry::Later),
            (
                403,
                "AuthorizationFailure",
                ErrorKind::PermissionDenied,
                Retry::Never,
            ),
            (404, "ContainerNotFound", ErrorKind::NotFound, Retry::Never),
            (502, "", ErrorKind::Unreachable, Retry::Later),
        ] {
            let failure = mapped(code, status::failure(status, None, code));
            assert_eq!((failure.kind, failure.retry), (kind, retry), "{code}");
        }
    }

    /// The commonest reason for a sign-in that fails with the right key.
    #[test]
    fn a_clock_that_is_off_is_told() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let minutes = |date| clock_off(date, now).map(|off| off.as_secs() / 60);
        assert_eq!(minutes("Sun, 06 Nov 1994 08:49:30 GMT"), None);
        assert_eq!(minutes("Sun, 06 Nov 1994 09:49:37 GMT"), Some(60));
        assert_eq!(minutes("Sun, 06 Nov 1994 08:19:37 GMT"), Some(30));
        assert_eq!(minutes("yesterday"), None);
    }
}
