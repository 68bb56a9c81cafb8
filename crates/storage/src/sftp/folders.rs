//! Folders: making them, and the permissions of what lies in them.

use std::sync::Arc;

use super::client::Client;
use super::failure::Fault;
use super::handle::Handle;
use super::place::Place;
use super::reasons::{file_type, unchanged};
use super::reply::FileType;
use super::request::Request;
use crate::failure::Failure;
use crate::{ErrorKind, StoragePath};

/// Permission bits for new files and folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Modes {
    pub(super) file: u32,
    pub(super) folder: u32,
}

impl Modes {
    /// Files can be written by their owner, unlike those of a local directory: some servers (on Windows) refuse to
    /// delete a file that cannot.
    pub(super) const PRIVATE: Self = Self {
        file: 0o600,
        folder: 0o700,
    };
    const GROUP: Self = Self {
        file: 0o660,
        folder: 0o770,
    };

    /// As restic decides it: for the group as well where the group can read `config`.
    pub(super) async fn of(client: &Client, place: &Place) -> Result<Self, Failure> {
        let answer = client.ask(Request::Stat(&place.named("config"))).await?;
        match answer.attributes().await {
            Ok(config) if config.mode.is_some_and(|mode| mode & 0o040 != 0) => Ok(Self::GROUP),
            Ok(_) | Err(Fault::Refused(_)) => Ok(Self::PRIVATE),
            Err(Fault::Ended(failure)) => Err(failure),
        }
    }

    /// Whether the server may have given less than was asked for, since it takes away what its `umask` says.
    pub(super) fn must_be_set(self) -> bool {
        self == Self::GROUP
    }
}

/// Makes the folders that the file lies in. Never makes the root of the storage.
pub(super) async fn make(
    client: &Arc<Client>,
    place: &Place,
    path: &StoragePath,
    modes: Modes,
) -> Result<(), Failure> {
    let root = client.ask(Request::Stat(place.root())).await?;
    if root.attributes().await?.file_type() != FileType::Folder {
        let message = "the place of the storage is not a folder";
        return Err(Failure::new(ErrorKind::NotFound, message));
    }
    let mut parent = place.root().to_owned();
    for folder in Place::folders_of(path) {
        let name = place.named(folder);
        match make_one(client, &name, modes).await {
            Ok(()) => sync(client, &parent).await?,
            Err(fault) if is_folder(client, &name, &fault).await? => {}
            Err(fault) => return Err(unchanged(client, place, 1, fault).await),
        }
        parent = name;
    }
    Ok(())
}

/// Makes the root and what is missing above it.
pub(super) async fn make_root(client: &Arc<Client>, place: &Place) -> Result<(), Failure> {
    let root = place.root();
    let ends = root
        .match_indices('/')
        .map(|(at, _)| at)
        .skip_while(|at| *at == 0);
    let above = ends.filter_map(|at| root.get(..at));
    let mut missing = Vec::new();
    for name in above.chain([root]).collect::<Vec<_>>().into_iter().rev() {
        match file_type(client, name).await? {
            Some(FileType::Folder) => break,
            _ => missing.push(name),
        }
    }
    for name in missing.into_iter().rev() {
        match make_one(client, name, Modes::PRIVATE).await {
            Ok(()) => {}
            Err(fault) if is_folder(client, name, &fault).await? => {}
            Err(fault) => {
                let above = Place::new(name.rsplit_once('/').map_or(".", |(above, _)| above));
                return Err(unchanged(client, &above, 1, fault).await);
            }
        }
    }
    Ok(())
}

/// Another writer may have made it at the same moment, which a server says as little of as of anything else.
async fn is_folder(client: &Client, name: &str, fault: &Fault) -> Result<bool, Failure> {
    match fault {
        Fault::Refused(refusal) if refusal.says_nothing() || refusal.is_taken() => {
            Ok(file_type(client, name).await? == Some(FileType::Folder))
        }
        _ => Ok(false),
    }
}

async fn make_one(client: &Client, name: &str, modes: Modes) -> Result<(), Fault> {
    let made = client.ask(Request::MakeFolder(name, modes.folder)).await?;
    made.done().await?;
    if modes.must_be_set() {
        let set = client.ask(Request::SetMode(name, modes.folder)).await?;
        unless_refused(set.done().await)?;
    }
    Ok(())
}

/// What a server will not do to a mode or a folder is no reason to do without the file.
pub(super) fn unless_refused(result: Result<(), Fault>) -> Result<(), Fault> {
    match result {
        Err(Fault::Refused(_)) => Ok(()),
        result => result,
    }
}

/// Brings the names in a folder to the server's disk. OpenSSH opens a folder like a file, and syncs it; where a server
/// does not, its operating system decides when they get there.
pub(super) async fn sync(client: &Arc<Client>, name: &str) -> Result<(), Failure> {
    if !client.features().sync {
        return Ok(());
    }
    let opening = Handle::ask(client, Request::OpenToRead(name)).await?;
    match opening.handle().await {
        Ok(folder) => {
            let synced = client.ask(Request::Sync(folder.id())).await?;
            Ok(unless_refused(synced.done().await)?)
        }
        Err(Fault::Refused(_)) => Ok(()),
        Err(fault) => Err(fault.into()),
    }
}
