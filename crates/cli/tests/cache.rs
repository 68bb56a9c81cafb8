//! The local cache and `strongroom cache`.

#![allow(clippy::unwrap_used)]

mod vault;

use strongroom_testkit::strongroom;
use vault::Vault;

#[test]
fn t22_the_cache_can_go_at_any_time() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    let listed = vault.run(&["ls", "latest"]).ok().stdout;
    let id = vault.run(&["cat", "config"]).ok().json()["id"].clone();
    let caches = vault.run(&["cache", "--json"]).ok().json();
    assert_eq!(caches["caches"][0]["repository_id"], id);
    assert!(
        caches["caches"][0]["size"].as_u64().unwrap() > 0,
        "{caches}"
    );
    std::fs::remove_dir_all(vault.program.cache_dir()).unwrap();
    assert_eq!(vault.run(&["ls", "latest"]).ok().stdout, listed);
    // Every copy spoilt: what is shown comes from the repository all the same.
    let mut pending = vec![vault.program.cache_dir()];
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            match entry.file_type().unwrap().is_dir() {
                true => pending.push(entry.path()),
                false if entry.file_name().len() == 64 => {
                    std::fs::remove_file(entry.path()).unwrap();
                    std::fs::write(entry.path(), b"spoilt").unwrap();
                }
                false => {}
            }
        }
    }
    assert_eq!(vault.run(&["ls", "latest"]).ok().stdout, listed);
    let removed = vault.run(&["cache", "--cleanup", "--max-age", "0"]).ok();
    assert!(
        removed.stdout_text().contains("removed 1 old cache"),
        "{removed}"
    );
    vault.run(&["snapshots", "--no-cache"]).ok();
    let caches = vault.run(&["cache", "--json"]).ok().json();
    assert_eq!(caches["caches"].as_array().unwrap().len(), 0, "{caches}");
}

#[test]
fn a_cache_inside_of_what_is_backed_up_is_left_out() {
    let vault = Vault::new(strongroom!());
    vault
        .run(&["backup", "--cache-dir", "source/cache", "source"])
        .ok();
    assert!(vault.path("source/cache").is_dir());
    let listed = vault.run(&["ls", "latest"]).ok().stdout_text();
    assert!(!listed.contains("cache"), "{listed}");
}

/// What is asked of a clone, with the cache that all clones share and without it: the answers are the same.
#[track_caller]
fn assert_cache_changes_nothing(vault: &Vault, clone: &str) {
    for args in [
        &["snapshots", "--json"][..],
        &["ls", "latest", "--json"],
        &["stats", "--json", "--mode", "raw-data"],
        &["list", "packs"],
    ] {
        let with = vault.run(&[args, &["-r", clone]].concat()).ok();
        let without = vault
            .run(&[args, &["-r", clone, "--no-cache"]].concat())
            .ok();
        assert_eq!(
            with.stdout_text(),
            without.stdout_text(),
            "{clone}: {args:?}"
        );
    }
}

/// A repository copied as it is and used in both places has two histories under one id, and so one folder of the cache.
#[test]
fn t40_clones_with_one_id_do_not_mix() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    let copied = vault.program.shell("cp -r vault clone").status().unwrap();
    assert!(copied.success());
    let clones = ["./vault", "./clone"];
    for round in 0..2 {
        // The same new content into both: nothing of what is encrypted may repeat.
        std::fs::write(vault.path("source/same"), format!("round {round}")).unwrap();
        for clone in clones {
            vault.run(&["backup", "-r", clone, "source"]).ok();
        }
        // And something of its own into each.
        for clone in clones {
            let own = format!("source/own{}", clone.len() + round);
            std::fs::write(vault.path(&own), clone).unwrap();
            vault.run(&["backup", "-r", clone, "source"]).ok();
            assert_cache_changes_nothing(&vault, clone);
        }
    }
    let names = |folder: &str| {
        let listed = vault
            .run(&["list", "packs", "-r", folder])
            .ok()
            .stdout_text();
        listed
            .lines()
            .map(str::to_owned)
            .collect::<std::collections::BTreeSet<_>>()
    };
    let both: Vec<_> = names("./vault")
        .intersection(&names("./clone"))
        .cloned()
        .collect();
    assert_eq!(
        both.len(),
        2,
        "packs that were written after the copy are equal: {both:?}"
    );
    // One loses what it had in common with the other; copies of that lie in the cache.
    vault
        .run(&["forget", "-r", "./clone", "--keep-last", "1", "--yes"])
        .ok();
    vault
        .run(&["prune", "-r", "./clone", "--max-unused", "0", "--yes"])
        .ok();
    for clone in clones {
        assert_cache_changes_nothing(&vault, clone);
        vault.run(&["check", "--read-data", "-r", clone]).ok();
        vault
            .run(&[
                "restore",
                "latest",
                "-r",
                clone,
                "--target",
                &format!("out{clone}"),
            ])
            .ok();
    }
    vault.restic().check_read_data();
}

/// A good copy in the cache must not hide that this clone's own file is damaged.
#[test]
fn t40_a_check_of_one_clone_does_not_read_the_copies_of_the_other() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    let copied = vault.program.shell("cp -r vault clone").status().unwrap();
    assert!(copied.success());
    vault.run(&["ls", "latest"]).ok();
    vault.run(&["check", "-r", "./clone"]).ok();
    let script = r#"for file in clone/data/*/*; do printf X | dd of="$file" bs=1 seek=20 conv=notrunc status=none; done"#;
    assert!(
        vault
            .program
            .shell(&format!("chmod -R u+w clone; {script}"))
            .status()
            .unwrap()
            .success()
    );
    vault.run(&["check"]).ok();
    vault
        .run(&["check", "--read-data", "-r", "./clone"])
        .expect_code(21);
    vault.run(&["check", "-r", "./clone"]).expect_code(21);
}
