//! Files on their way to a client, in pieces.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use strongroom_storage::rest::protocol;
use strongroom_storage::{ByteRange, Class, LocalStorage, Storage, StoragePath};

use crate::answer::{self, Answer};
use crate::budget::FileMemory;
use crate::metrics::Metrics;

/// Bytes of a file in memory for one download.
const PIECE_BYTES: u64 = 2 << 20;

/// What a client asks for with `Range`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// All of it: without a range, and for forms that nobody sends here.
    Whole,
    Part(ByteRange),
    /// It begins behind the end.
    Outside,
}

/// `bytes=FIRST-LAST` or `bytes=FIRST-`; a last byte behind the end is the end (RFC 9110, section 14.1.2).
fn wanted(header: Option<&str>, size_bytes: u64) -> Wanted {
    let range = header.and_then(|header| header.strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.split_once('-')) else {
        return Wanted::Whole;
    };
    let Ok(offset) = first.trim().parse::<u64>() else {
        return Wanted::Whole;
    };
    if offset >= size_bytes {
        return Wanted::Outside;
    }
    let last = match last.trim() {
        "" => size_bytes - 1,
        last => match last.parse::<u64>() {
            Ok(last) if last >= offset => last.min(size_bytes - 1),
            _ => return Wanted::Whole,
        },
    };
    let length = last - offset + 1;
    Wanted::Part(ByteRange { offset, length })
}

/// These bytes, as far as they are there.
fn part_of(data: &Bytes, offset: u64, length: u64) -> Bytes {
    let place = |place: u64| usize::try_from(place).unwrap_or(usize::MAX).min(data.len());
    data.slice(place(offset)..place(offset.saturating_add(length)))
}

/// The file or a part of it.
pub(crate) async fn get(
    storage: Arc<LocalStorage>,
    path: StoragePath,
    range: Option<&str>,
    (memory, metrics): (&FileMemory, Arc<Metrics>),
) -> strongroom_storage::Result<Answer> {
    let size_bytes = storage.stat(&path).await?.size_bytes;
    // The files of restic's folders never change, so their pieces belong together. Any other may be replaced meanwhile.
    let whole = match protocol::to_wire(&path) {
        Some(_) => None,
        None => {
            let permit = memory.take(size_bytes).await;
            let data = storage.read(&path, None, Class::Metadata).await?;
            Some((data, permit))
        }
    };
    let size_bytes = whole
        .as_ref()
        .map_or(size_bytes, |(data, _)| data.len() as u64);
    let (status, part) = match wanted(range, size_bytes) {
        Wanted::Outside => {
            let answer = answer::empty(StatusCode::RANGE_NOT_SATISFIABLE);
            let total = format!("bytes */{size_bytes}");
            return Ok(answer::with(answer, CONTENT_RANGE.as_str(), &total));
        }
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Wanted::Whole => {
            let length = size_bytes;
            (StatusCode::OK, ByteRange { offset: 0, length })
        }
    };
    let end = part.offset + part.length;
    let whole = Arc::new(whole);
    let pieces = stream::try_unfold(part.offset, move |offset| {
        let (storage, path) = (Arc::clone(&storage), path.clone());
        let (metrics, whole) = (Arc::clone(&metrics), Arc::clone(&whole));
        async move {
            let length = (end - offset).min(PIECE_BYTES);
            if length == 0 {
                return Ok::<_, io::Error>(None);
            }
            let data = match &*whole {
                Some((data, _)) => part_of(data, offset, length),
                None => {
                    let range = ByteRange { offset, length };
                    let data = storage.read(&path, Some(range), Class::Data).await;
                    data.map_err(io::Error::other)?
                }
            };
            metrics.sent(length);
            Ok(Some((Frame::data(data), offset + length)))
        }
    });
    let mut answer = Response::new(StreamBody::new(pieces).boxed_unsync());
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(part.length));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let kind = HeaderValue::from_static("application/octet-stream");
    headers.insert(CONTENT_TYPE, kind);
    if status == StatusCode::PARTIAL_CONTENT {
        let of = format!("bytes {}-{}/{size_bytes}", part.offset, end - 1);
        return Ok(answer::with(answer, CONTENT_RANGE.as_str(), &of));
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A range that is cut one byte off is a blob that cannot be decrypted.
    #[test]
    fn ranges_are_read_as_the_standard_has_them() {
        let part = |offset, length| Wanted::Part(ByteRange { offset, length });
        for (header, expected) in [
            (None, Wanted::Whole),
            (Some("bytes=0-0"), part(0, 1)),
            (Some("bytes=2-4"), part(2, 3)),
            (Some("bytes=2-"), part(2, 8)),
            (Some("bytes=2-999"), part(2, 8)),
            (Some("bytes=9-9"), part(9, 1)),
            (Some("bytes=10-"), Wanted::Outside),
            (Some("bytes=10-10"), Wanted::Outside),
            (Some("bytes=18446744073709551615-"), Wanted::Outside),
            (Some("bytes=4-2"), Wanted::Whole),
            (Some("bytes=-2"), Wanted::Whole),
            (Some("bytes=0-0,2-2"), Wanted::Whole),
            (Some("lines=0-1"), Wanted::Whole),
        ] {
            assert_eq!(wanted(header, 10), expected, "{header:?}");
        }
        assert_eq!(wanted(Some("bytes=0-"), 0), Wanted::Outside);
    }
}
