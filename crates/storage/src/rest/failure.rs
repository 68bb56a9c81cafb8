//! What this protocol says otherwise than the table of all kinds.

use crate::ErrorKind;
use crate::failure::Failure;
use crate::http::HttpResponse;

use super::protocol::MISSING_HEADER;

/// The error that an answer is.
pub(super) async fn of(response: HttpResponse) -> Failure {
    let status = response.status();
    if status == 404 && response.header(MISSING_HEADER).is_some() {
        let message = "there is no repository at this address of the server";
        return Failure::new(ErrorKind::NotFound, message);
    }
    let failure = response.failure().await;
    match status {
        // Only our own servers answer so, to a write that was to replace nothing.
        409 => Failure::new(ErrorKind::AlreadyExists, "a file of that name exists"),
        // And so to what is not what its name or its sender says: it was damaged on the way, and is not stored.
        422 => Failure::passing(ErrorKind::Mismatch, failure.message),
        _ => failure,
    }
}

/// A sign-in that was refused; what to do depends on whether there was one, and whether it was good before.
pub(super) fn refused(has_credentials: bool, was_accepted: bool) -> Failure {
    let message = match (has_credentials, was_accepted) {
        (false, _) => "the server asks for a user and a password, and none were given",
        (true, true) => {
            "the server no longer accepts the user and password that it accepted before: they have expired or were revoked"
        }
        (true, false) => "the server does not accept this user and password",
    };
    Failure::new(ErrorKind::Unauthenticated, message)
}
