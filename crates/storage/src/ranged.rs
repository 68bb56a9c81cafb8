//! Ranges of files over HTTP (RFC 9110, section 14), for the kinds that speak with object storages.

use bytes::Bytes;

use crate::failure::Failure;
use crate::http::HttpResponse;
use crate::{ByteRange, ErrorKind};

/// No file has a byte behind this place: servers count in 64 bits with a sign.
const LAST_ANYWHERE: u64 = i64::MAX as u64 - 1;

/// The value of the header that asks for a range. `None` where none can: nothing can be asked for by a range of no bytes, and there
/// are servers that do not understand a number which no file reaches. The size of the file then has to decide ([`by_size`]).
pub(crate) fn header(range: ByteRange) -> Option<String> {
    let last = last(range)?;
    Some(format!("bytes={}-{last}", range.offset))
}

fn last(range: ByteRange) -> Option<u64> {
    let end = range.offset.checked_add(range.length)?;
    let last = end.checked_sub(1)?;
    (range.length > 0 && last <= LAST_ANYWHERE).then_some(last)
}

/// What a range is that no header asks for, in a file of this size: nothing, or outside.
pub(crate) fn by_size(range: ByteRange, size_bytes: u64) -> Result<Bytes, Failure> {
    range.check(size_bytes).map_err(outside)?;
    Ok(Bytes::new())
}

/// The range out of an answer with the status 206, or out of the whole file where the status is 200.
pub(crate) async fn read(response: HttpResponse, range: ByteRange) -> Result<Bytes, Failure> {
    if response.status() == 206 {
        let total = response.header("content-range").and_then(total_of);
        if let Some(size_bytes) = total {
            range.check(size_bytes).map_err(outside)?;
        }
        return response.read_exactly(range.length).await;
    }
    if let Some(size_bytes) = response.length() {
        range.check(size_bytes).map_err(outside)?;
    }
    let end = range.offset.saturating_add(range.length);
    let data = response.read_first(end).await?;
    range.check(data.len() as u64).map_err(outside)?;
    let start = usize::try_from(range.offset).unwrap_or(data.len());
    Ok(data.slice(start..))
}

/// The size behind the `/` of `Content-Range`.
fn total_of(content_range: &str) -> Option<u64> {
    content_range.rsplit('/').next()?.trim().parse().ok()
}

fn outside(message: String) -> Failure {
    Failure::new(ErrorKind::RangeOutside, message)
}
