//! Looking for files and reading them.

use bytes::Bytes;

use crate::failure::Failure;
use crate::http::HttpResponse;
use crate::{ByteRange, ErrorKind, StoragePath};

use super::Step;
use super::client::S3Client;
use super::failure::Refusal;
use super::request::S3Request;

/// No file has a byte behind this place: servers count in 64 bits with a sign.
const LAST_ANYWHERE: u64 = i64::MAX as u64 - 1;

impl S3Client {
    /// The size of a file.
    pub(super) async fn size(&self, path: &StoragePath) -> Step<u64> {
        match self.send(&S3Request::on_key("HEAD", self.key(path))).await {
            Ok(response) => {
                let length = response.length().ok_or_else(no_size);
                response.discard().await;
                length
            }
            Err(refusal) if refusal.status == 404 => Err(no_such_file()),
            // The answer has no body that would say why.
            Err(refusal) if (300..500).contains(&refusal.status) => {
                self.size_by_reading(path, refusal).await
            }
            Err(refusal) => Err(refusal.into()),
        }
    }

    async fn size_by_reading(&self, path: &StoragePath, unexplained: Refusal) -> Step<u64> {
        let request = S3Request::on_key("GET", self.key(path)).header("range", "bytes=0-0");
        match self.send(&request).await {
            Ok(response) => {
                let total = total(&response).or_else(|| response.length());
                response.discard().await;
                total.ok_or_else(no_size)
            }
            Err(refusal) if refusal.code == "InvalidRange" => Ok(0),
            Err(refusal) if refusal.code.is_empty() => Err(unexplained.into()),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// The size of a file, if it is there.
    pub(super) async fn size_if_there(&self, path: &StoragePath) -> Step<Option<u64>> {
        match self.size(path).await {
            Ok(size_bytes) => Ok(Some(size_bytes)),
            Err(failure) if failure.kind == ErrorKind::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// All of a file.
    pub(super) async fn read_whole(&self, path: &StoragePath) -> Step<Bytes> {
        let request = S3Request::on_key("GET", self.key(path));
        self.send(&request).await?.read().await
    }

    /// Exactly the range.
    pub(super) async fn read_range(&self, path: &StoragePath, range: ByteRange) -> Step<Bytes> {
        let end = range.offset.checked_add(range.length);
        let last = end.and_then(|end| end.checked_sub(1));
        let Some(last) = last.filter(|last| range.length > 0 && *last <= LAST_ANYWHERE) else {
            // Nothing can be asked for by a range of no bytes, and still the file has to be long enough. And there are
            // servers that do not understand a number which no file reaches.
            let size_bytes = self.size(path).await?;
            return range
                .check(size_bytes)
                .map(|()| Bytes::new())
                .map_err(outside);
        };
        let request = S3Request::on_key("GET", self.key(path));
        let request = request.header("range", format!("bytes={}-{last}", range.offset));
        let response = match self.send(&request).await {
            Ok(response) => response,
            Err(refusal) if refusal.failure.kind == ErrorKind::RangeOutside => {
                let message = format!(
                    "the range of {} bytes at {} lies outside the file",
                    range.length, range.offset
                );
                return Err(outside(message));
            }
            Err(refusal) => return Err(refusal.into()),
        };
        if response.status() == 206 {
            if let Some(size_bytes) = total(&response) {
                range.check(size_bytes).map_err(outside)?;
            }
            if first(&response).is_some_and(|first| first != range.offset) {
                let message = "the server sent another part of the file than was asked for";
                return Err(Failure::passing(ErrorKind::Mismatch, message));
            }
            return response.read_exactly(range.length).await;
        }
        if let Some(size_bytes) = response.length() {
            range.check(size_bytes).map_err(outside)?;
        }
        let data = response.read_first(last.saturating_add(1)).await?;
        range.check(data.len() as u64).map_err(outside)?;
        let start = usize::try_from(range.offset).unwrap_or(data.len());
        Ok(data.slice(start..))
    }
}

/// The size behind the `/` of `Content-Range`.
fn total(response: &HttpResponse) -> Option<u64> {
    let range = response.header("content-range")?;
    range.rsplit('/').next()?.trim().parse().ok()
}

/// The place of the first byte, from `bytes 10-19/100`.
fn first(response: &HttpResponse) -> Option<u64> {
    let range = response
        .header("content-range")?
        .trim()
        .strip_prefix("bytes")?;
    range.split('-').next()?.trim().parse().ok()
}

pub(super) fn no_such_file() -> Failure {
    Failure::new(ErrorKind::NotFound, "there is no such file")
}

fn no_size() -> Failure {
    let message = "the server does not say how large the file is";
    Failure::new(ErrorKind::Unsupported, message)
}

fn outside(message: String) -> Failure {
    Failure::new(ErrorKind::RangeOutside, message)
}
