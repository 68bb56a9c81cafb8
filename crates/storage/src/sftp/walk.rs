//! Listing the files below a folder, many folders at once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::task::JoinSet;

use super::client::{Answer, Client};
use super::failure::Fault;
use super::handle::Handle;
use super::place::Place;
use super::reasons::file_type;
use super::reply::{Attributes, FileType};
use super::request::Request;
use crate::failure::Failure;
use crate::{ErrorKind, FileInfo, StoragePath, temporary_name};

/// Folders that are read at the same time. The 256 folders of `data` take 16 round trips.
const FOLDERS_AT_ONCE: usize = 16;

/// Parts of one folder that are asked for ahead. OpenSSH gives a hundred names at a time.
const AHEAD_MAX: usize = 16;

/// What a walk came across.
#[derive(Default)]
pub(super) struct Found {
    pub(super) files: Vec<FileInfo>,
    /// Temporary files whose writers are gone.
    pub(super) stale: Vec<String>,
}

/// A folder that is still to be read.
struct Folder {
    /// Its parts below the root; empty for the root itself.
    path: String,
    /// The real places of the folders in which links were followed, to notice one that leads back.
    above: Arc<Vec<String>>,
}

/// What one folder has.
#[derive(Default)]
struct Content {
    found: Found,
    folders: Vec<Folder>,
}

/// Everything below the folder, or below the root.
///
/// A folder that cannot be read is an error: a listing that leaves files out is how data gets deleted.
pub(super) async fn walk(
    client: &Arc<Client>,
    place: &Arc<Place>,
    folder: Option<&StoragePath>,
) -> Result<Found, Failure> {
    let root = client.ask(Request::Stat(place.root())).await?;
    if root.attributes().await?.file_type() != FileType::Folder {
        return Err(Failure::new(ErrorKind::NotFound, "not a folder"));
    }
    let mut waiting = vec![Folder {
        path: folder.map_or_else(String::new, |folder| folder.as_str().to_owned()),
        above: Arc::default(),
    }];
    let mut found = Found::default();
    let mut reading = JoinSet::new();
    loop {
        while reading.len() < FOLDERS_AT_ONCE
            && let Some(folder) = waiting.pop()
        {
            let (client, place) = (Arc::clone(client), Arc::clone(place));
            reading.spawn(async move { read_folder(&client, &place, folder).await });
        }
        let Some(read) = reading.join_next().await else {
            return Ok(found);
        };
        let content = read.unwrap_or_else(|_| {
            let message = "the call was stopped with the program";
            Err(Failure::new(ErrorKind::Io, message))
        })?;
        found.files.extend(content.found.files);
        found.stale.extend(content.found.stale);
        waiting.extend(content.folders);
    }
}

async fn read_folder(
    client: &Arc<Client>,
    place: &Place,
    folder: Folder,
) -> Result<Content, Failure> {
    let mut content = Content::default();
    let name = place.named(&folder.path);
    let opening = Handle::ask(client, Request::OpenFolder(&name)).await?;
    let handle = match opening.handle().await {
        Ok(handle) => handle,
        Err(fault) if is_no_folder(client, place, &folder, &fault).await? => return Ok(content),
        Err(fault) => return Err(fault.into()),
    };
    let now = SystemTime::now();
    let mut links = Vec::new();
    // More is asked for ahead the longer the folder turns out to be.
    let mut ahead = 2;
    let mut coming: VecDeque<Answer> = VecDeque::new();
    loop {
        while coming.len() < ahead {
            coming.push_back(client.ask(Request::ReadFolder(handle.id())).await?);
        }
        let Some(answer) = coming.pop_front() else {
            break;
        };
        let Some(names) = answer.names().await? else {
            break;
        };
        for (name, attributes) in names {
            let Some(entry) = Entry::of(&folder, &name, attributes, now) else {
                continue;
            };
            match entry {
                Entry::File(file) => content.found.files.push(file),
                Entry::Stale(path) => content.found.stale.push(place.named(&path)),
                Entry::Unmeasured(path) | Entry::Link(path) => links.push(path),
                Entry::Folder(path) => content.folders.push(Folder {
                    path,
                    above: Arc::clone(&folder.above),
                }),
            }
        }
        ahead = (ahead * 2).min(AHEAD_MAX);
    }
    for path in links {
        follow(client, place, &folder, path, &mut content).await?;
    }
    Ok(content)
}

