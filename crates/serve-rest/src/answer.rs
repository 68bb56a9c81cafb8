//! Answers.

use std::io;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use strongroom_storage::rest::protocol::{FILES_HEADER, MISSING_HEADER};
use strongroom_storage::{ErrorKind, StorageError};

/// An answer with a body that may still have to be read from the disk.
pub(crate) type Answer = Response<UnsyncBoxBody<Bytes, io::Error>>;

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let nothing = Empty::new().map_err(|never| match never {});
    let mut answer = Response::new(nothing.boxed_unsync());
    *answer.status_mut() = status;
    answer
}

/// A line for the person at the client, who is shown it.
pub(crate) fn refusal(status: StatusCode, why: &str) -> Answer {
    text(status, "text/plain; charset=utf-8", format!("{why}\n"))
}

/// A whole body.
pub(crate) fn text(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let body = Full::new(body.into()).map_err(|never| match never {});
    let mut answer = Response::new(body.boxed_unsync());
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

/// Adds a header whose value is made of plain letters.
pub(crate) fn with(mut answer: Answer, name: &'static str, value: &str) -> Answer {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
    answer
}

/// Says that we have the addition to the protocol.
pub(crate) fn ours(answer: Answer) -> Answer {
    with(answer, FILES_HEADER, "1")
}

/// The repository was never made.
pub(crate) fn no_repository() -> Answer {
    let answer = refusal(StatusCode::NOT_FOUND, "there is no repository here");
    with(answer, MISSING_HEADER, "repository")
}

/// What a storage could not do. What the system says stays here: a client has no use for our paths.
pub(crate) fn of_error(error: &StorageError) -> Answer {
    match error.kind {
        ErrorKind::NotFound => empty(StatusCode::NOT_FOUND),
        ErrorKind::AlreadyExists => refusal(StatusCode::CONFLICT, "a file of that name exists"),
        ErrorKind::NoSpace => refusal(StatusCode::INSUFFICIENT_STORAGE, "the disk is full"),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnly => refusal(
            StatusCode::FORBIDDEN,
            "the server may not do that on its disk",
        ),
        ErrorKind::Unsupported => refusal(StatusCode::BAD_REQUEST, "no file can have that name"),
        _ => refusal(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the server's disk has failed",
        ),
    }
}
