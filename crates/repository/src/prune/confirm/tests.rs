//! The last look before anything is removed. It never fails unless something else has gone wrong, and then it is all that
//! keeps the data.

use std::collections::HashSet;
use std::sync::Arc;

use super::confirm_blobs;
use crate::ErrorKind;
use crate::format::BlobKind;
use crate::index::Index;
use crate::prune::decide::Action;
use crate::prune::figures::PruneFigures;
use crate::prune::plan::PrunePlan;
use crate::prune::rewrite::Rewritten;
use crate::prune::scene::{self, Pack, position};
use crate::prune::trash::TrashPlan;
use crate::usage::{Bitmap, Marks};

use Action::{Forget, Keep, Remove, Repack};

/// Two packs: `used` is in the first, `copied` in both, `waste` in the second.
const PACKS: &[Pack<'_>] = &[
    ("first", &["used", "copied"]),
    ("second", &["copied", "waste"]),
];

/// Whether nothing would be lost by a plan with these actions, if these packs are in new index files, and `fresh` is what
/// new index files say.
fn is_confirmed(actions: [Action; 2], rewritten: &[usize], fresh: &[Pack<'_>]) -> bool {
    let index = scene::index(PACKS);
    let used = Marks::new(&index);
    for (blob, pack) in [("used", "first"), ("copied", "first"), ("copied", "second")] {
        used.of(BlobKind::Data).set(position(&index, blob, pack));
    }
    let packs = Bitmap::new(PACKS.len());
    for pack in rewritten {
        packs.set(*pack);
    }
    let plan = PrunePlan {
        figures: PruneFigures::default(),
        moved: Marks::new(&index),
        index: Arc::new(index),
        used,
        actions: actions.to_vec(),
        old_indexes: HashSet::new(),
        unreferenced: Vec::new(),
        snapshots: HashSet::new(),
        trash: TrashPlan::default(),
        compress_data: false,
    };
    let rewritten = Rewritten {
        new: Vec::new(),
        packs,
    };
    let fresh = match fresh {
        [] => Index::default(),
        packs => scene::index(packs),
    };
    match confirm_blobs(&plan, &rewritten, &fresh) {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Internal);
            false
        }
    }
}

#[test]
fn what_stays_and_what_was_moved_are_enough_and_nothing_less_is() {
    // What is used lies in the first pack, which stays as it was.
    assert!(is_confirmed([Keep, Remove], &[], &[]));
    // That pack goes, and with it what is nowhere else.
    for action in [Remove, Repack, Forget] {
        assert!(!is_confirmed([action, Keep], &[], &[]));
        assert!(is_confirmed([action, Keep], &[], &[("new", &["used"])]));
        let all: &[Pack<'_>] = &[("new", &["used", "copied"])];
        assert!(is_confirmed([action, Remove], &[], all));
        assert!(!is_confirmed([action, Remove], &[], &[("new", &["used"])]));
    }
}

#[test]
fn a_pack_whose_index_file_goes_has_to_be_in_a_new_one() {
    assert!(!is_confirmed([Keep, Keep], &[0], &[]));
    assert!(!is_confirmed([Keep, Keep], &[0], &[("first", &["copied"])]));
    assert!(is_confirmed(
        [Keep, Keep],
        &[0],
        &[("first", &["used", "copied"])]
    ));
    // A new file that describes a pack which goes is worth nothing.
    assert!(!is_confirmed([Remove, Keep], &[], &[("first", &["used"])]));
}
