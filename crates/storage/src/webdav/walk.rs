//! Listings.

use std::time::SystemTime;

use futures::stream::{FuturesUnordered, StreamExt};

use super::client::{Depth, WebdavClient};
use super::look::{self, Thing};
use super::{failure, multistatus};
use crate::failure::Failure;
use crate::{FileInfo, StoragePath, temporary_name};

/// What lies below a folder.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) files: Vec<FileInfo>,
    pub(super) folders: Vec<StoragePath>,
    /// Names of temporary files whose writes are no more.
    pub(super) stale: Vec<String>,
}

/// Everything below the folder, asking for so many folders at a time. `None` where there is no such folder.
pub(super) async fn below(
    client: &WebdavClient,
    folder: Option<&StoragePath>,
    at_once: usize,
) -> Result<Option<Found>, Failure> {
    let top = folder.map_or("", StoragePath::as_str).to_owned();
    let Some(mut found) = children(client, top).await? else {
        return Ok(None);
    };
    let mut to_ask = found.folders.clone();
    let mut asked = FuturesUnordered::new();
    loop {
        while asked.len() < at_once.max(1)
            && let Some(folder) = to_ask.pop()
        {
            asked.push(children(client, folder.as_str().to_owned()));
        }
        let Some(answer) = asked.next().await else {
            return Ok(Some(found));
        };
        // A folder that has vanished since is empty.
        let Some(more) = answer? else { continue };
        to_ask.extend(more.folders.iter().cloned());
        found.files.extend(more.files);
        found.folders.extend(more.folders);
        found.stale.extend(more.stale);
    }
}

/// What lies in one folder. `None` where there is none of that name.
async fn children(client: &WebdavClient, folder: String) -> Result<Option<Found>, Failure> {
    let name = match folder.as_str() {
        "" => String::new(),
        folder => format!("{folder}/"),
    };
    let response = client.properties(&name, Depth::Children).await?;
    match response.status() {
        207 => {}
        404 | 410 => {
            response.discard().await;
            return Ok(None);
        }
        400 if look::is_below_file(client, &name).await? => {
            response.discard().await;
            return Ok(None);
        }
        _ => return Err(failure::of_propfind(response).await),
    }
    let now = response.header("date").map(httpdate::parse_http_date);
    let now = now.and_then(Result::ok).unwrap_or_else(SystemTime::now);
    let entries = look::entries(response).await?;
    let path = client.path_of_folder(&folder);
    let path: Vec<u8> = percent_encoding::percent_decode_str(&path).collect();
    in_folder(&entries, &path, &name, now)
}

/// The entries of a folder's listing. `path` is the folder's on the server, `name` the one in the storage, both with a slash
/// at the end. `None` where the folder is a file.
fn in_folder(
    entries: &[multistatus::Entry],
    path: &[u8],
    name: &str,
    now: SystemTime,
) -> Result<Option<Found>, Failure> {
    let mut found = Found::default();
    let mut has_itself = false;
    for entry in entries {
        let is_itself = |without_slash: &[u8]| entry.path == without_slash;
        let own = entry.path == path || path.strip_suffix(b"/").is_some_and(is_itself);
        match entry.status {
            Some(404 | 410) if !own => continue,
            Some(status) if !(200..300).contains(&status) => return Err(look::of_entry(status)),
            _ => {}
        }
        if own {
            if !entry.is_folder {
                return Ok(None);
            }
            has_itself = true;
            continue;
        }
        let Some(child) = entry.path.strip_prefix(path) else {
            let what = "an entry that does not lie in the folder which was asked for";
            return Err(failure::not_understood(what));
        };
        let child = child.strip_suffix(b"/").unwrap_or(child);
        // Whoever put files of other names there knows why; none of them is ours.
        let Ok(child) = std::str::from_utf8(child) else {
            continue;
        };
        if temporary_name::is_ours(child) && !child.contains('/') {
            let modified = entry.modified.filter(|_| !entry.is_folder);
            if modified.is_some_and(|modified| temporary_name::is_stale(modified, now)) {
                found.stale.push(format!("{name}{child}"));
            }
            continue;
        }
        let Ok(child_path) = StoragePath::new(format!("{name}{child}")) else {
            continue;
        };
        if child.contains('/') {
            let what = "an entry that lies deeper than was asked for";
            return Err(failure::not_understood(what));
        }
        match entry.size_bytes {
            _ if entry.is_folder => found.folders.push(child_path),
            Some(size_bytes) => found.files.push(FileInfo {
                path: child_path,
                size_bytes,
            }),
            None => return Err(look::without_size()),
        }
    }
    match has_itself || !entries.is_empty() {
        true => Ok(Some(found)),
        false => Err(failure::not_understood("not even the folder itself")),
    }
}

/// Whether the storage is there.
pub(super) async fn root_exists(client: &WebdavClient) -> Result<bool, Failure> {
    Ok(look::look(client, "").await? == Thing::Folder)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ErrorKind;

    fn entry(path: &str, is_folder: bool) -> multistatus::Entry {
        multistatus::Entry {
            path: path.as_bytes().to_vec(),
            is_folder,
            size_bytes: (!is_folder).then_some(1),
            modified: Some(SystemTime::UNIX_EPOCH),
            status: None,
        }
    }

    /// What a server lists is believed as far as it can be true, and a hole is never one.
    #[test]
    fn entries_are_taken_by_their_place() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let of = |entries: &[multistatus::Entry]| in_folder(entries, b"/d/a b/", "data/", now);
        let itself = entry("/d/a b", true);
        let temporary = temporary_name::new().unwrap();
        let mut gone = entry("/d/a b/gone", false);
        gone.status = Some(404);
        let all = [
            itself.clone(),
            entry("/d/a b/x", false),
            entry("/d/a b/f/", true),
            entry("/d/a b/of somebody else", false),
            entry(&format!("/d/a b/{temporary}"), false),
            gone.clone(),
        ];
        let found = of(&all).unwrap().unwrap();
        assert_eq!(found.files.len(), 1);
        assert_eq!(found.files[0].path.as_str(), "data/x");
        assert_eq!(found.folders, [StoragePath::new("data/f").unwrap()]);
        assert_eq!(found.stale, [format!("data/{temporary}")]);
        assert!(of(&[entry("/d/a b", false)]).unwrap().is_none());
        assert!(of(&[entry("/d/a b/x", false)]).is_ok());
        gone.status = Some(403);
        let denied = of(&[itself.clone(), gone]).unwrap_err();
        assert_eq!(denied.kind, ErrorKind::PermissionDenied);
        for wrong in [
            vec![],
            vec![itself.clone(), entry("/d/other", false)],
            vec![itself.clone(), entry("/d/a b/f/deep", false)],
        ] {
            let error = of(&wrong).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Mismatch);
        }
        let mut without = entry("/d/a b/x", false);
        without.size_bytes = None;
        assert!(of(&[itself, without]).is_err());
    }
}
