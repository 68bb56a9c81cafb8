//! What a file that is written begins with.

use crate::format::Node;
use crate::restore::compare::Piece;
use crate::restore::{Basis, Existing};

/// Up to this size what is right in an old file is copied into the new one, so that the old one stays until the end.
/// Larger ones are written in place under their partial name: a copy would need their space twice.
const COPY_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Whether a file may become the restored one. One that belongs to neither may be open in the hands of a third,
/// who could change it after it was compared.
pub(super) fn usable(file: &Existing, node: &Node) -> bool {
    file.mine || file.uid == node.uid
}

/// What a file begins with, and which of its blobs that has.
pub(super) fn choose(
    node: &Node,
    pieces: &[Piece],
    old: Option<&Existing>,
    in_old: Vec<bool>,
    left: Option<&Existing>,
    in_left: Vec<bool>,
) -> (Basis, Vec<bool>) {
    let (reused_old, reused_left) = (bytes(pieces, &in_old), bytes(pieces, &in_left));
    match (old, left) {
        (_, Some(left)) if reused_left > reused_old => (Basis::Leftover(left.clone()), in_left),
        (Some(old), _) if reused_old > 0 => {
            let large = old.size_bytes.max(node.size_bytes) > COPY_BYTES_MAX;
            if large && old.links == 1 && usable(old, node) {
                (Basis::InPlace(old.clone()), in_old)
            } else {
                (Basis::Copy(old.clone(), ranges(pieces, &in_old)), in_old)
            }
        }
        _ => (Basis::Nothing, Vec::new()),
    }
}

/// How many bytes match.
pub(super) fn bytes(pieces: &[Piece], matches: &[bool]) -> u64 {
    pieces
        .iter()
        .zip(matches)
        .filter(|(_, same)| **same)
        .map(|((_, _, length), _)| u64::from(length.unwrap_or(0)))
        .fold(0, u64::saturating_add)
}

/// The ranges of a file that match, neighbours joined.
fn ranges(pieces: &[Piece], matches: &[bool]) -> Vec<std::ops::Range<u64>> {
    let mut ranges: Vec<std::ops::Range<u64>> = Vec::new();
    for ((_, start, length), _) in pieces.iter().zip(matches).filter(|(_, same)| **same) {
        let end = start.saturating_add(length.unwrap_or(0).into());
        match ranges.last_mut() {
            Some(last) if last.end == *start => last.end = end,
            _ => ranges.push(*start..end),
        }
    }
    ranges
}
