//! Temporary files on the server, and their lives.

use std::sync::Arc;

use super::client::Client;
use super::handle::{Handle, in_background};
use super::request::Request;
use crate::failure::Failure;
use crate::{ErrorKind, temporary_name};

/// The name of a temporary file, and the file while it is being written. When it is dropped the file is removed,
/// unless it was [kept](Self::keep).
pub(super) struct Temporary {
    client: Arc<Client>,
    name: String,
    file: Option<Handle>,
    is_kept: bool,
}

impl Temporary {
    /// A name of its own in the folder. From here on what is there is removed.
    pub(super) fn new(client: &Arc<Client>, folder: &str) -> Result<Self, Failure> {
        let name = temporary_name::new()
            .map_err(|e| Failure::new(ErrorKind::Io, format!("no random number: {e}")))?;
        Ok(Self {
            client: Arc::clone(client),
            name: format!("{folder}/{name}"),
            file: None,
            is_kept: false,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Takes the open file, so that it is closed before it is removed, as some servers want it.
    pub(super) fn hold(&mut self, file: Handle) {
        self.file = Some(file);
    }

    pub(super) fn file(&self) -> Option<&Handle> {
        self.file.as_ref()
    }

    /// The server has been asked to close it.
    pub(super) fn closed(&mut self) {
        if let Some(file) = self.file.take() {
            file.closed();
        }
    }

    /// The file has got its final name.
    pub(super) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        let (client, file) = (Arc::clone(&self.client), self.file.take());
        let name = std::mem::take(&mut self.name);
        in_background(async move {
            if let Some(file) = file {
                let _ = client.ask(Request::Close(file.id())).await;
                file.closed();
            }
            let _ = client.ask(Request::Remove(&name)).await;
        });
    }
}
