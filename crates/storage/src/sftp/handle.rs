//! Files and folders that are open on the server.

use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinHandle;

use super::client::Client;
use super::failure::Fault;
use super::request::Request;
use crate::ErrorKind;
use crate::failure::Failure;

/// An open file or folder, closed when it is dropped: a server lets a session have so many open at once.
#[derive(Debug)]
pub(super) struct Handle {
    client: Arc<Client>,
    id: Bytes,
    is_closed: bool,
}

/// A file or folder that is being opened. Where that is given up, it is closed as soon as it is open.
pub(super) struct Opening(JoinHandle<Result<Handle, Fault>>);

impl Handle {
    /// Sends a request that opens something.
    pub(super) async fn ask(client: &Arc<Client>, request: Request<'_>) -> Result<Opening, Fault> {
        let answer = client.ask(request).await?;
        let client = Arc::clone(client);
        let opening = async move {
            let id = answer.handle().await?;
            Ok(Self {
                client,
                id,
                is_closed: false,
            })
        };
        Ok(Opening(tokio::spawn(opening)))
    }

    pub(super) fn id(&self) -> &Bytes {
        &self.id
    }

    /// Whoever has closed it says so.
    pub(super) fn closed(mut self) {
        self.is_closed = true;
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.is_closed {
            return;
        }
        let (client, id) = (Arc::clone(&self.client), self.id.clone());
        in_background(async move {
            let _ = client.ask(Request::Close(&id)).await;
        });
    }
}

impl Opening {
    pub(super) async fn handle(self) -> Result<Handle, Fault> {
        self.0.await.unwrap_or_else(|_| {
            Err(Fault::Ended(Failure::new(
                ErrorKind::Io,
                "the call was stopped with the program",
            )))
        })
    }
}

/// Tidies up after a call that may be gone. Where no runtime is left to do it, the session ends anyway.
pub(super) fn in_background(work: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(work);
    }
}
