//! Writing what lies in a snapshot as one stream: a file as it is, a directory as tar or zip.
//!
//! Blobs are fetched ahead and in parallel, and written in order by a thread of its own that may block on a slow
//! reader; the channel in between bounds the memory to a few blobs.

mod feed;
mod pax;
mod tar;
mod zip;

use std::io::{self, Write};

use strongroom_repository::format::Node;
use tokio::sync::mpsc;

pub use feed::{Feed, feed_directory, feed_file};
pub use tar::write_tar;
pub use zip::write_zip;

/// What goes from the repository to the writer of the stream.
#[derive(Debug)]
pub enum Piece {
    /// An entry. If it is a file, its content follows.
    Entry(Box<ExportEntry>),
    /// A part of the content of the last entry.
    Data(Vec<u8>),
    /// Everything has come. A channel that ends without this was cut off, and so must the stream be.
    End,
}

/// An entry of the stream.
#[derive(Debug)]
pub struct ExportEntry {
    /// Where it lies below what is exported: raw bytes, no `/` at the begin or the end.
    pub path: Vec<u8>,
    /// What is known of it.
    pub node: Node,
}

/// An entry that the format cannot hold, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The entry.
    pub path: Vec<u8>,
    /// Why.
    pub reason: &'static str,
}

/// Where pieces come from.
pub type Pieces = mpsc::Receiver<Piece>;

/// Writes the content of one file as it is.
///
/// # Errors
/// The output's, or [`io::ErrorKind::UnexpectedEof`] if the pieces were cut off.
pub fn write_plain(mut pieces: Pieces, out: &mut dyn Write) -> io::Result<()> {
    loop {
        match pieces.blocking_recv() {
            Some(Piece::Entry(_)) => {}
            Some(Piece::Data(data)) => out.write_all(&data)?,
            Some(Piece::End) => return out.flush(),
            None => return Err(cut_off()),
        }
    }
}

fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the content was cut off")
}
