//! Packs: files that hold many blobs of one kind, and the stream of them that an operation writes.

mod adopt;
mod header;
mod open_pack;
mod upload;
mod writer;

pub use open_pack::FinishedPack;
pub use writer::{BlobWriter, Stored, WriterOptions, WriterTotals};
