//! The one step that gives a file its final name.

use std::sync::Arc;

use super::client::Client;
use super::failure::Fault;
use super::folders::unless_refused;
use super::handle::Handle;
use super::request::Request;
use crate::ErrorKind;
use crate::failure::Failure;

/// How a file got its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decided {
    /// The server decided.
    Atomically,
    /// We looked, or removed what was there, and then renamed; another writer or a crash may have come between.
    ByLooking,
}

/// Why a file did not get its name.
pub(super) enum Unpublished {
    Taken,
    Fault(Fault),
}

impl From<Fault> for Unpublished {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(refusal) if refusal.is_taken() => Self::Taken,
            fault => Self::Fault(fault),
        }
    }
}

/// Renames unless the new name is taken.
///
/// A second name for the same file is what a server gives in one step or refuses. What it does where a rename meets
/// a name that is taken differs from server to server, whatever the draft says.
pub(super) async fn without_replacing(
    client: &Arc<Client>,
    from: &str,
    to: &str,
    folder: Option<&Handle>,
) -> Result<Decided, Unpublished> {
    if client.features().link {
        match synced(client, Request::Link(from, to), folder).await {
            Ok(()) => {
                // Nobody waits for this one; the server takes it up before anything that we ask later.
                client.ask(Request::Remove(from)).await?;
                return Ok(Decided::Atomically);
            }
            Err(fault) if is_there(client, to).await? => return Err(taken(fault)),
            // A file system without links, which a server says in many ways.
            Err(Fault::Refused(_)) => {}
            Err(fault) => return Err(fault.into()),
        }
    }
    if is_there(client, to).await? {
        return Err(Unpublished::Taken);
    }
    match synced(client, Request::Rename(from, to), folder).await {
        Ok(()) => Ok(Decided::ByLooking),
        Err(fault) if is_there(client, to).await? => Err(taken(fault)),
        Err(fault) => Err(fault.into()),
    }
}

fn taken(fault: Fault) -> Unpublished {
    match fault {
        Fault::Refused(_) => Unpublished::Taken,
        fault => Unpublished::Fault(fault),
    }
}

/// Puts the file in the place of what may be there.
pub(super) async fn replacing(
    client: &Arc<Client>,
    from: &str,
    to: &str,
    folder: Option<&Handle>,
) -> Result<Decided, Fault> {
    if client.features().rename_replacing {
        let rename = Request::RenameReplacing(from, to);
        let renamed = synced(client, rename, folder).await;
        return renamed.map(|()| Decided::Atomically);
    }
    let rename = Request::Rename(from, to);
    match synced(client, rename, folder).await {
        // It was not there, or this server replaces; nobody can tell which.
        Ok(()) => return Ok(Decided::ByLooking),
        Err(fault) if !is_there(client, to).await? => return Err(fault),
        Err(_) => {}
    }
    client.ask(Request::Remove(to)).await?.done().await?;
    let renamed = synced(client, rename, folder).await;
    renamed.map(|()| Decided::ByLooking)
}

/// A change of names that is on the server's disk when this returns, in one round trip.
async fn synced(
    client: &Arc<Client>,
    change: Request<'_>,
    folder: Option<&Handle>,
) -> Result<(), Fault> {
    let changed = client.ask(change).await?;
    let synced = match folder {
        Some(folder) => Some(client.ask(Request::Sync(folder.id())).await?),
        None => None,
    };
    changed.done().await?;
    match synced {
        Some(synced) => unless_refused(synced.done().await),
        None => Ok(()),
    }
}

/// Whether the name is taken, if only by a link that leads nowhere.
async fn is_there(client: &Client, name: &str) -> Result<bool, Fault> {
    let answer = client.ask(Request::StatLink(name)).await?;
    match answer.attributes().await {
        Ok(_) => Ok(true),
        Err(Fault::Refused(_)) => Ok(false),
        Err(fault) => Err(fault),
    }
}

pub(super) fn name_is_taken() -> Failure {
    Failure::new(ErrorKind::AlreadyExists, "a file of this name exists")
}
