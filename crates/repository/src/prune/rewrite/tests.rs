//! Which index files go: every one costs a request wherever an index is loaded, and each that names a pack that goes has to.

use std::collections::HashSet;

use super::{SMALL_BLOBS, SMALL_FILES_MAX, old_indexes};
use crate::format::Id;
use crate::index::Index;
use crate::prune::decide::Action;
use crate::prune::scene::{Pack, index_of_files};

/// An index of files with one pack each, of so many blobs.
fn index(blobs: &[usize]) -> Index {
    let largest = blobs.iter().copied().max().unwrap_or_default();
    let names: Vec<String> = (0..largest).map(|number| number.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let packs: Vec<String> = (0..blobs.len())
        .map(|number| format!("pack {number}"))
        .collect();
    let files: Vec<[Pack<'_>; 1]> = packs
        .iter()
        .zip(blobs)
        .map(|(pack, blobs)| [(pack.as_str(), &names[..*blobs])])
        .collect();
    let files: Vec<&[Pack<'_>]> = files.iter().map(|file| file.as_slice()).collect();
    index_of_files(&files)
}

/// The files, by their numbers.
fn old(index: &Index, actions: &[Action]) -> Vec<usize> {
    let old: HashSet<Id> = old_indexes(index, actions);
    let files = index.files().iter().enumerate();
    files
        .filter(|(_, file)| old.contains(&file.id))
        .map(|(number, _)| number)
        .collect()
}

#[test]
fn what_names_a_pack_that_goes_is_replaced_and_else_only_many_small_ones() {
    let few = index(&[1, 2, 3]);
    let going = [Action::Keep, Action::Repack, Action::Keep];
    assert_eq!(old(&few, &going), [1]);
    assert_eq!(old(&few, &[Action::Keep; 3]), [0_usize; 0]);

    let many = SMALL_FILES_MAX + 1;
    let stay = vec![Action::Keep; many];
    let all: Vec<usize> = (0..many).collect();
    assert_eq!(old(&index(&vec![1; many]), &stay), all);
    assert_eq!(old(&index(&[1; SMALL_FILES_MAX]), &stay), [0_usize; 0]);
    let mut sizes = vec![SMALL_BLOBS - 1; many];
    assert_eq!(old(&index(&sizes), &stay), all);
    // One that is not small any more, and so one small file too few.
    sizes[3] = SMALL_BLOBS;
    assert_eq!(old(&index(&sizes), &stay), [0_usize; 0]);
    let mut actions = stay;
    actions[5] = Action::Forget;
    assert_eq!(old(&index(&sizes), &actions), [5]);
}
