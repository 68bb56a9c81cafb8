//! Packs that are missing: what they held is stored again.

use std::sync::Arc;

use strongroom_repository::Repository;
use strongroom_repository::index::Index;

use crate::context::Context;
use crate::error::Result;
use crate::output::figures;

/// Lost packs that are named at most.
const PACKS_SHOWN: usize = 20;

/// The index without what lies in packs that are lost, if that is asked for or costs next to nothing.
pub async fn without_lost(
    index: Index,
    asked: bool,
    repository: &Repository,
    context: &Context,
) -> Result<Arc<Index>> {
    let index = Arc::new(index);
    if !asked && !repository.storage().capabilities().local {
        return Ok(index);
    }
    let present = repository.present_index(&index).await?;
    let output = &context.output;
    for pack in present.lost_packs.iter().take(PACKS_SHOWN) {
        output.warning(&format!("pack {pack} is missing or too short"));
    }
    if !present.lost_packs.is_empty() {
        let packs = figures::count(present.lost_packs.len() as u64, "pack");
        output.warning(&format!(
            "{packs} lost: what the source still has of it is stored again; then run `strongroom repair index`"
        ));
    }
    Ok(present.index)
}