/// What another process has removed since we saw its name is empty, and so is what is a file.
async fn is_no_folder(
    client: &Client,
    place: &Place,
    folder: &Folder,
    fault: &Fault,
) -> Result<bool, Failure> {
    if fault.is_not_found() {
        return Ok(true);
    }
    let bad_name = matches!(fault, Fault::Refused(refusal) if refusal.is_bad_name());
    if !fault.says_nothing() && !bad_name {
        return Ok(false);
    }
    let Ok(path) = StoragePath::new(folder.path.as_str()) else {
        return Ok(false);
    };
    match file_type(client, &place.of(&path)).await? {
        Some(FileType::Folder) => Ok(false),
        Some(_) => Ok(true),
        None if bad_name => Ok(true),
        None => super::reasons::is_behind_a_file(client, place, &path).await,
    }
}

/// What a name in a folder stands for; names that are none of ours are passed over.
enum Entry {
    File(FileInfo),
    /// The server does not say how large it is in a listing.
    Unmeasured(StoragePath),
    Folder(String),
    Link(StoragePath),
    Stale(String),
}

impl Entry {
    fn of(folder: &Folder, name: &Bytes, attributes: Attributes, now: SystemTime) -> Option<Self> {
        let name = std::str::from_utf8(name).ok()?;
        let path = match folder.path.as_str() {
            "" => name.to_owned(),
            folder => format!("{folder}/{name}"),
        };
        if temporary_name::is_ours(name) {
            let modified = SystemTime::UNIX_EPOCH
                .checked_add(Duration::from_secs(attributes.modified_s?.into()))?;
            let is_stale = temporary_name::is_stale(modified, now);
            // A slash in a name would lead elsewhere.
            return (is_stale && !name.contains('/')).then_some(Self::Stale(path));
        }
        if name.contains('/') {
            return None;
        }
        let path = StoragePath::new(path).ok()?;
        match attributes.file_type() {
            FileType::Folder => Some(Self::Folder(path.as_str().to_owned())),
            _ if temporary_name::is_restics(name) => None,
            FileType::Link => Some(Self::Link(path)),
            FileType::File => Some(match attributes.size {
                Some(size_bytes) => Self::File(FileInfo { path, size_bytes }),
                None => Self::Unmeasured(path),
            }),
            FileType::Other => None,
        }
    }
}

/// Looks where a link leads. One that leads nowhere, or back to a folder that we came through, has nothing.
async fn follow(
    client: &Client,
    place: &Place,
    folder: &Folder,
    path: StoragePath,
    content: &mut Content,
) -> Result<(), Failure> {
    let name = place.of(&path);
    let attributes = match client.ask(Request::Stat(&name)).await?.attributes().await {
        Ok(attributes) => attributes,
        Err(Fault::Refused(_)) => return Ok(()),
        Err(Fault::Ended(failure)) => return Err(failure),
    };
    match (attributes.file_type(), attributes.size) {
        (FileType::File, Some(size_bytes)) => {
            content.found.files.push(FileInfo { path, size_bytes });
        }
        (FileType::Folder, _) => {
            let here = real_path(client, &place.named(&folder.path)).await?;
            let there = real_path(client, &name).await?;
            let mut above = (*folder.above).clone();
            above.push(here);
            if !above.iter().any(|folder| lies_in(folder, &there)) {
                content.folders.push(Folder {
                    path: path.as_str().to_owned(),
                    above: Arc::new(above),
                });
            }
        }
        _ => {}
    }
    Ok(())
}

/// Whether `path` is the folder or inside it.
fn lies_in(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    let rest = path.strip_prefix(folder);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

async fn real_path(client: &Client, name: &str) -> Result<String, Failure> {
    let answer = client.ask(Request::RealPath(name)).await?;
    let names = answer.names().await?.unwrap_or_default();
    let first = names.into_iter().next();
    let (real, _) = first.ok_or_else(|| Failure::from(Fault::unexpected()))?;
    Ok(String::from_utf8_lossy(&real).into_owned())
}

#[cfg(test)]
mod tests {
    use super::lies_in;

    #[test]
    fn a_folder_lies_in_itself_and_in_those_above_it() {
        assert!(lies_in("/a/b", "/a/b") && lies_in("/a/b", "/a") && lies_in("/a", "/"));
        assert!(!lies_in("/ab", "/a") && !lies_in("/a", "/a/b"));
    }
}
