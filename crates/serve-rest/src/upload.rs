//! Files on their way from a client: received whole, and only then stored.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use data_encoding::HEXLOWER_PERMISSIVE;
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::Incoming;
use sha2::{Digest, Sha256};
use strongroom_storage::StoragePath;
use strongroom_storage::rest::protocol::{self, FOLDERS};

use crate::answer::{self, Answer};

/// No file of a repository is larger: an index of a repository of a hundred terabytes has a tenth of it.
pub(crate) const MOST_BYTES: u64 = 4 << 30;

/// A client that sends nothing for so long has gone.
const SILENCE: Duration = Duration::from_secs(120);

/// What was asked with a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked<'a> {
    /// By restic's protocol.
    Plain,
    /// By our addition: whether an old file may be replaced, and what is sent.
    Ours { replace: bool, stored: &'a str },
}

impl<'a> Asked<'a> {
    /// Reads the header of our addition.
    pub(crate) fn ours(header: Option<&'a str>) -> Option<Self> {
        let (mode, stored) = header?.split_once(' ')?;
        let replace = match mode {
            "new" => false,
            "replace" => true,
            _ => return None,
        };
        Some(Self::Ours { replace, stored })
    }
}

/// The whole body, of the length that was announced.
pub(crate) async fn receive(mut body: Incoming, length: u64) -> Result<Bytes, Answer> {
    let gone = |_| answer::refusal(StatusCode::REQUEST_TIMEOUT, "nothing came for too long");
    let mut data = BytesMut::with_capacity(usize::try_from(length.min(16 << 20)).unwrap_or(0));
    loop {
        let frame = tokio::time::timeout(SILENCE, body.frame())
            .await
            .map_err(gone)?;
        match frame {
            None => break,
            Some(Ok(frame)) => {
                if let Ok(piece) = frame.into_data() {
                    data.extend_from_slice(&piece);
                }
            }
            // Nobody is left to be answered.
            Some(Err(_)) => return Err(answer::empty(StatusCode::BAD_REQUEST)),
        }
        if data.len() as u64 > length {
            break;
        }
    }
    match data.len() as u64 == length {
        true => Ok(data.freeze()),
        false => Err(damaged("the length is not the one that was announced")),
    }
}

/// Whether the bytes are those that their name and their sender say.
#[expect(
    clippy::result_large_err,
    reason = "made once a request that is refused"
)]
pub(crate) fn check(path: &StoragePath, data: &[u8], asked: Asked<'_>) -> Result<(), Answer> {
    if let Asked::Ours { stored, .. } = asked
        && stored != protocol::stored(data)
    {
        return Err(damaged("what came is not what was sent"));
    }
    let folder = path.as_str().split('/').next().unwrap_or_default();
    if !FOLDERS.contains(&folder) {
        return Ok(());
    }
    let name = HEXLOWER_PERMISSIVE.decode(path.file_name().as_bytes()).ok();
    let digest = Sha256::digest(data);
    match name.is_some_and(|name| name == digest.as_slice()) && protocol::to_wire(path).is_some() {
        true => Ok(()),
        false => Err(damaged("the name is not the SHA-256 of what came")),
    }
}

fn damaged(why: &str) -> Answer {
    answer::refusal(StatusCode::UNPROCESSABLE_ENTITY, why)
}
