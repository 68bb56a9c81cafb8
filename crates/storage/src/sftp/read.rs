//! Reading a file or a range of it, with many pieces on their way at once.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::client::{Answer, Client};
use super::handle::Handle;
use super::place::Place;
use super::reasons::absent;
use super::reply::{Attributes, FileType};
use super::request::Request;
use crate::failure::Failure;
use crate::{ByteRange, ErrorKind, StoragePath};

/// Bytes of one call that are asked for and have not come. What a link of 1 Gbit/s holds in 50 ms is 6 MB.
const IN_FLIGHT_BYTES: u64 = 8 << 20;

/// Room that is made for a file before any of it has come; the rest is made as it comes.
const BELIEVED_BYTES: u64 = 32 << 20;

/// The size of the regular file, following links.
pub(super) async fn size(
    client: &Arc<Client>,
    place: &Place,
    path: &StoragePath,
) -> Result<u64, Failure> {
    let answer = client.ask(Request::Stat(&place.of(path))).await?;
    match answer.attributes().await {
        Ok(attributes) => regular(&attributes),
        Err(fault) => Err(absent(client, place, path, fault).await),
    }
}

/// The range, or the whole file.
pub(super) async fn read(
    client: &Arc<Client>,
    place: &Place,
    path: &StoragePath,
    range: Option<ByteRange>,
) -> Result<Bytes, Failure> {
    let name = place.of(path);
    let opening = Handle::ask(client, Request::OpenToRead(&name)).await?;
    // Only a first idea of how much to ask for; that of the open file counts.
    let guess = match range {
        Some(_) => None,
        None => Some(client.ask(Request::Stat(&name)).await?),
    };
    let handle = match opening.handle().await {
        Ok(handle) => handle,
        Err(fault) => return Err(absent(client, place, path, fault).await),
    };
    let guess = match (range, guess) {
        (Some(range), _) => range.length,
        (None, Some(answer)) => answer.attributes().await.map_or(0, |a| a.size.unwrap_or(0)),
        (None, None) => 0,
    };

    let attributes = client.ask(Request::StatHandle(handle.id())).await?;
    let mut pieces = Pieces::new(client, &handle, range.map_or(0, |range| range.offset));
    pieces.ask_until(guess.min(IN_FLIGHT_BYTES)).await?;
    let size = regular(&attributes.attributes().await?)?;
    let range = range.unwrap_or(ByteRange {
        offset: 0,
        length: size,
    });
    range
        .check(size)
        .map_err(|message| Failure::new(ErrorKind::RangeOutside, message))?;
    pieces.collect(range.length).await
}

fn regular(attributes: &Attributes) -> Result<u64, Failure> {
    if attributes.file_type() != FileType::File {
        return Err(Failure::new(ErrorKind::NotFound, "not a regular file"));
    }
    attributes
        .size
        .ok_or_else(|| Failure::new(ErrorKind::Unsupported, "the server tells no sizes of files"))
}

/// The pieces of a file that are on their way, in their order.
struct Pieces<'a> {
    client: &'a Client,
    handle: &'a Handle,
    start: u64,
    /// Bytes after the start that were asked for.
    asked: u64,
    coming: VecDeque<Piece>,
    data: Vec<u8>,
}

struct Piece {
    length: u32,
    answer: Answer,
}

impl<'a> Pieces<'a> {
    fn new(client: &'a Client, handle: &'a Handle, start: u64) -> Self {
        Self {
            client,
            handle,
            start,
            asked: 0,
            coming: VecDeque::new(),
            data: Vec::new(),
        }
    }

    /// Asks for what lies before `end`, counted from the start, as far as it was not asked for.
    async fn ask_until(&mut self, end: u64) -> Result<(), Failure> {
        while self.asked < end {
            let most = self.client.features().read_bytes;
            let length = u32::try_from(end - self.asked)
                .unwrap_or(u32::MAX)
                .min(most);
            // A range that leaves the numbers is refused by whoever checks it, which has not happened yet.
            let Some(offset) = self.start.checked_add(self.asked) else {
                return Ok(());
            };
            let answer = self.ask(offset, length).await?;
            self.coming.push_back(Piece { length, answer });
            self.asked += u64::from(length);
        }
        Ok(())
    }

    async fn ask(&self, offset: u64, length: u32) -> Result<Answer, Failure> {
        let request = Request::Read {
            handle: self.handle.id(),
            offset,
            length,
        };
        Ok(self.client.ask(request).await?)
    }

    /// All of it; `length` is what the file has, as the server says.
    async fn collect(mut self, length: u64) -> Result<Bytes, Failure> {
        let whole = usize::try_from(length).map_err(|_| too_large())?;
        let first = usize::try_from(length.min(BELIEVED_BYTES)).map_err(|_| too_large())?;
        self.data
            .try_reserve_exact(first)
            .map_err(|_| too_large())?;
        loop {
            let come = self.data.len() as u64;
            self.ask_until(length.min(come.saturating_add(IN_FLIGHT_BYTES)))
                .await?;
            // More was asked for than there is where a shorter file has taken the place of the one that was first looked at:
            // nothing is missing if no answer comes to that.
            if self.data.len() >= whole {
                break;
            }
            let Some(piece) = self.coming.pop_front() else {
                break;
            };
            self.take(piece, whole).await?;
        }
        self.data.truncate(whole);
        Ok(Bytes::from(self.data))
    }

    async fn take(&mut self, piece: Piece, whole: usize) -> Result<(), Failure> {
        let Some(data) = piece.answer.data().await? else {
            return Err(self.ended_early());
        };
        let come = u32::try_from(data.len()).unwrap_or(u32::MAX);
        if come > piece.length {
            return Err(Failure::new(
                ErrorKind::Mismatch,
                "the server sent more than it was asked for",
            ));
        }
        self.data.try_reserve(data.len()).map_err(|_| too_large())?;
        self.data.extend_from_slice(&data);
        let rest = piece.length - come;
        if rest == 0 || self.data.len() >= whole {
            return Ok(());
        }
        if come == 0 {
            return Err(self.ended_early());
        }
        // A server may send less than it was asked for, at any place.
        let offset = self.start.saturating_add(self.data.len() as u64);
        let answer = self.ask(offset, rest).await?;
        self.coming.push_front(Piece {
            length: rest,
            answer,
        });
        Ok(())
    }

    fn ended_early(&self) -> Failure {
        Failure::new(
            ErrorKind::RangeOutside,
            format!(
                "the file is shorter than the server said: it ended {} bytes after offset {}",
                self.data.len(),
                self.start
            ),
        )
    }
}

fn too_large() -> Failure {
    Failure::new(
        ErrorKind::Unsupported,
        "more bytes than this machine can hold",
    )
}
