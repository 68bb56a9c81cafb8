//! Why the server refused, where it does not say.

use super::client::Client;
use super::failure::Fault;
use super::place::Place;
use super::reply::{FileSystem, FileType, Reply};
use super::request::Request;
use crate::failure::Failure;
use crate::{ErrorKind, StoragePath};

/// For calls that name a file which should be there. Where a part of the way is a file, or a name is too long for the
/// server's file system, the file is simply not there.
pub(super) async fn absent(
    client: &Client,
    place: &Place,
    path: &StoragePath,
    fault: Fault,
) -> Failure {
    let is_missing = match &fault {
        Fault::Refused(refusal) if refusal.is_bad_name() => true,
        Fault::Refused(refusal) if refusal.says_nothing() => {
            match is_behind_a_file(client, place, path).await {
                Ok(is_behind) => is_behind,
                Err(failure) => return failure,
            }
        }
        _ => false,
    };
    let failure = Failure::from(fault);
    match is_missing {
        true => Failure::new(ErrorKind::NotFound, failure.message),
        false => failure,
    }
}

/// Whether a part of the way to it is a file.
pub(super) async fn is_behind_a_file(
    client: &Client,
    place: &Place,
    path: &StoragePath,
) -> Result<bool, Failure> {
    for folder in Place::folders_of(path).rev() {
        match file_type(client, &place.named(folder)).await? {
            Some(FileType::Folder) => return Ok(false),
            Some(_) => return Ok(true),
            None => {}
        }
    }
    Ok(false)
}

/// What lies there, following links; `None` where nothing does or the server does not tell.
pub(super) async fn file_type(client: &Client, name: &str) -> Result<Option<FileType>, Failure> {
    match client.ask(Request::Stat(name)).await?.attributes().await {
        Ok(attributes) => Ok(Some(attributes.file_type())),
        Err(Fault::Refused(_)) => Ok(None),
        Err(Fault::Ended(failure)) => Err(failure),
    }
}

/// For calls that change something: a full or read-only file system is "failure" in OpenSSH's words, so it is asked.
/// `bytes` were to be written.
pub(super) async fn unchanged(client: &Client, place: &Place, bytes: u64, fault: Fault) -> Failure {
    if !fault.says_nothing() || !client.features().file_system {
        return fault.into();
    }
    let Some(system) = file_system(client, place.root()).await else {
        return fault.into();
    };
    if system.is_read_only {
        let message = "the server's file system is read-only";
        return Failure::new(ErrorKind::ReadOnly, message);
    }
    // What was written of it so far still takes its room.
    if system.no_files_left || system.free_bytes < bytes {
        let message = format!(
            "no space left on the server: {} bytes are free where {bytes} are to be written{}",
            system.free_bytes,
            if system.no_files_left {
                ", and it can hold no more files"
            } else {
                ""
            },
        );
        return Failure::new(ErrorKind::NoSpace, message);
    }
    fault.into()
}

async fn file_system(client: &Client, name: &str) -> Option<FileSystem> {
    let answer = client.ask(Request::FileSystem(name)).await.ok()?;
    match answer.reply().await.ok()? {
        Reply::Extended(data) => FileSystem::decode(data),
        _ => None,
    }
}
