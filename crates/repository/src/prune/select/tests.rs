//! Which copy of a blob stays: the wrong one is damaged, or moves all that lies beside it.

use std::collections::HashMap;

use super::{PackUse, Selection, select};
use crate::format::{BlobKind, Id};
use crate::index::Index;
use crate::prune::figures::{Amounts, PruneFigures};
use crate::prune::scene::{self, BLOB_BYTES, Pack, id, position};
use crate::usage::{Marks, pack_shapes};

/// A selection from packs of which those in `cut` are shorter than the index says and those in `gone` are not there.
struct Selected {
    index: Index,
    selection: Selection,
    figures: PruneFigures,
}

fn selected(packs: &[Pack<'_>], used: &[&str], cut: &[&str], gone: &[&str]) -> Selected {
    let index = scene::index(packs);
    let shapes = index.packs().iter().zip(pack_shapes(&index));
    let mut stored: HashMap<Id, u64> = shapes
        .map(|(id, shape)| (*id, shape.size_bytes()))
        .collect();
    for name in cut {
        *stored.get_mut(&id(name)).unwrap() -= 1;
    }
    for name in gone {
        stored.remove(&id(name));
    }
    let marks = Marks::new(&index);
    for blob in used {
        marks.mark(&index, BlobKind::Data, &id(blob));
    }
    let mut figures = PruneFigures::default();
    let selection = select(&index, &marks, &stored, &mut figures);
    Selected {
        index,
        selection,
        figures,
    }
}

impl Selected {
    /// Whether it is this pack's copy of the blob that stays, and no other's.
    #[track_caller]
    fn assert_chosen(&self, blob: &str, pack: &str) {
        let chosen = self.selection.chosen.of(BlobKind::Data);
        let records = self.index.blobs(BlobKind::Data).enumerate();
        let of_blob = records.filter(|(_, record)| record.id == id(blob));
        let chosen: Vec<usize> = of_blob
            .map(|(at, _)| at)
            .filter(|at| chosen.get(*at))
            .collect();
        assert_eq!(chosen, [position(&self.index, blob, pack)]);
    }

    fn pack(&self, name: &str) -> &PackUse {
        let mut packs = self.index.packs().iter();
        let number = packs.position(|pack| *pack == id(name)).unwrap();
        &self.selection.packs[number]
    }
}

fn amounts(blobs: u64) -> Amounts {
    Amounts {
        blobs,
        bytes: blobs * u64::from(BLOB_BYTES),
    }
}

#[test]
fn a_copy_in_a_whole_pack_is_better_than_one_in_a_pack_that_is_not() {
    let packs: &[Pack<'_>] = &[("a", &["copied", "used"]), ("b", &["copied"])];
    for (good, bad) in [("a", "b"), ("b", "a")] {
        selected(packs, &["copied"], &[bad], &[]).assert_chosen("copied", good);
        selected(packs, &["copied"], &[], &[bad]).assert_chosen("copied", good);
    }
}

/// The pack stays in all likelihood; the other one would have to be rewritten for the sake of this copy.
#[test]
fn a_copy_beside_something_that_is_used_is_better_than_one_beside_waste() {
    for (used, waste) in [("a", "b"), ("b", "a")] {
        let packs: &[Pack<'_>] = &[(used, &["copied", "used"]), (waste, &["copied", "waste"])];
        let selected = selected(packs, &["copied", "used"], &[], &[]);
        selected.assert_chosen("copied", used);
        selected.assert_chosen("used", used);
        let (used, waste) = (selected.pack(used), selected.pack(waste));
        assert_eq!((used.used_blobs, used.unused_blobs), (2, 0));
        assert_eq!((waste.used_blobs, waste.unused_blobs), (0, 2));
    }
}

/// A prune that was interrupted has written packs of copies alone. To take these finishes its work.
#[test]
fn a_copy_in_a_pack_of_copies_alone_is_better_than_one_beside_waste() {
    for (copies, waste) in [("a", "b"), ("b", "a")] {
        let packs: &[Pack<'_>] = &[(copies, &["one", "two"]), (waste, &["one", "two", "waste"])];
        let selected = selected(packs, &["one", "two"], &[], &[]);
        selected.assert_chosen("one", copies);
        selected.assert_chosen("two", copies);
    }
}

/// A second plan would choose otherwise, and rewrite what the first one has just written.
#[test]
fn of_equal_copies_that_in_the_pack_of_the_lowest_name_stays() {
    let packs: &[Pack<'_>] = &[("a", &["one", "two"]), ("b", &["one", "two"])];
    let lowest = if id("a") < id("b") { "a" } else { "b" };
    for packs in [packs, &[packs[1], packs[0]]] {
        let selected = selected(packs, &["one", "two"], &[], &[]);
        selected.assert_chosen("one", lowest);
        selected.assert_chosen("two", lowest);
    }
}

#[test]
fn every_record_is_counted_once_and_packs_have_the_size_that_the_index_says() {
    let packs: &[Pack<'_>] = &[
        ("a", &["copied", "used", "waste"]),
        ("b", &["copied", "waste"]),
    ];
    let selected = selected(packs, &["copied", "used"], &[], &[]);
    let figures = selected.figures;
    let found = (figures.used, figures.duplicate, figures.unused);
    assert_eq!(found, (amounts(2), amounts(1), amounts(2)));
    let shapes = pack_shapes(&selected.index);
    let (a, b) = (selected.pack("a"), selected.pack("b"));
    for (pack, shape, used) in [(a, shapes[0], 2), (b, shapes[1], 0)] {
        assert_eq!(pack.shape, shape);
        assert!(pack.shape.has_data && pack.exists && pack.is_whole);
        assert_eq!(pack.size_bytes(), shape.size_bytes());
        let header_bytes = shape.size_bytes() - shape.blobs_bytes;
        assert_eq!(pack.used_bytes, header_bytes + used * u64::from(BLOB_BYTES));
        assert_eq!(pack.used_blobs, used);
    }
}
