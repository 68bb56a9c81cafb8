//! What there is under a name.

use super::client::{Depth, WebdavClient};
use super::failure;
use super::multistatus::{self, Entry};
use crate::ErrorKind;
use crate::failure::Failure;
use crate::http::HttpResponse;

/// The most bytes that one folder's listing may have: some hundred thousand files.
const LISTING_BYTES: u64 = 256 << 20;

/// What has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thing {
    Nothing,
    File { size_bytes: u64 },
    Folder,
}

/// The entries of an answer 207.
pub(super) async fn entries(response: HttpResponse) -> Result<Vec<Entry>, Failure> {
    let body = response.read_at_most(LISTING_BYTES).await?;
    multistatus::parse(&body).map_err(failure::not_understood)
}

/// Looks at what has the name; the empty name is that of the storage's own folder.
pub(super) async fn look(client: &WebdavClient, name: &str) -> Result<Thing, Failure> {
    let response = client.properties(name, Depth::Itself).await?;
    match response.status() {
        207 => thing(&entries(response).await?),
        404 | 410 => {
            response.discard().await;
            Ok(Thing::Nothing)
        }
        // With the slash that a folder's address should have.
        301 | 302 | 307 | 308 if !name.is_empty() && leads_to_folder(&response) => {
            response.discard().await;
            Ok(Thing::Folder)
        }
        400 if is_below_file(client, name).await? => {
            response.discard().await;
            Ok(Thing::Nothing)
        }
        _ => Err(failure::of_propfind(response).await),
    }
}

fn leads_to_folder(response: &HttpResponse) -> bool {
    let location = response.header("location");
    location.is_some_and(|location| location.ends_with('/'))
}

fn thing(entries: &[Entry]) -> Result<Thing, Failure> {
    let [entry] = entries else {
        let what = format!("{} entries for one name", entries.len());
        return Err(failure::not_understood(what));
    };
    match entry.status {
        Some(404 | 410) => return Ok(Thing::Nothing),
        Some(status) if !(200..300).contains(&status) => return Err(of_entry(status)),
        _ => {}
    }
    match entry.size_bytes {
        _ if entry.is_folder => Ok(Thing::Folder),
        Some(size_bytes) => Ok(Thing::File { size_bytes }),
        None => Err(without_size()),
    }
}

/// What an entry is that the server does not show.
pub(super) fn of_entry(status: u16) -> Failure {
    crate::http::status::failure(status, None, "in a listing")
}

pub(super) fn without_size() -> Failure {
    let message = "the server does not say how large the file is";
    Failure::new(ErrorKind::Unsupported, message)
}

/// Some servers answer 400 where a file stands in the place of a folder on the way, or of the last one where a folder was
/// asked for.
pub(super) async fn is_below_file(client: &WebdavClient, name: &str) -> Result<bool, Failure> {
    let ends = name.match_indices('/').map(|(at, _)| at);
    for above in ends.filter_map(|end| name.get(..end)) {
        let response = client.properties(above, Depth::Itself).await?;
        if response.status() != 207 {
            let is_missing = matches!(response.status(), 404 | 410);
            response.discard().await;
            return Ok(is_missing);
        }
        if matches!(thing(&entries(response).await?)?, Thing::File { .. }) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether an error may stand for something else: a name on the way that is missing, taken or no folder. Those that say
/// clearly what is the matter do not.
pub(super) fn is_unclear(failure: &Failure) -> bool {
    use ErrorKind as Kind;
    !matches!(
        failure.kind,
        Kind::NoSpace
            | Kind::Throttled
            | Kind::Unreachable
            | Kind::TimedOut
            | Kind::Unauthenticated
    )
}
