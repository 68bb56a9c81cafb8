//! Clocks that jump by a year, each on a machine of its own.

use strongroom_repository::progress::Silent;

use crate::scene::{
    Scene, check, day, everything, forget, live, prune, trashed, undelete, witness,
};

const YEAR: i64 = 365;

/// T-04: whoever prunes, forgets or backs up with a wrong clock takes nothing away before its time.
#[tokio::test(flavor = "multi_thread")]
async fn t04_a_clock_that_jumps_by_a_year_costs_nothing_in_the_trash() {
    let scene = Scene::new().await;
    for forgotten in [-YEAR, 0, YEAR] {
        for backed_up in [-YEAR, 0, YEAR] {
            for pruned in [-YEAR, 0, YEAR] {
                let (_, repository) = scene.fork();
                let case = format!("forget {forgotten}, backup {backed_up}, prune {pruned}");
                forget(&repository, &scene.snapshots[..2], day(forgotten))
                    .await
                    .unwrap();
                for number in 1..=9 {
                    let at = day(backed_up + number);
                    witness(&repository, &scene.snapshots[2], at).await;
                }
                let report = prune(&repository, &everything(day(pruned + 9))).await;
                assert_eq!(report.unwrap().trash_removed, 0, "{case}");
                let ids = &scene.ids()[..2];
                let back = undelete(&repository, ids).await.unwrap();
                assert_eq!(back.restored, ids, "{case}");
                let checked = check(&repository).await;
                assert!(checked.is_sound(), "{case}: {:#?}", checked.errors);
                assert_eq!(live(&repository).await.len(), 12, "{case}");
            }
        }
    }
}

/// A clock that stands at the beginning of time (an empty battery) must not make what was just forgotten due at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_runs_behind_when_forgetting_shortens_nothing() {
    let scene = Scene::new().await;
    let repository = &scene.repository;
    let plan = forget(repository, &scene.snapshots[..1], day(-20 * YEAR));
    let times = plan.await.unwrap().trash.unwrap();
    // The newest snapshot is of the day before.
    assert_eq!(times.counted_from, day(-1));
    assert_eq!(times.kept_until, day(13));
    assert_eq!(trashed(repository).await, scene.ids()[..1]);
    let (entries, _) = repository.load_trash(&Silent).await.unwrap();
    let told = entries[0].record.forgotten_at.instant();
    assert_eq!(told, day(-20 * YEAR));
}
