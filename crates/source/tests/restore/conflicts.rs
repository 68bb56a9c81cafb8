//! What a plan says of the target before anything is written to it (RES-07).

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use strongroom_repository::restore::{
    ConflictKind, Overwrite, Resolution, RestoreOptions, RestorePlan,
};
use strongroom_testkit::{Random, assert_same_trees};

use crate::{Vault, below_root, write};

use ConflictKind::{
    FolderInTheWay, LinkInTheWay, NoFolder, OtherKind, SameTime, Surplus, TargetNewer, TargetOlder,
};
use Resolution::{Fail, Keep, Remove, Replace, Update};

fn set_time(path: &Path, time: SystemTime) {
    std::fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(time)
        .unwrap();
}

fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

/// A snapshot of files of one time, and a target that differs in every way.
async fn at_odds() -> Vault {
    let vault = Vault::ours(|source| {
        for name in [
            "equal", "newer", "older", "same", "blocked", "empty", "link", "fixed",
        ] {
            write(source, name, format!("{name} in the snapshot"));
            set_time(&source.join(name), time());
        }
        write(source, "folder/inside", "x");
        write(source, "changed", Random::new(91).bytes(9 << 20));
        symlink("there", source.join("pointer")).unwrap();
    })
    .await;
    let target = vault.target();
    std::fs::create_dir(&target).unwrap();
    for name in ["equal", "changed"] {
        std::fs::copy(vault.source().join(name), target.join(name)).unwrap();
    }
    let mut changed = std::fs::read(target.join("changed")).unwrap();
    changed[100] ^= 1;
    write(&target, "changed", changed);
    for (name, seconds) in [("newer", 5), ("older", -5), ("same", 0), ("fixed", 5)] {
        write(&target, name, "somebody's");
        let shift = Duration::from_secs(seconds_of(seconds));
        let time = if seconds < 0 {
            time() - shift
        } else {
            time() + shift
        };
        set_time(&target.join(name), time);
    }
    write(&target, "blocked/by", "somebody's");
    std::fs::create_dir(target.join("empty")).unwrap();
    symlink("elsewhere", target.join("link")).unwrap();
    symlink("elsewhere", target.join("pointer")).unwrap();
    write(&target, "folder", "a file");
    write(&target, "surplus/deep", "somebody's");
    vault
}

fn seconds_of(seconds: i64) -> u64 {
    seconds.unsigned_abs()
}

fn told(plan: &RestorePlan) -> Vec<(String, ConflictKind, Resolution)> {
    let conflicts = plan.conflicts();
    conflicts
        .map(|c| (c.path.to_string(), c.kind, c.resolution))
        .collect()
}

fn expected(list: &[(&str, ConflictKind, Resolution)]) -> Vec<(String, ConflictKind, Resolution)> {
    list.iter()
        .map(|(path, kind, done)| ((*path).to_owned(), *kind, *done))
        .collect()
}

fn chattr(vault: &Vault, flag: &str) {
    let fixed = vault.target().join("fixed");
    assert!(
        Command::new("chattr")
            .arg(flag)
            .arg(fixed)
            .status()
            .unwrap()
            .success()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn t30_every_conflict_is_told_with_what_is_done_about_it() {
    let vault = at_odds().await;
    chattr(&vault, "+i");
    let plan = vault.plan(&RestoreOptions::default()).await;
    chattr(&vault, "-i");
    let all = [
        ("/blocked", FolderInTheWay, Fail),
        ("/changed", TargetNewer, Update),
        ("/empty", FolderInTheWay, Replace),
        ("/fixed", TargetNewer, Fail),
        ("/folder", NoFolder, Replace),
        ("/link", LinkInTheWay, Replace),
        ("/newer", TargetNewer, Replace),
        ("/older", TargetOlder, Replace),
        ("/pointer", LinkInTheWay, Replace),
        ("/same", SameTime, Replace),
    ];
    assert_eq!(told(&plan.unwrap()), expected(&all));

    let delete = RestoreOptions {
        delete: true,
        ..RestoreOptions::default()
    };
    let plan = vault.plan(&delete).await.unwrap();
    let with_delete = told(&plan);
    assert!(with_delete.contains(&("/blocked".to_owned(), FolderInTheWay, Replace)));
    let removed: Vec<_> = with_delete
        .iter()
        .filter(|(_, kind, _)| *kind == Surplus)
        .collect();
    assert_eq!(removed.len(), 3, "{removed:?}");
    assert!(removed.iter().all(|(_, _, done)| *done == Remove));
    assert!(vault.execute(plan).await.unwrap().is_complete());
    assert_same_trees(&vault.source(), &vault.target(), &below_root());
    assert_eq!(told(&vault.plan(&delete).await.unwrap()), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_decides_and_says_what_stays() {
    let vault = at_odds().await;
    let options = |overwrite| RestoreOptions {
        overwrite,
        ..RestoreOptions::default()
    };
    let never = told(&vault.plan(&options(Overwrite::Never)).await.unwrap());
    assert!(never.iter().all(|(_, _, done)| *done == Keep), "{never:?}");
    assert!(never.contains(&("/folder".to_owned(), NoFolder, Keep)));
    let newer = told(&vault.plan(&options(Overwrite::IfNewer)).await.unwrap());
    assert!(newer.contains(&("/newer".to_owned(), TargetNewer, Keep)));
    assert!(newer.contains(&("/older".to_owned(), TargetOlder, Replace)));
    assert!(newer.contains(&("/same".to_owned(), SameTime, Keep)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_special_entry_in_the_way_is_of_another_kind() {
    let vault = Vault::ours(|source| write(source, "f", "x")).await;
    std::fs::create_dir(vault.target()).unwrap();
    let fifo = Command::new("mkfifo")
        .arg(vault.target().join("f"))
        .status();
    assert!(fifo.unwrap().success());
    let plan = vault.plan(&RestoreOptions::default()).await.unwrap();
    assert_eq!(told(&plan), expected(&[("/f", OtherKind, Replace)]));
    let conflict = plan.conflicts().next().unwrap();
    assert_eq!(conflict.node.unwrap().size_bytes, 1);
}
