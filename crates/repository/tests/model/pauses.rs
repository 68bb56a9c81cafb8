//! A process that stops between two calls while others go on, at every call of every operation.

use std::time::Duration;

use crate::actions::{Action, Outcome};
use crate::run::alone;
use crate::scene::{Scene, Stage, prune_all};

const SLEEPER: &str = "sleeper";
const OPERATIONS: usize = 8;

/// The operations that publish or remove, by the name that a failure is told with.
fn operations(scene: &Scene, stage: &Stage) -> [(&'static str, Action); OPERATIONS] {
    let tag = Action::Tag {
        pick: 0,
        tag: "tagged".into(),
    };
    let rewrite = Action::Rewrite {
        pick: 0,
        without: "one".into(),
        forget: true,
    };
    [
        ("backup", stage.backup(&scene.trees[4])),
        ("prune", prune_all()),
        ("forget by name", Action::ForgetNamed { pick: 1 }),
        ("forget by policy", Action::ForgetPolicy { last: 1 }),
        ("tag", tag),
        ("copy", Action::Copy { pick: 0 }),
        ("rewrite", rewrite),
        ("repair of the index", Action::RepairIndex),
    ]
}

/// What others do meanwhile, by name: each operation must end as the function says.
type Others = (&'static str, fn(&Scene, &Stage) -> Vec<(usize, Action)>);

/// Stops each operation after each of its calls, and looks at everything afterwards: also at what a later backup of the
/// same files makes of what is there.
async fn stop_everywhere(sleep: Duration, others: &[Others]) -> u32 {
    let scene = Scene::new().await;
    let mut stops = 0;
    for (story, others) in others {
        for operation in 0..OPERATIONS {
            for call in 0.. {
                let stage = scene.stage(["one", "two", "three"]);
                let (name, action) = operations(&scene, &stage)[operation].clone();
                let when = format!("{name} stops after call {call}, {story}");
                let mut sleeper = stage.begin(0, SLEEPER, 0, action);
                let ended = sleeper.go(call).await;
                let stopped = ended.is_none();
                scene.clock().pass(sleep);
                for (machine, action) in others(&scene, &stage) {
                    let outcome = stage.run(machine, 0, action).await;
                    assert!(!matches!(outcome, Outcome::Wrong(_)), "{when}: {outcome:?}");
                }
                let outcome = match ended {
                    Some(outcome) => outcome,
                    None => sleeper.end().await,
                };
                assert!(!matches!(outcome, Outcome::Wrong(_)), "{when}: {outcome:?}");
                clean_up(&scene, &stage, &when).await;
                if !stopped {
                    assert!(call > 8, "{name} made {call} calls");
                    stops += call;
                    break;
                }
            }
        }
    }
    stops
}

/// Whether all is there, also after a later backup of the same files, which relies on what the index names, and a prune.
async fn clean_up(scene: &Scene, stage: &Stage, when: &str) {
    stage.assert_whole(when).await;
    scene.clock().pass(Duration::from_secs(3600));
    stage.done(2, 0, Action::Unlock).await;
    stage.done(2, 0, stage.backup(&scene.trees[4])).await;
    stage
        .assert_whole(&format!("{when}, and a backup follows"))
        .await;
    stage.done(2, 0, prune_all()).await;
    stage
        .assert_whole(&format!("{when}, and a prune follows"))
        .await;
}

/// A laptop sleeps anywhere. Its lock is removed as stale, others prune, forget and back up; when it wakes up it must notice
/// before it publishes, names or removes anything.
#[test]
fn t06_a_process_that_sleeps_after_any_call_costs_nothing() {
    let stops = alone(stop_everywhere(
        Duration::from_secs(9 * 3600),
        &[
            ("others prune", |_, _| {
                vec![(1, Action::Unlock), (1, prune_all())]
            }),
            ("others back up", |scene, stage| {
                let backups = [stage.backup(&scene.trees[0]), stage.backup(&scene.trees[4])];
                let [old, same] = backups;
                vec![(1, Action::Unlock), (1, old), (2, same)]
            }),
            ("others forget and prune", |_, _| {
                let forget = Action::ForgetPolicy { last: 1 };
                vec![(1, Action::Unlock), (1, forget), (2, prune_all())]
            }),
        ],
    ));
    assert!(stops > 300, "{stops}");
}

/// A backup of another machine that is not finished yet has stored packs that no index and no snapshot names.
#[test]
fn t10_what_an_unfinished_operation_has_stored_is_not_removed() {
    let stops = alone(stop_everywhere(
        Duration::ZERO,
        &[("others clean up", |_, _| {
            let forget = Action::ForgetPolicy { last: 1 };
            vec![(1, Action::Unlock), (1, forget), (2, prune_all())]
        })],
    ));
    assert!(stops > 100, "{stops}");
}
