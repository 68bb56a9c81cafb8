//! An answer, whose body is still to come.

use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, RETRY_AFTER};
use tokio::time::Instant;

use super::body::Progress;
use super::{failure, retry_after, status};
use crate::failure::Failure;
use crate::{ErrorKind, Pace};

/// What a server may say about an error, of which a line is shown.
const SAID_BYTES: u64 = 16 << 10;

/// Memory that is set aside for a body before its bytes come, whatever length it claims.
const FIRST_BYTES: u64 = 16 << 20;

/// Where the body comes from.
pub(super) enum Arriving {
    Network(reqwest::Response),
    Pipe(hyper::body::Incoming),
}

/// The head of an answer, and its body for whoever reads it.
pub(crate) struct HttpResponse {
    status: StatusCode,
    headers: HeaderMap,
    arriving: Arriving,
    pace: Pace,
    progress: Progress,
}

impl HttpResponse {
    pub(super) fn new(
        status: StatusCode,
        headers: HeaderMap,
        arriving: Arriving,
        pace: Pace,
        progress: Progress,
    ) -> Self {
        progress.moved_at(Instant::now());
        Self {
            status,
            headers,
            arriving,
            pace,
            progress,
        }
    }

    /// The status as a number.
    pub(crate) fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Seconds that the server's clock is ahead of this machine's, by its `Date` (RFC 9110, section 6.6.1).
    pub(crate) fn clock_ahead_s(&self) -> Option<i64> {
        let date = httpdate::parse_http_date(self.header("date")?).ok()?;
        let seconds = |passed: Duration| i64::try_from(passed.as_secs()).ok();
        match date.duration_since(SystemTime::now()) {
            Ok(ahead) => seconds(ahead),
            Err(behind) => seconds(behind.duration())?.checked_neg(),
        }
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Every header of this name, as text.
    pub(crate) fn headers(&self, name: &str) -> Vec<String> {
        let values = self.headers.get_all(name).iter();
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        values.map(text).collect()
    }

    /// The length that the head names: that of the body, or of the file where only its head was asked for.
    pub(crate) fn length(&self) -> Option<u64> {
        self.header(CONTENT_LENGTH.as_str())?.parse().ok()
    }

    /// How long the server wants to be left alone.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        retry_after::parse(self.header(RETRY_AFTER.as_str())?, SystemTime::now())
    }

    /// The whole body, which ends where the server says that it ends.
    pub(crate) async fn read(self) -> Result<Bytes, Failure> {
        let length = self.length();
        let data = self.collect(length.unwrap_or(0), u64::MAX).await?;
        match length {
            Some(length) if length != data.len() as u64 => Err(cut(data.len() as u64, length)),
            _ => Ok(data),
        }
    }

    /// A body of exactly this length.
    pub(crate) async fn read_exactly(self, length: u64) -> Result<Bytes, Failure> {
        let data = self.collect(length, length.saturating_add(1)).await?;
        match data.len() as u64 {
            read if read == length => Ok(data),
            read if read < length => Err(cut(read, length)),
            _ => {
                let message = format!("the server sent more than the {length} bytes asked for");
                Err(Failure::passing(ErrorKind::Mismatch, message))
            }
        }
    }

    /// The first bytes of a body that may go on, as where a server does not know ranges.
    pub(crate) async fn read_first(self, length: u64) -> Result<Bytes, Failure> {
        let mut data = self.collect(length, length).await?;
        data.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(data)
    }

    /// A part of a body that begins with its first byte, as where a server does not know ranges. What lies before the part
    /// is not kept. Shorter than `length` where the body ends before.
    pub(crate) async fn read_part(mut self, offset: u64, length: u64) -> Result<Bytes, Failure> {
        let mut before = offset;
        let mut data =
            BytesMut::with_capacity(usize::try_from(length.min(FIRST_BYTES)).unwrap_or_default());
        while (data.len() as u64) < length {
            let Some(mut piece) = self.paced().await? else {
                break;
            };
            let passed = piece
                .len()
                .min(usize::try_from(before).unwrap_or(usize::MAX));
            piece = piece.split_off(passed);
            before -= passed as u64;
            let wanted = length - data.len() as u64;
            piece.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
            data.extend_from_slice(&piece);
        }
        Ok(data.freeze())
    }

    /// The whole body, which must not be longer than this.
    pub(crate) async fn read_at_most(self, limit: u64) -> Result<Bytes, Failure> {
        let length = self.length();
        let data = self
            .collect(length.unwrap_or(0), limit.saturating_add(1))
            .await?;
        match length {
            _ if data.len() as u64 > limit => {
                let message = format!("the server sent more than {limit} bytes");
                Err(Failure::new(ErrorKind::Unsupported, message))
            }
            Some(length) if length != data.len() as u64 => Err(cut(data.len() as u64, length)),
            _ => Ok(data),
        }
    }

    /// The error that this answer is, with a line of what the server says about it.
    pub(crate) async fn failure(self) -> Failure {
        let (status, retry_after) = (self.status(), self.retry_after());
        let moved = self.header("location").is_some() && (300..400).contains(&status);
        if moved {
            let message = format!(
                "the server answered {status}: it wants to be asked at another address, which is not followed"
            );
            return Failure::new(ErrorKind::Io, message);
        }
        let body = self.collect(0, SAID_BYTES).await.unwrap_or_default();
        status::failure(status, retry_after, &one_line(&body))
    }

    /// Reads what is left, so that the connection can be used again; a long rest is not worth it.
    pub(crate) async fn discard(self) {
        let _ = self.collect(0, SAID_BYTES).await;
    }

    async fn collect(mut self, expected: u64, at_most: u64) -> Result<Bytes, Failure> {
        let first = usize::try_from(expected.min(FIRST_BYTES)).unwrap_or_default();
        let mut data = BytesMut::with_capacity(first);
        while (data.len() as u64) < at_most {
            let Some(piece) = self.paced().await? else {
                break;
            };
            data.extend_from_slice(&piece);
        }
        Ok(data.freeze())
    }

    /// The next piece, when the pace lets it through.
    async fn paced(&mut self) -> Result<Option<Bytes>, Failure> {
        let piece = self.next().await?;
        if let Some(piece) = &piece
            && let Some(due) = self.pace.take(piece.len() as u64)
        {
            tokio::time::sleep_until(due).await;
        }
        self.progress.moved_at(Instant::now());
        Ok(piece)
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        const DOING: &str = "receiving";
        match &mut self.arriving {
            Arriving::Network(response) => {
                let piece = self.progress.watch(DOING, response.chunk()).await?;
                piece.map_err(|error| failure::network(&error.without_url()))
            }
            Arriving::Pipe(body) => loop {
                let frame = self.progress.watch(DOING, body.frame()).await?;
                let Some(frame) = frame else {
                    return Ok(None);
                };
                let frame = frame.map_err(|error| failure::connection(&error))?;
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            },
        }
    }
}

fn cut(read: u64, length: u64) -> Failure {
    let message = format!("the answer ended after {read} of {length} bytes");
    Failure::passing(ErrorKind::Unreachable, message)
}

/// The first line of what a server says, without what could move a terminal's cursor.
fn one_line(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().find(|line| !line.trim().is_empty());
    let plain = line.unwrap_or_default().trim().chars();
    plain.filter(|c| !c.is_control()).take(200).collect()
}
