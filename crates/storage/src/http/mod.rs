//! HTTP for every kind that speaks it. The only module that touches an HTTP or TLS library.
//!
//! - [`HttpClient`] sends requests whose bodies are in memory and gives back answers whose bodies are still to come. Both
//!   go in pieces through a [`crate::Pace`], and a call in which nothing moves for too long ends.
//! - A body that is shorter or longer than it should be is an error, and never taken for the file.
//! - What a status means stands in one table ([`status`]); a kind whose protocol differs decides before it asks there.
//! - Redirections are not followed: a password would go to whoever is named there.
//!
//! The TLS library is rustls with the primitives of ring. Certificates of authorities are those of the system, or those of
//! one file. The proxies come from variables that were handed in.

mod base_url;
mod body;
mod client;
mod failure;
mod options;
mod pipe;
mod proxies;
mod response;
mod retry_after;
pub(crate) mod status;
mod tls;

pub(crate) use base_url::BaseUrl;
pub(crate) use client::{HttpClient, HttpRequest};
pub(crate) use options::{HttpOptions, OPTIONS};
pub(crate) use pipe::Pipe;
pub(crate) use reqwest::Url;
pub(crate) use response::HttpResponse;
