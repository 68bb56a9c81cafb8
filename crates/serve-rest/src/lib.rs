//! A server of restic's REST protocol, versions 1 and 2, with our addition to it (`strongroom_storage::rest::protocol`).
//!
//! Entry point: [`Server`]. Any restic client can back up to it. What it promises beyond what it serves:
//! - A file appears whole or not at all, and is never overwritten by a client of restic's protocol. It lies in a
//!   [`strongroom_storage::LocalStorage`], whose promises hold.
//! - A file of restic's folders is taken only if its name is the SHA-256 of its bytes. What was damaged on the way does not
//!   get in, and a client cannot put something else under a name that others trust.
//! - Append-only means that a client can remove locks and nothing else, and replace nothing.
//! - When a snapshot arrived is written down where no client can write ([`receipts`]): a client that lies about the time
//!   cannot push others out of a retention that goes by it (T-16).
//! - A client reaches only repositories below the folder that is served; where they are private, only its own.
//! - Memory is bounded: uploads share a budget, downloads go in pieces.
//!
//! It prints nothing. Who runs it is told what happens through [`Observer`].

mod accounts;
mod address;
mod answer;
mod budget;
mod download;
mod files;
mod metrics;
mod observer;
pub mod receipts;
mod repositories;
mod request;
mod server;
mod settings;
mod tls;
mod upload;

pub use accounts::{Accounts, AccountsError};
pub use observer::{Event, Observer};
pub use server::{ServeError, Server};
pub use settings::{ServerSettings, TlsFiles};
