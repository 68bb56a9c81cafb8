//! The index as far as the packs that it names are there.

use std::collections::HashMap;
use std::sync::Arc;

use super::change::sizes;
use crate::Result;
use crate::file_kind::FileKind;
use crate::format::Id;
use crate::index::{Index, Location};
use crate::repository::Repository;

/// An index without what cannot be there.
pub struct PresentIndex {
    /// Blobs in packs that exist and are long enough to hold them.
    pub index: Arc<Index>,
    /// Packs that the whole index names and that are missing or too short, in order.
    pub lost_packs: Vec<Id>,
}

impl Repository {
    /// Leaves out of an index what lies in packs that are missing, or behind the end of packs that are too short. Costs a
    /// listing of all packs, and where nothing is lost no more than that.
    pub async fn present_index(&self, index: &Arc<Index>) -> Result<PresentIndex> {
        let stored = sizes(self.list(FileKind::Pack).await?);
        let job = Arc::clone(index);
        self.workers().run(move || present(&job, &stored)).await
    }
}

fn present(index: &Arc<Index>, stored: &HashMap<Id, u64>) -> PresentIndex {
    let packs = index.packs().iter().zip(index.pack_ends());
    let is_short = |id: &Id, end: u64| stored.get(id).is_none_or(|size| end > *size);
    let mut lost_packs: Vec<Id> = packs
        .filter(|(id, end)| *end > 0 && is_short(id, u64::from(*end)))
        .map(|(id, _)| *id)
        .collect();
    lost_packs.sort_unstable();
    let is_lost = |place: &Location| {
        let end = u64::from(place.offset).saturating_add(u64::from(place.length));
        is_short(&place.pack, end)
    };
    let index = match lost_packs.is_empty() {
        true => Arc::clone(index),
        false => Arc::new(index.without(|_, _, place| is_lost(place))),
    };
    PresentIndex { index, lost_packs }
}
