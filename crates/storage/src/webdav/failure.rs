//! What this protocol says otherwise than the table of all kinds.

use crate::failure::Failure;
use crate::http::HttpResponse;
use crate::{ErrorKind, Retry};

/// The error that an answer is.
pub(super) async fn of(response: HttpResponse) -> Failure {
    let status = response.status();
    if status == 207 {
        // Of a method on one file: what it says is about what could not be done.
        response.discard().await;
        let message = "the server did a part of what it was asked and not all of it";
        return Failure::passing(ErrorKind::Io, message);
    }
    let mut failure = response.failure().await;
    match status {
        // A folder on the way is missing or is a file; who could mend the first has tried.
        409 => failure.retry = Retry::Never,
        413 => failure
            .message
            .push_str("; it takes no file of this size (see --pack-size)"),
        _ => {}
    }
    failure
}

/// Of a request that every WebDAV server understands.
pub(super) async fn of_propfind(response: HttpResponse) -> Failure {
    match response.status() {
        200..=206 | 405 | 501 => {
            response.discard().await;
            let message = "the server does not speak WebDAV at this address";
            Failure::new(ErrorKind::Unsupported, message)
        }
        _ => of(response).await,
    }
}

/// A listing that is not what the protocol says.
pub(super) fn not_understood(what: impl std::fmt::Display) -> Failure {
    let message = format!("what the server lists is not in the protocol's form: {what}");
    Failure::passing(ErrorKind::Mismatch, message)
}

pub(super) fn no_such_file() -> Failure {
    Failure::new(ErrorKind::NotFound, "there is no such file")
}

pub(super) fn no_storage() -> Failure {
    let message = "there is no folder at this address of the server";
    Failure::new(ErrorKind::NotFound, message)
}

pub(super) fn exists() -> Failure {
    Failure::new(ErrorKind::AlreadyExists, "a file of that name exists")
}

pub(super) fn is_folder() -> Failure {
    Failure::new(ErrorKind::Io, "a folder has the name of the file")
}

pub(super) fn is_folder_not() -> Failure {
    let message = "the place of the storage is not a folder";
    Failure::new(ErrorKind::NotFound, message)
}

pub(super) fn outside(message: String) -> Failure {
    Failure::new(ErrorKind::RangeOutside, message)
}

/// Why a sign-in came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Nobody signs in.
    NoCredentials,
    /// They were good before.
    Expired,
    /// They are wrong.
    Wrong,
    /// The server wants a way of signing in that is not known here.
    UnknownWay,
}

/// A sign-in that was refused; what to do depends on why.
pub(super) fn refused(why: Refusal) -> Failure {
    let message = match why {
        Refusal::NoCredentials => "the server asks for a user and a password, and none were given",
        Refusal::Expired => {
            "the server no longer accepts the user and password that it accepted before: they have expired or were revoked"
        }
        Refusal::Wrong => "the server does not accept this user and password",
        Refusal::UnknownWay => {
            "the server wants to be signed in to in a way that is neither Basic nor Digest (MD5, SHA-256)"
        }
    };
    Failure::new(ErrorKind::Unauthenticated, message)
}
