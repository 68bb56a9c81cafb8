//! Taking over the packs that an interrupted backup has stored but not indexed (story T-23).

use std::collections::HashSet;

use futures::stream::{self, StreamExt};

use crate::file_kind::{FileEntry, FileKind};
use crate::format::Id;
use crate::index::Index;
use crate::lock::Lock;
use crate::progress::Progress;
use crate::repository::Repository;
use crate::usage::IndexFiles;
use crate::{ErrorKind, Result};

impl Repository {
    /// The index for an operation that adds data: complete even after a process died beside it.
    pub async fn load_index_to_write(&self, lock: &Lock, progress: &dyn Progress) -> Result<Index> {
        let index = self.open_index(progress).await?;
        if lock.met_dead() && self.adopt_packs(&index, lock, progress).await? > 0 {
            return self.open_index(progress).await;
        }
        Ok(index)
    }

    /// Indexes the packs that no index file names. Returns how many; the caller loads the index anew if any.
    ///
    /// Costs a listing of all packs, so it is done only where [`crate::lock::Lock::met_dead`] says that a process
    /// died. Packs of a backup that is running beside this one may be taken too; that they are then named by two index
    /// files does no harm. A pack whose header cannot be read is left as it is.
    pub async fn adopt_packs(
        &self,
        index: &Index,
        lock: &Lock,
        progress: &dyn Progress,
    ) -> Result<usize> {
        let known: HashSet<&Id> = index.packs().iter().collect();
        let packs = self.list(FileKind::Pack).await?;
        let unknown: Vec<FileEntry> = packs
            .into_iter()
            .filter(|pack| !known.contains(&pack.id))
            .collect();
        let at_once = self.storage().capabilities().connections.max(1);
        let header = |pack: FileEntry| async move {
            (
                pack.id,
                self.load_pack_header(&pack.id, pack.size_bytes).await,
            )
        };
        let mut headers = stream::iter(unknown).map(header).buffer_unordered(at_once);
        let mut files = IndexFiles::new(self, lock, progress);
        let mut adopted = 0_usize;
        while let Some((id, header)) = headers.next().await {
            match header {
                Ok(header) => {
                    adopted = adopted.saturating_add(1);
                    files.add(&id, &header).await?;
                }
                Err(error) if error.kind() == ErrorKind::Damaged => {
                    progress.warning(&error.to_string())
                }
                Err(error) => return Err(error),
            }
        }
        files.finish().await?;
        Ok(adopted)
    }
}
