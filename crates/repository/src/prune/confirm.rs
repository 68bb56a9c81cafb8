//! The proof, before anything is removed, that all that snapshots use will still be there.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::decide::Action;
use super::plan::PrunePlan;
use super::rewrite::Rewritten;
use crate::error::Context;
use crate::file_kind::FileKind;
use crate::format::{BlobKind, Id};
use crate::index::{Index, IndexBuilder, Part};
use crate::lock::Lock;
use crate::repository::Repository;
use crate::usage::pack_shapes;
use crate::{Error, ErrorKind, Result};

const KINDS: [BlobKind; 2] = [BlobKind::Data, BlobKind::Tree];

impl Repository {
    /// Fails unless the lock stands, and snapshots, trash and index files are those that the plan knows of.
    pub(super) async fn refuse_changed(
        &self,
        plan: &PrunePlan,
        lock: &Lock,
        indexes: &HashSet<Id>,
    ) -> Result<()> {
        lock.verify().await?;
        let is_same = |entries: Vec<crate::file_kind::FileEntry>, known: &HashSet<Id>| {
            entries.len() == known.len() && entries.iter().all(|entry| known.contains(&entry.id))
        };
        if !is_same(self.list(FileKind::Snapshot).await?, &plan.snapshots) {
            return Err(changed("the snapshots have"));
        }
        if !is_same(self.list(FileKind::Index).await?, indexes) {
            return Err(changed("the index has"));
        }
        if self.is_other_trash(&plan.trash).await? {
            return Err(changed("the trash has"));
        }
        Ok(())
    }

    /// Reads the new index files (`fresh`) back and fails unless every used blob lies in a pack that stays, that an
    /// index file names which stays, and that is there in its full length.
    pub(super) async fn confirm_kept(
        &self,
        plan: &Arc<PrunePlan>,
        rewritten: Rewritten,
        fresh: &[Id],
    ) -> Result<()> {
        let fresh = Arc::new(self.read_back(fresh).await?);
        let (job_plan, job_fresh) = (Arc::clone(plan), Arc::clone(&fresh));
        self.workers()
            .run(move || confirm_blobs(&job_plan, &rewritten, &job_fresh))
            .await??;
        self.confirm_packs(plan, &fresh).await
    }

    /// Index files as the storage has them now, each in its full length.
    pub(crate) async fn read_back(&self, files: &[Id]) -> Result<Index> {
        let listed = self.list(FileKind::Index).await?;
        let sizes: HashMap<Id, u64> = listed
            .into_iter()
            .map(|file| (file.id, file.size_bytes))
            .collect();
        let mut builder = IndexBuilder::default();
        for id in files {
            // A cache may answer the read; the listing is the storage's own.
            let stored = self
                .load_raw(FileKind::Index, id)
                .await
                .context(|| "read back what was written")?;
            if sizes.get(id) != Some(&(stored.len() as u64)) {
                return Err(lost(&format!("index {id} is not there in its full length")));
            }
            let plain = self
                .load_file(FileKind::Index, id)
                .await
                .context(|| "read back what was written")?;
            let part = Part::decode(id, &plain).context(|| "read back what was written")?;
            builder.add(*id, part);
        }
        Ok(builder.build())
    }

    async fn confirm_packs(&self, plan: &PrunePlan, fresh: &Index) -> Result<()> {
        let listed = self.list(FileKind::Pack).await?;
        let stored: HashMap<Id, u64> = listed
            .into_iter()
            .map(|pack| (pack.id, pack.size_bytes))
            .collect();
        let old = plan
            .index
            .packs()
            .iter()
            .zip(pack_shapes(&plan.index))
            .zip(&plan.actions);
        let old = old
            .filter(|(_, action)| **action == Action::Keep)
            .map(|(pack, _)| pack);
        let known: HashSet<&Id> = plan.index.packs().iter().collect();
        let new = fresh
            .packs()
            .iter()
            .zip(pack_shapes(fresh))
            .filter(|(id, _)| !known.contains(id));
        for (id, shape) in old.chain(new) {
            if stored.get(id) != Some(&shape.size_bytes()) {
                return Err(lost(&format!("pack {id} is not there in its full length")));
            }
        }
        Ok(())
    }
}

fn confirm_blobs(plan: &PrunePlan, rewritten: &Rewritten, fresh: &Index) -> Result<()> {
    let packs = plan.index.packs().iter().enumerate();
    let numbers: HashMap<&Id, usize> = packs.map(|(number, id)| (id, number)).collect();
    for kind in KINDS {
        let blobs = plan.index.blobs(kind).enumerate();
        for (_, blob) in blobs.filter(|(position, _)| plan.used.of(kind).get(*position)) {
            if !is_kept(plan, rewritten, fresh, &numbers, kind, &blob.id) {
                return Err(lost(&format!("{kind} blob {} would be lost", blob.id)));
            }
        }
    }
    Ok(())
}

fn is_kept(
    plan: &PrunePlan,
    rewritten: &Rewritten,
    fresh: &Index,
    numbers: &HashMap<&Id, usize>,
    kind: BlobKind,
    id: &Id,
) -> bool {
    let stays = |pack: &Id| {
        numbers
            .get(pack)
            .is_none_or(|number| plan.action(*number) == Action::Keep)
    };
    // In a pack that only index files describe which stay, or in one that the new files describe.
    let untouched = |pack: &Id| {
        numbers
            .get(pack)
            .is_some_and(|number| !rewritten.packs.get(*number))
    };
    plan.index
        .locate_all(kind, id)
        .any(|place| stays(&place.pack) && untouched(&place.pack))
        || fresh.locate_all(kind, id).any(|place| stays(&place.pack))
}

fn changed(what: &str) -> Error {
    Error::new(
        ErrorKind::Refused,
        format!("{what} changed since the prune was planned; plan it anew"),
    )
}

fn lost(what: &str) -> Error {
    Error::new(ErrorKind::Internal, format!("{what}; nothing was removed"))
}

#[cfg(test)]
mod tests;
