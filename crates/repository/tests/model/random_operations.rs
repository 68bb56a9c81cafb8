//! Random operations of several machines.

use jiff::SignedDuration;
use strongroom_testkit::Faults;

use crate::run::{Kind, Run, alone};
use crate::seeds::{replay, seeds, steps};

/// Runs a kind with every seed and tells how to see a failure again.
fn try_seeds(test: &str, usual: std::ops::Range<u64>, usual_steps: u64, kind: &Kind) {
    let steps = steps(usual_steps);
    for seed in seeds(usual) {
        let done = alone(async {
            let mut run = Run::new(seed, kind.clone()).await;
            match run.go(steps).await {
                Ok(()) => run.done,
                Err(what) => panic!(
                    "{}\n\n{what}\n\nto see it again: {}",
                    run.trace(),
                    replay(test, seed, steps)
                ),
            }
        });
        assert!(
            done > steps / 20,
            "seed {seed}: {done} operations of {steps}"
        );
    }
}

#[test]
fn without_faults_nothing_is_lost() {
    try_seeds(
        "without_faults_nothing_is_lost",
        0..4,
        150,
        &Kind::of(Faults::none()),
    );
}

#[test]
fn killed_and_sleeping_processes_lose_nothing() {
    let kind = Kind::of(Faults::crashes());
    try_seeds(
        "killed_and_sleeping_processes_lose_nothing",
        0..8,
        150,
        &kind,
    );
}

#[test]
fn a_bad_network_loses_nothing() {
    try_seeds(
        "a_bad_network_loses_nothing",
        0..8,
        150,
        &Kind::of(Faults::flaky()),
    );
}

#[test]
fn t04_wrong_clocks_lose_nothing() {
    let year = SignedDuration::from_hours(365 * 24);
    let kind = Kind {
        skews: vec![SignedDuration::ZERO, year, -year],
        clocks_jump: true,
        ..Kind::of(Faults::crashes())
    };
    try_seeds("t04_wrong_clocks_lose_nothing", 0..8, 150, &kind);
}
