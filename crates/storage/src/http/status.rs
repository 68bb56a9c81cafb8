//! What a status means: the one table of all kinds.

use std::time::Duration;

use crate::failure::Failure;
use crate::{ErrorKind, Retry};

/// The error of an answer that is none of those the caller expects. `said` is what the server wrote, if anything.
pub(crate) fn failure(status: u16, retry_after: Option<Duration>, said: &str) -> Failure {
    let (kind, retry) = meaning(status, retry_after.is_some());
    let name = reqwest::StatusCode::from_u16(status).ok();
    let name = name.and_then(|status| status.canonical_reason());
    let mut message = format!("the server answered {status}");
    if let Some(name) = name {
        message.push(' ');
        message.push_str(name);
    }
    if !said.is_empty() {
        message.push_str(": ");
        message.push_str(said);
    }
    let failure = match retry {
        Retry::Never => Failure::new(kind, message),
        Retry::Later => Failure::passing(kind, message),
    };
    failure.after(retry_after)
}

/// A server that names a time to come back at is one that passes.
fn meaning(status: u16, names_a_time: bool) -> (ErrorKind, Retry) {
    use ErrorKind as Kind;
    match status {
        401 | 407 => (Kind::Unauthenticated, Retry::Never),
        402 | 403 => (Kind::PermissionDenied, Retry::Never),
        404 | 410 => (Kind::NotFound, Retry::Never),
        405 | 411 | 413 | 414 | 415 | 431 | 501 | 505 => (Kind::Unsupported, Retry::Never),
        412 => (Kind::AlreadyExists, Retry::Never),
        416 => (Kind::RangeOutside, Retry::Never),
        408 | 504 => (Kind::TimedOut, Retry::Later),
        429 | 509 => (Kind::Throttled, Retry::Later),
        503 if names_a_time => (Kind::Throttled, Retry::Later),
        502 | 503 | 520..=524 => (Kind::Unreachable, Retry::Later),
        507 => (Kind::NoSpace, Retry::Never),
        // Two writers in each other's way, a file that is locked, a connection meant for somebody else, too early.
        409 | 421 | 423 | 425 => (Kind::Io, Retry::Later),
        500..=599 => (Kind::Io, Retry::Later),
        _ => (Kind::Io, Retry::Never),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A refusal that is tried again for a quarter of an hour locks accounts; a hiccup that is not costs a backup.
    #[test]
    fn what_passes_and_what_does_not() {
        for (status, kind, retry) in [
            (301, ErrorKind::Io, Retry::Never),
            (400, ErrorKind::Io, Retry::Never),
            (401, ErrorKind::Unauthenticated, Retry::Never),
            (403, ErrorKind::PermissionDenied, Retry::Never),
            (404, ErrorKind::NotFound, Retry::Never),
            (412, ErrorKind::AlreadyExists, Retry::Never),
            (416, ErrorKind::RangeOutside, Retry::Never),
            (429, ErrorKind::Throttled, Retry::Later),
            (500, ErrorKind::Io, Retry::Later),
            (501, ErrorKind::Unsupported, Retry::Never),
            (503, ErrorKind::Unreachable, Retry::Later),
            (504, ErrorKind::TimedOut, Retry::Later),
            (507, ErrorKind::NoSpace, Retry::Never),
        ] {
            let failure = failure(status, None, "");
            assert_eq!((failure.kind, failure.retry), (kind, retry), "{status}");
        }
        let pause = Some(Duration::from_secs(7));
        let slow = failure(503, pause, "slow down");
        assert_eq!((slow.kind, slow.retry_after), (ErrorKind::Throttled, pause));
        let message = "the server answered 503 Service Unavailable: slow down";
        assert_eq!(slow.message, message);
    }
}
