//! Two or three operations in every order that a few changes of turn give, call by call.

use std::time::Duration;

use crate::actions::{Action, Outcome};
use crate::run::alone;
use crate::scene::{Begun, Scene, Stage, prune_all};

/// An operation by the name that a failure is told with.
type Operation = (&'static str, fn(&Scene, &Stage) -> Action);

const BACKUP: Operation = ("backup", |scene, stage| stage.backup(&scene.trees[0]));
const PRUNE: Operation = ("prune", |_, _| prune_all());
const FORGET: Operation = ("forget", |_, _| Action::ForgetPolicy { last: 1 });
const COPY: Operation = ("copy", |_, _| Action::Copy { pick: 0 });

#[track_caller]
fn assert_right(outcome: &Outcome, when: &str) {
    assert!(!matches!(outcome, Outcome::Wrong(_)), "{when}: {outcome:?}");
}

async fn end(operation: Begun, ended: Option<Outcome>, when: &str) {
    let outcome = match ended {
        Some(outcome) => outcome,
        None => operation.end().await,
    };
    assert_right(&outcome, when);
}

/// The first makes so many calls, then the second so many; a third happens as a whole, if there is one; the second ends,
/// then the first. For all numbers of calls.
async fn every_order(
    scene: &Scene,
    names: [&str; 3],
    first: Operation,
    second: Operation,
    third: Option<Operation>,
) -> u32 {
    let mut orders = 0;
    for calls in 0.. {
        let mut first_ended = false;
        for others in 0.. {
            let stage = scene.stage(names);
            let when = format!(
                "{} after {calls} calls, {} after {others}, {:?}",
                first.0,
                second.0,
                third.map(|third| third.0)
            );
            let mut one = stage.begin(0, "first", 0, first.1(scene, &stage));
            let ended = one.go(calls).await;
            first_ended = ended.is_some();
            let mut two = stage.begin(1, "second", 0, second.1(scene, &stage));
            let two_ended = two.go(others).await;
            let is_last = two_ended.is_some();
            if let Some(third) = third {
                let outcome = stage.run(2, 0, third.1(scene, &stage)).await;
                assert_right(&outcome, &when);
            }
            end(two, two_ended, &when).await;
            end(one, ended, &when).await;
            stage.assert_whole(&when).await;
            orders += 1;
            if is_last {
                break;
            }
        }
        if first_ended {
            break;
        }
    }
    orders
}

/// A prune lists the snapshots; a new one appears that shares data with one that goes; the shared data must stay.
#[test]
fn t02_a_prune_beside_backup_and_forget_in_every_order() {
    alone(async {
        let scene = Scene::new().await;
        let names = ["one", "two", "three"];
        let mut orders = 0;
        for (first, second, third) in [
            (PRUNE, BACKUP, Some(FORGET)),
            (BACKUP, PRUNE, Some(FORGET)),
            (FORGET, BACKUP, Some(PRUNE)),
            (PRUNE, COPY, None),
            (COPY, PRUNE, None),
        ] {
            orders += every_order(&scene, names, first, second, third).await;
        }
        assert!(orders > 150, "{orders}");
    });
}

/// Two that clean up, with the same name of machine and the same number of process, as containers have.
#[test]
fn t05_two_owners_of_maintenance_that_cannot_be_told_apart() {
    alone(async {
        let scene = Scene::new().await;
        let same = ["same", "same", "same"];
        let mut orders = 0;
        for (first, second) in [(PRUNE, PRUNE), (PRUNE, FORGET), (FORGET, PRUNE)] {
            orders += every_order(&scene, same, first, second, Some(BACKUP)).await;
        }
        assert!(orders > 50, "{orders}");
    });
}

/// Maintenance is killed after any call; another does it, whether it can know of the death or not.
#[test]
fn t05_maintenance_that_is_killed_at_any_step_is_finished_by_another() {
    alone(async {
        let scene = Scene::new().await;
        for names in [["same", "same", "same"], ["one", "two", "three"]] {
            for (name, operation) in [PRUNE, FORGET] {
                for calls in 0.. {
                    let when = format!("{name} is killed after call {calls}");
                    let stage = scene.stage(names);
                    let mut killed = stage.begin(0, "killed", 0, operation(&scene, &stage));
                    let ended = killed.go(calls).await;
                    let is_over = ended.is_some();
                    killed.kill();
                    end(killed, ended, &when).await;
                    stage.assert_whole(&when).await;
                    assert_right(&stage.run(1, 0, prune_all()).await, &when);
                    stage.assert_whole(&when).await;
                    scene.clock().pass(Duration::from_secs(3600));
                    stage.done(1, 0, Action::Unlock).await;
                    stage.done(1, 0, prune_all()).await;
                    stage.assert_whole(&format!("{when}, and finished")).await;
                    if is_over {
                        assert!(calls > 8, "{name} made {calls} calls");
                        break;
                    }
                }
            }
        }
    });
}
