//! Packs: files that hold many blobs of one kind, and the stream of them that an operation writes.

mod adopt;
mod header;
mod open_pack;
mod totals;
mod upload;
mod writer;

pub use open_pack::FinishedPack;
pub use totals::WriterTotals;
pub use upload::Uploaded;
pub use writer::{BlobWriter, Stored, WriterOptions};
