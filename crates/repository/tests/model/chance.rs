//! Which operation is begun next.

use std::sync::{Arc, Mutex};

use strongroom_repository::prune::{MaxUnused, PruneOptions};
use strongroom_testkit::Random;

use crate::actions::Action;
use crate::expected::Expected;
use crate::tree::{Files, evolve};

/// An operation of a machine with these files. `begun` is the number of operations so far.
pub fn action(
    random: &mut Random,
    files: &mut Files,
    expected: &Mutex<Expected>,
    begun: u64,
) -> Action {
    let pick = random.below(1000) as usize;
    match random.below(121) {
        0..35 => {
            evolve(files, random, begun as i64);
            let files = Arc::new(files.clone());
            let number = expected.lock().unwrap().begin(&files);
            Action::Backup { files, number }
        }
        35..43 => Action::ForgetPolicy {
            last: 1 + random.below(4) as u32,
        },
        43..46 => Action::ForgetNamed { pick },
        46..49 => Action::Trash { pick },
        49..52 => Action::Undelete { pick },
        52..65 => Action::Prune(prune_options(random)),
        65..72 => Action::Copy { pick },
        72..76 => Action::Check,
        76..81 => Action::Restore { pick },
        81..86 => Action::Tag {
            pick,
            tag: format!("tag-{}", random.below(3)),
        },
        86..96 => Action::Unlock,
        96..98 => Action::AddKey,
        98..100 => Action::RemoveKey { pick },
        100..103 => Action::Pin {
            pick,
            days: (random.below(3) > 0).then(|| 1 + random.below(4)),
        },
        103..105 => Action::Unpin { pick },
        105..110 => Action::Rewrite {
            pick,
            without: match random.below(4) {
                0 => "deep".into(),
                _ => format!("file-{}", random.below(8)),
            },
            forget: random.below(2) == 0,
        },
        110..113 => Action::RepairIndex,
        113..115 => Action::RepairPacks,
        115..117 => Action::RepairSnapshots,
        117..119 => Action::Parity {
            exclusive: random.below(2) == 0,
        },
        _ => Action::Compact,
    }
}

fn prune_options(random: &mut Random) -> PruneOptions {
    let max_unused = match random.below(4) {
        0 => MaxUnused::Unlimited,
        1 => MaxUnused::default(),
        _ => MaxUnused::Bytes(0),
    };
    PruneOptions {
        max_unused,
        repack_cacheable_only: random.below(10) == 0,
        repack_small: random.below(4) == 0,
        ..PruneOptions::default()
    }
}
