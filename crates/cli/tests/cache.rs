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
