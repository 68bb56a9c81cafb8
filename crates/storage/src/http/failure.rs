//! What the HTTP library says, in the kinds of this crate.

use std::error::Error;
use std::io;

use crate::ErrorKind;
use crate::failure::Failure;

/// An error on the way to the server or back.
pub(super) fn network(error: &reqwest::Error) -> Failure {
    let message = causes(error);
    if error.is_builder() {
        return Failure::new(ErrorKind::Unsupported, message);
    }
    if is_about_certificates(error) {
        return Failure::new(ErrorKind::Untrusted, message);
    }
    if error.is_timeout() {
        let which = match error.is_connect() {
            true => "no connection in time (limit.connect)",
            false => "the network gave up waiting",
        };
        return Failure::passing(ErrorKind::TimedOut, which);
    }
    Failure::passing(ErrorKind::Unreachable, message)
}

/// A connection that speaks HTTP and broke off.
pub(super) fn connection(error: &hyper::Error) -> Failure {
    Failure::passing(ErrorKind::Unreachable, causes(error))
}

/// A certificate is as wrong at the next try; a connection that breaks while one is shown is not.
fn is_about_certificates(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(
            rustls::Error::InvalidCertificate(_)
            | rustls::Error::InvalidCertRevocationList(_)
            | rustls::Error::NoCertificatesPresented
            | rustls::Error::UnsupportedNameType,
        ) = error.downcast_ref()
        {
            return true;
        }
        next = match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            // Its source would be that of what it holds, which would itself be passed over.
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    false
}

/// The innermost cause, which is the one that says something, without the address: that may hold a password.
pub(super) fn causes(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
