//! Everything goes well.

use strongroom_testkit::servers::OurRest;
use strongroom_testkit::{CompareOptions, Random, Restic, assert_same_trees};

use crate::{assert_outcomes, backup_with, make, of, places, restic};

/// Every destination is a repository of its own that restores without the others, and restic agrees.
#[test]
fn two_folders_and_an_append_only_server_get_all_of_it_and_each_restores() {
    let vault = places();
    let server = OurRest::start(|settings| settings.append_only = true);
    let address = server.url("ada/laptop");
    let all = ["a", "b", &*address];
    std::fs::write(vault.path("source/large"), Random::new(7).bytes(9 << 20)).unwrap();
    let source = vault.path("source");
    let source = source.to_str().unwrap();
    let first = backup_with(&vault, &all, &["--init", source]).ok();
    assert_outcomes(&first, &["success"; 3]);
    assert_eq!(of(&first, 0)["primary"], true);
    for number in 1..3 {
        assert_eq!(of(&first, number)["primary"], false);
        assert!(of(&first, number)["snapshot_id"].is_string());
        assert!(of(&first, number)["data_added"].as_u64().unwrap() > 9 << 20);
    }
    std::fs::write(vault.path("source/one.txt"), "changed\n").unwrap();
    let second = backup_with(&vault, &all, &[source]).ok();
    assert_outcomes(&second, &["success"; 3]);
    for number in 0..3 {
        assert_eq!(of(&second, number)["caught_up"], 0);
        let added = of(&second, number)["data_added"].as_u64().unwrap();
        assert!(added < 1 << 20, "what is there was sent again: {added}");
    }
    // No order of the repositories makes a difference to what is in them.
    let options = CompareOptions {
        root: false,
        ..CompareOptions::default()
    };
    let mut polynomials = Vec::new();
    for (number, place) in all.iter().enumerate() {
        let there = Restic::new(vault.path(place).to_str().unwrap(), "try-me");
        let there = match place.starts_with("rest:") {
            true => Restic::new(*place, "try-me"),
            false => there,
        };
        there.check_read_data();
        assert_eq!(there.snapshot_ids().len(), 2, "{place}");
        assert_eq!(there.list("locks"), [""; 0], "{place}");
        let target = format!("out-{number}");
        let latest = format!("latest:{source}");
        vault
            .run(&["-r", place, "restore", &latest, "--target", &target])
            .ok();
        assert_same_trees(&vault.path("source"), &vault.path(&target), &options);
        let config = vault.run(&["-r", place, "cat", "config"]).ok().json();
        polynomials.push(config["chunker_polynomial"].clone());
    }
    assert!(
        polynomials.iter().all(|one| *one == polynomials[0]),
        "copies would share nothing"
    );
}

#[test]
fn one_that_cuts_files_in_another_way_gets_it_too_with_a_warning() {
    let vault = places();
    make(&vault, "a", "try-me");
    make(&vault, "b", "try-me");
    let ran = crate::backup(&vault, &["a", "b"]).ok();
    assert!(
        ran.stderr_text().contains("cuts files at other places"),
        "{ran}"
    );
    restic(&vault, "b").check_read_data();
    assert_eq!(restic(&vault, "b").snapshot_ids().len(), 1);
}

#[test]
fn a_dry_run_says_what_would_go_where_and_stores_nothing() {
    let vault = places();
    make(&vault, "a", "try-me");
    crate::backup(&vault, &["a"]).ok();
    make(&vault, "b", "try-me");
    let before = (
        crate::moment::files(&vault.path("a")),
        crate::moment::files(&vault.path("b")),
    );
    let dry = backup_with(&vault, &["a", "b"], &["--dry-run", "source"]).ok();
    assert_eq!(of(&dry, 1)["caught_up"], 1, "{dry}");
    let text = vault
        .run(&["-r", "a", "-r", "b", "backup", "--dry-run", "source"])
        .ok();
    assert!(text.stdout_text().contains("would get it"), "{text}");
    let after = (
        crate::moment::files(&vault.path("a")),
        crate::moment::files(&vault.path("b")),
    );
    assert_eq!(before, after);
}

/// A second destination that is made later must cut files as the first does.
#[test]
fn init_makes_what_is_missing_and_all_cut_files_alike() {
    let vault = places();
    vault.run(&["-r", "a", "-r", "b", "init"]).ok();
    vault.run(&["-r", "a", "-r", "b", "init"]).expect_code(1);
    vault.run(&["-r", "c", "-r", "b", "init"]).ok();
    let config = |name: &str| {
        let config = vault.run(&["-r", name, "cat", "config"]).ok().json();
        (config["id"].clone(), config["chunker_polynomial"].clone())
    };
    let [a, b, c] = ["a", "b", "c"].map(config);
    assert!(a.1 == b.1 && b.1 == c.1);
    assert!(a.0 != b.0 && b.0 != c.0);
    std::fs::write(vault.path("file"), "in the way").unwrap();
    vault
        .run(&["-r", "file/x", "-r", "d", "init"])
        .expect_code(1);
    assert!(
        config("d").1.is_string(),
        "one that cannot be made keeps none of the others"
    );
}
