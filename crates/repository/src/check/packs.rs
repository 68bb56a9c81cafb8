//! Checking that the packs are there, and as long as the index says.

use std::collections::HashMap;

use super::finding::FindingKind;
use super::report::Findings;
use crate::format::{BlobKind, Id};
use crate::index::Index;
use crate::usage::{Marks, PackShape, pack_shapes};

/// Compares the packs of the index with those of the storage, and marks the records of the index that lie in packs, or
/// parts of packs, that are not there.
pub(super) fn check_packs(
    index: &Index,
    stored: &HashMap<Id, u64>,
    findings: &Findings,
    damaged: &Marks,
) {
    let shapes = pack_shapes(index);
    let mut any_lost = false;
    for (pack, shape) in index.packs().iter().zip(&shapes) {
        any_lost |= check_pack(*pack, shape, stored.get(pack).copied(), findings);
    }
    if any_lost {
        mark_lost(index, stored, damaged);
    }
    check_unreferenced(index, stored, findings);
    check_index_files(index, findings);
}

/// Returns whether a part of the pack is missing.
fn check_pack(pack: Id, shape: &PackShape, stored_bytes: Option<u64>, findings: &Findings) -> bool {
    if shape.has_data && shape.has_trees {
        let message = format!("pack {} holds data and trees", pack.short());
        findings.add(FindingKind::PackMixed { pack }, message);
    }
    let expected_bytes = shape.size_bytes();
    match stored_bytes {
        None => {
            findings.add(
                FindingKind::PackMissing { pack },
                format!("pack {pack} does not exist"),
            );
            true
        }
        Some(actual_bytes) if actual_bytes != expected_bytes => {
            let message = format!(
                "pack {pack} has {actual_bytes} bytes, by the index it should have {expected_bytes}"
            );
            findings.add(
                FindingKind::PackSize {
                    pack,
                    expected_bytes,
                    actual_bytes,
                },
                message,
            );
            actual_bytes < expected_bytes
        }
        Some(_) => false,
    }
}

fn mark_lost(index: &Index, stored: &HashMap<Id, u64>, damaged: &Marks) {
    for kind in [BlobKind::Data, BlobKind::Tree] {
        for (position, blob) in index.blobs(kind).enumerate() {
            let end =
                u64::from(blob.location.offset).saturating_add(u64::from(blob.location.length));
            if stored
                .get(&blob.location.pack)
                .is_none_or(|size| end > *size)
            {
                damaged.of(kind).set(position);
            }
        }
    }
}

fn check_unreferenced(index: &Index, stored: &HashMap<Id, u64>, findings: &Findings) {
    let known: std::collections::HashSet<&Id> = index.packs().iter().collect();
    let mut unknown: Vec<Id> = stored
        .keys()
        .filter(|pack| !known.contains(pack))
        .copied()
        .collect();
    unknown.sort_unstable();
    for pack in unknown {
        findings.add(
            FindingKind::PackUnreferenced { pack },
            format!("pack {} is in no index", pack.short()),
        );
    }
}

fn check_index_files(index: &Index, findings: &Findings) {
    // For every pack the last index file that named it, counted from 1, and whether another one did before.
    let mut seen = vec![(0_usize, false); index.packs().len()];
    for (number, file) in index.files().iter().enumerate() {
        let number = number.saturating_add(1);
        for pack in &file.packs {
            if let Some((last, again)) = seen.get_mut(*pack as usize) {
                *again |= *last != 0 && *last != number;
                *last = number;
            }
        }
    }
    for (pack, _) in index
        .packs()
        .iter()
        .zip(&seen)
        .filter(|(_, (_, again))| *again)
    {
        let message = format!("pack {} is described by several index files", pack.short());
        findings.add(FindingKind::PackInSeveralIndexes { pack: *pack }, message);
    }
}
