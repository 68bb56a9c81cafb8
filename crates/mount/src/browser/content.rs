//! The content of files and links.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::try_join_all;
use strongroom_repository::Error;
use strongroom_repository::format::{BlobKind, Id, NodeKind};

use super::{Browser, Failure, Seen};
use crate::file::OpenFile;

impl Browser {
    /// What a symbolic link points to.
    pub async fn link_target(&self, number: u64) -> Result<Vec<u8>, Failure> {
        let seen = self.see(number).await?;
        match (&seen, seen.node()) {
            (Seen::Link(target), _) => Ok(target.clone()),
            (_, Some(node)) if node.kind == NodeKind::Symlink => Ok(node.link_target.clone()),
            _ => Err(Failure::WrongKind),
        }
    }

    /// Opens a file. That all of its blobs have a place is known then, not that they can be read.
    pub async fn open_file(&self, number: u64) -> Result<OpenFile, Failure> {
        let seen = self.see(number).await?;
        let node = seen.node().filter(|node| node.kind == NodeKind::File);
        let node = node.ok_or(Failure::WrongKind)?;
        let index = Arc::clone(&self.views.current().index);
        let opened = match OpenFile::new(node, &index) {
            Ok(file) => Ok(file),
            Err(fault) => match self.views.newer_index(&index, &self.reports).await {
                Some(newer) => OpenFile::new(node, &newer),
                None => Err(fault),
            },
        };
        opened.map_err(|fault| self.unreadable(number, &fault))
    }

    /// A range of a file; less than was asked for at its end.
    pub async fn read(
        self: &Arc<Self>,
        number: u64,
        file: &OpenFile,
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>, Failure> {
        for id in file.next(offset, length, self.ahead_bytes) {
            if !self.blobs.holds(&id) {
                let this = Arc::clone(self);
                // What goes wrong here goes wrong again, and is told, when the blob is needed.
                tokio::spawn(async move { this.blob(id).await.map(drop) });
            }
        }
        let pieces = file.pieces(offset, length);
        let blobs = pieces.iter().map(|piece| self.blob(piece.blob));
        let blobs = try_join_all(blobs)
            .await
            .map_err(|error| self.unreadable(number, &error.to_string()))?;
        let mut content = Vec::with_capacity(pieces.iter().map(|piece| piece.range.len()).sum());
        for (piece, blob) in pieces.iter().zip(&blobs) {
            let part = blob.get(piece.range.clone()).ok_or_else(|| {
                let fault = format!("data blob {} is shorter than the index says", piece.blob);
                self.unreadable(number, &fault)
            })?;
            content.extend_from_slice(part);
        }
        Ok(content)
    }

    async fn blob(&self, id: Id) -> Result<Bytes, Error> {
        let load = async {
            let content = Bytes::from(self.fetch(BlobKind::Data, id).await?);
            let bytes = content.len() as u64;
            Ok((content, bytes))
        };
        self.blobs.get(id, load).await
    }
}
