//! Which records are moved. One that is moved though a copy stays costs space; one that is not moved is lost.

use super::moved;
use crate::format::BlobKind;
use crate::prune::decide::Action;
use crate::prune::scene::{self, Pack, position};
use crate::usage::Marks;

use Action::{Keep, Repack};

#[test]
fn of_the_chosen_records_those_move_that_have_no_copy_in_a_pack_that_stays() {
    const PACKS: &[Pack<'_>] = &[("a", &["alone", "copied", "waste"]), ("b", &["copied"])];
    let index = scene::index(PACKS);
    let at = |blob, pack| position(&index, blob, pack);
    for (chosen, actions, expected) in [
        (("copied", "a"), [Repack, Repack], Some(("copied", "a"))),
        (("copied", "b"), [Repack, Repack], Some(("copied", "b"))),
        (("copied", "a"), [Repack, Keep], None),
        (("copied", "b"), [Keep, Repack], None),
        (("copied", "a"), [Keep, Keep], None),
        (("alone", "a"), [Repack, Keep], Some(("alone", "a"))),
        (("alone", "a"), [Keep, Repack], None),
    ] {
        let marks = Marks::new(&index);
        marks.of(BlobKind::Data).set(at(chosen.0, chosen.1));
        let moved = moved(&index, &marks, &actions);
        let positions =
            (0..index.len(BlobKind::Data)).filter(|at| moved.of(BlobKind::Data).get(*at));
        let expected: Vec<usize> = expected
            .into_iter()
            .map(|(blob, pack)| at(blob, pack))
            .collect();
        assert_eq!(
            positions.collect::<Vec<_>>(),
            expected,
            "{chosen:?} {actions:?}"
        );
    }
}
