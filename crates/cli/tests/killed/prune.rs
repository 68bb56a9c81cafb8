//! A prune that is killed at each of its steps.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use strongroom_testkit::{CompareOptions, Random, Restic, assert_same_trees, strongroom};

use crate::moment::{kill_when, stored};
use crate::vault::Vault;

/// How far a prune has come.
#[derive(Debug, Clone, Copy)]
enum Step {
    Locked,
    PackWritten,
    IndexWritten,
    IndexRemoved,
    PackRemoved,
}

impl Step {
    const ALL: [Self; 5] = [
        Self::Locked,
        Self::PackWritten,
        Self::IndexWritten,
        Self::IndexRemoved,
        Self::PackRemoved,
    ];

    fn is_reached(self, repository: &Path, before: &BTreeMap<PathBuf, u64>) -> bool {
        let now = stored(repository);
        let is_in = |path: &PathBuf, folder: &str| path.starts_with(repository.join(folder));
        let appeared = |folder: &str| {
            now.keys()
                .any(|path| is_in(path, folder) && !before.contains_key(path))
        };
        let gone = |folder: &str| {
            before
                .keys()
                .any(|path| is_in(path, folder) && !now.contains_key(path))
        };
        match self {
            Self::Locked => appeared("locks"),
            Self::PackWritten => appeared("data"),
            Self::IndexWritten => appeared("index"),
            Self::IndexRemoved => gone("index"),
            Self::PackRemoved => gone("data"),
        }
    }
}

/// Three snapshots of changing files, the first of them forgotten; the trees of the two others.
fn vault_with_waste(random: &mut Random) -> (Vault, [PathBuf; 2]) {
    let vault = Vault::new(strongroom!());
    for day in 0..3 {
        for n in 0..12 {
            if n % 3 == day || day == 0 {
                let length = 200_000 + random.below(200_000) as usize;
                std::fs::write(vault.path(&format!("source/{n}")), random.bytes(length)).unwrap();
            }
        }
        vault.backup();
        let copy = vault.path(&format!("state{day}"));
        let copied = std::process::Command::new("cp")
            .arg("-a")
            .arg(vault.path("source"))
            .arg(copy)
            .status();
        assert!(copied.unwrap().success());
    }
    let first = &vault.restic().snapshot_ids()[0];
    vault.run(&["forget", "--yes", first]).ok();
    let states = [vault.path("state1"), vault.path("state2")];
    (vault, states)
}

#[test]
fn a_prune_that_was_killed_has_lost_nothing_and_the_next_one_finishes() {
    let seed = Random::fresh_seed();
    println!("SEED={seed}");
    let (vault, states) = vault_with_waste(&mut Random::new(seed));
    let whole = vault.path("vault");
    let mut killed = 0;
    for (n, step) in Step::ALL.into_iter().enumerate() {
        let copy = vault.path(&format!("copy{n}"));
        crate::vault::copy(&whole, &copy);
        let at = copy.to_str().unwrap();
        let before = stored(&copy);
        let prune = [
            "-r",
            at,
            "--no-cache",
            "prune",
            "--yes",
            "--max-unused",
            "0",
        ];
        let was_killed = kill_when(vault.program.spawn(prune), || {
            step.is_reached(&copy, &before)
        });
        killed += usize::from(was_killed);
        println!(
            "{step:?}: {}",
            if was_killed { "killed" } else { "too late" }
        );
        let restored = |when: &str| {
            // restic would not read beside the lock of the dead.
            let listed = vault
                .run(&["-r", at, "--no-cache", "snapshots", "--json"])
                .ok()
                .json();
            let snapshots = listed.as_array().unwrap();
            let ids: Vec<_> = snapshots
                .iter()
                .map(|one| one["id"].as_str().unwrap())
                .collect();
            assert_eq!(ids.len(), 2);
            for (id, state) in ids.iter().zip(&states) {
                let target = vault.path(&format!("out-{n}-{when}-{}", &id[..8]));
                let to = target.to_str().unwrap();
                vault
                    .run(&["-r", at, "--no-cache", "restore", id, "-t", to])
                    .ok();
                assert_same_trees(state, &target.join("source"), &CompareOptions::default());
            }
        };
        restored("killed");
        vault
            .run(&["-r", at, "--no-cache", "check", "--read-data"])
            .ok();
        vault.run(&prune).ok();
        assert!(
            stored(&copy.join("locks")).is_empty(),
            "{step:?}: the lock of the dead is removed"
        );
        restored("finished");
        let restic = Restic::new(&copy, "try-me");
        restic.check_read_data();
        let checked = restic.run(["check"]).ok();
        assert!(
            !checked.stdout_text().contains("additional files"),
            "{checked}"
        );
    }
    assert!(killed >= 3, "it was too quick: {killed}");
}
