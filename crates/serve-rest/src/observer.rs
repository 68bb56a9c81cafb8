//! What happens, for whoever runs the server.

use std::sync::Arc;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A request was answered.
    Answered {
        /// Who signed in.
        user: Option<String>,
        /// The method.
        method: String,
        /// The path as it was asked for.
        path: String,
        /// The status of the answer.
        status: u16,
    },
    /// A connection could not be served; this is no harm to others.
    Connection(String),
    /// The file with the accounts was read anew.
    AccountsRead,
    /// The file with the accounts cannot be read; the accounts that were read before still hold.
    AccountsUnreadable(String),
}

/// Is told each event, and must return soon.
pub type Observer = Arc<dyn Fn(&Event) + Send + Sync>;
