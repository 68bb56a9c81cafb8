//! The two ends of a session's pipes: packets come from one and go into the other.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use super::super::reply::{REPLY_BYTES_MAX, Reply};
use super::super::request::Frame;
use super::{Shared, lost};
use crate::ErrorKind;
use crate::failure::Failure;

pub(super) async fn read_replies(
    mut reader: Box<dyn AsyncRead + Send + Unpin>,
    shared: Arc<Shared>,
) {
    let Err(failure) = read_until_failure(&mut reader, &shared).await;
    shared.end(failure);
}

/// Hands replies out until the connection ends or says what cannot be; returns nothing but that.
async fn read_until_failure(
    reader: &mut Box<dyn AsyncRead + Send + Unpin>,
    shared: &Shared,
) -> Result<Infallible, Failure> {
    let mut buffer = BytesMut::new();
    loop {
        while let Some(packet) = next_packet(&mut buffer)? {
            let (id, reply) = Reply::decode(packet)
                .map_err(|e| Failure::passing(ErrorKind::Unreachable, e.to_string()))?;
            shared.answer(id, reply)?;
        }
        let Some(patience) = shared.patience() else {
            return Err(Failure::passing(
                ErrorKind::TimedOut,
                format!(
                    "nothing came and nothing went for {} s while an answer was awaited",
                    shared.no_progress.as_secs()
                ),
            ));
        };
        // A read that is given up has taken nothing from the pipe.
        match tokio::time::timeout(patience, reader.read_buf(&mut buffer)).await {
            Err(_) => {}
            Ok(Ok(0)) => return Err(lost((shared.why_ended)().await)),
            Ok(Ok(_)) => shared.moved(),
            Ok(Err(error)) => {
                let why = (shared.why_ended)()
                    .await
                    .unwrap_or_else(|| error.to_string());
                return Err(lost(Some(why)));
            }
        }
    }
}

/// Takes a whole packet, without its length, from the front of what was read.
fn next_packet(buffer: &mut BytesMut) -> Result<Option<Bytes>, Failure> {
    // Room for the next read, whatever else happens.
    const READ_BYTES: usize = 64 << 10;
    let Some(length) = buffer.first_chunk::<4>() else {
        buffer.reserve(READ_BYTES);
        return Ok(None);
    };
    let length = u32::from_be_bytes(*length);
    if length > REPLY_BYTES_MAX {
        return Err(Failure::new(
            ErrorKind::Io,
            format!(
                "the server announces a packet of {length} bytes; what it prints before SFTP begins (a greeting in \
                 its shell's start file) looks like this too"
            ),
        ));
    }
    let length = length as usize;
    if buffer.len() - 4 < length {
        buffer.reserve((length + 4 - buffer.len()).max(READ_BYTES));
        return Ok(None);
    }
    buffer.advance(4);
    Ok(Some(buffer.split_to(length).freeze()))
}

/// Writes what is to go until the session ends. Nobody takes the frames of a connection that has ended, whatever its writer believes, and
/// whoever waits for room in the queue has to learn of it.
pub(super) async fn write_frames(
    mut writer: Box<dyn AsyncWrite + Send + Unpin>,
    mut queue: mpsc::Receiver<Frame>,
    shared: Arc<Shared>,
) {
    let mut has_ended = shared.has_ended.subscribe();
    let failure = tokio::select! {
        _ = has_ended.wait_for(|ended| *ended) => None,
        failure = write_until_failure(&mut writer, &mut queue, &shared) => failure,
    };
    if let Some(failure) = failure {
        shared.end(failure);
    }
}

/// `None` when nobody will send any more.
async fn write_until_failure(
    writer: &mut Box<dyn AsyncWrite + Send + Unpin>,
    queue: &mut mpsc::Receiver<Frame>,
    shared: &Shared,
) -> Option<Failure> {
    while let Some(Frame { head, body }) = queue.recv().await {
        for mut part in [head, body] {
            while part.has_remaining() {
                match writer.write(&part).await {
                    Ok(0) => return Some(lost((shared.why_ended)().await)),
                    Ok(written) => {
                        part.advance(written.min(part.len()));
                        shared.moved();
                    }
                    // The reader may find out more; where it does not, this is the reason.
                    Err(error) => {
                        let why = (shared.why_ended)().await;
                        return Some(lost(Some(why.unwrap_or_else(|| error.to_string()))));
                    }
                }
            }
        }
        if queue.is_empty() && writer.flush().await.is_err() {
            return Some(lost((shared.why_ended)().await));
        }
    }
    None
}
