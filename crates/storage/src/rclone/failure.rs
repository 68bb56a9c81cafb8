//! What can go wrong with the process.

use crate::ErrorKind;
use crate::failure::Failure;

/// It did not answer its first request: it has ended, or is no server of the protocol. Another try would end the same way.
pub(super) fn unanswered(program: &str, ended: Option<String>, why: Failure) -> Failure {
    let message = match ended {
        Some(status) => format!("{program} ended with {status}; it says above why"),
        None => format!(
            "{program} does not answer as a server of restic's protocol: {}",
            why.message
        ),
    };
    Failure::new(ErrorKind::Unreachable, message)
}
