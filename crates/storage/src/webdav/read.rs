//! Reading a file or a part of it.

use bytes::Bytes;

use super::client::WebdavClient;
use super::failure::{self, no_such_file, outside};
use super::look::{Thing, look};
use crate::failure::Failure;
use crate::http::HttpResponse;
use crate::{ByteRange, ErrorKind, StoragePath};

/// No file has a byte behind this place: servers count in 64 bits with a sign.
const LAST_ANYWHERE: u64 = i64::MAX as u64 - 1;

/// The size of a file.
pub(super) async fn size(client: &WebdavClient, path: &StoragePath) -> Result<u64, Failure> {
    match look(client, path.as_str()).await? {
        Thing::File { size_bytes } => Ok(size_bytes),
        Thing::Folder | Thing::Nothing => Err(no_such_file()),
    }
}

/// The bytes of a file, whole or a range.
pub(super) async fn read(
    client: &WebdavClient,
    path: &StoragePath,
    range: Option<ByteRange>,
) -> Result<Bytes, Failure> {
    let Some(range) = range else {
        let response = client.get(path.as_str(), None).await?;
        return match response.status() {
            200 => response.read().await,
            _ => Err(refusal(client, path, response).await),
        };
    };
    let end = range.offset.checked_add(range.length);
    let last = end.and_then(|end| end.checked_sub(1));
    let Some(last) = last.filter(|last| range.length > 0 && *last <= LAST_ANYWHERE) else {
        // Nothing can be asked for by a range of no bytes, and still the file has to be long enough. And there are
        // servers that do not understand a number which no file reaches.
        let size_bytes = size(client, path).await?;
        range.check(size_bytes).map_err(outside)?;
        return Ok(Bytes::new());
    };
    let asked = Some((range.offset, last));
    let response = client.get(path.as_str(), asked).await?;
    match response.status() {
        206 => {
            if let Some(sent) = response.header("content-range") {
                let (first, size_bytes) = place(sent);
                if let Some(size_bytes) = size_bytes {
                    range.check(size_bytes).map_err(outside)?;
                }
                if first.is_some_and(|first| first != range.offset) {
                    let message = "the server sent another part of the file";
                    return Err(Failure::passing(ErrorKind::Mismatch, message));
                }
            }
            response.read_exactly(range.length).await
        }
        200 => {
            let length = response.length();
            if let Some(size_bytes) = length {
                range.check(size_bytes).map_err(outside)?;
            }
            let data = response.read_part(range.offset, range.length).await?;
            match data.len() as u64 == range.length {
                true => Ok(data),
                false if length.is_some() => {
                    let message = "the answer ended before the part that was asked for";
                    Err(Failure::passing(ErrorKind::Unreachable, message))
                }
                false => Err(outside("the file ends before the range".to_owned())),
            }
        }
        _ => Err(refusal(client, path, response).await),
    }
}

/// The first byte and the size of the file, in `bytes 5-9/100`.
fn place(content_range: &str) -> (Option<u64>, Option<u64>) {
    let numbers = content_range.trim().strip_prefix("bytes");
    let (part, size) = numbers.and_then(|n| n.split_once('/')).unzip();
    let first = part.and_then(|part| part.split('-').next()?.trim().parse().ok());
    (first, size.and_then(|size| size.trim().parse().ok()))
}

/// A folder is refused in many ways: sent elsewhere, not allowed, not implemented.
async fn refusal(client: &WebdavClient, path: &StoragePath, response: HttpResponse) -> Failure {
    let may_be_folder = matches!(response.status(), 300..=399 | 400 | 403 | 405 | 409 | 501);
    let refused = failure::of(response).await;
    if may_be_folder && matches!(size(client, path).await, Err(e) if e.kind == ErrorKind::NotFound)
    {
        return no_such_file();
    }
    refused
}
