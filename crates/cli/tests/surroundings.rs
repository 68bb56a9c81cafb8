//! Repositories, disks and targets that are not as they should be, through the executable.

#![allow(clippy::unwrap_used)]

mod vault;

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use strongroom_testkit::{
    CompareOptions, Ran, Random, SmallDisk, Strongroom, assert_same_trees, strongroom,
};
use vault::Vault;

/// The files of a folder of the repository, the largest first.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort_by_key(|path| std::cmp::Reverse(std::fs::metadata(path).unwrap().len()));
    found
}

/// An error that a person can use: the code, no panic, the words.
#[track_caller]
fn told(ran: Ran, code: i32, words: &[&str]) {
    let ran = ran.expect_code(code);
    let text = ran.stdout_text() + &ran.stderr_text();
    assert!(
        text.contains("error: ") && !text.contains("panicked"),
        "{ran}"
    );
    for word in words {
        assert!(text.contains(word), "{word:?} is not in\n{ran}");
    }
}

fn short(path: &Path) -> String {
    let name = path.file_name().unwrap().to_str().unwrap();
    name.chars().take(8).collect()
}

#[test]
fn what_is_no_repository_is_called_that() {
    let vault = Vault::without_repository(strongroom!());
    std::fs::create_dir(vault.path("empty")).unwrap();
    for place in ["missing", "empty", "source", "source/one.txt"] {
        for command in [
            &["snapshots"][..],
            &["backup", "source"],
            &["restore", "latest", "-t", "out"],
        ] {
            let ran = vault.program.run([&["-r", place], command].concat());
            told(
                ran,
                10,
                &["there is no repository", place, "strongroom init"],
            );
        }
    }
    assert!(!vault.path("missing").exists() && !vault.path("out").exists());
    let onto_a_file = vault
        .program
        .run(["-r", "source/one.txt", "backup", "--init", "source"]);
    told(onto_a_file, 1, &["source/one.txt"]);
    let nonsense = [("s3:bucket", "s3"), ("nfs:/x", "nfs"), ("", "/srv/backup")];
    for (address, word) in nonsense {
        told(
            vault.program.run(["-r", address, "snapshots"]),
            2,
            &["address", word],
        );
    }
    let other = strongroom!()
        .repository(vault.path("vault"))
        .password("wrong");
    vault.run(&["init"]).ok();
    told(other.run(["snapshots"]), 12, &["password"]);
}

/// What a bad disk does to packs: found by `check`, an error for whoever needs it, and no wrong content is restored.
#[test]
fn t38_a_damaged_pack_is_named_and_its_content_is_never_restored() {
    let vault = Vault::new(strongroom!());
    let content = Random::new(1).bytes(100_000);
    std::fs::write(vault.path("source/large"), &content).unwrap();
    vault.backup();
    for path in &files(&vault.path("vault/data")) {
        let whole = std::fs::read(path).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 3] ^= 0x10;
        let truncated = whole[..whole.len() * 2 / 3].to_vec();
        for bytes in [flipped, truncated] {
            std::fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
            std::fs::write(path, &bytes).unwrap();
            let name = short(path);
            told(vault.run(&["check", "--read-data"]), 21, &[&name, "hint: "]);
            std::fs::create_dir(vault.path("out")).unwrap();
            let restored = vault.run(&["restore", "latest", "-t", "out"]);
            let text = restored.stderr_text();
            assert!([0, 20, 21].contains(&restored.code), "{restored}");
            assert!(!text.contains("panicked"), "{restored}");
            // Nothing that is damaged lies there under its name; what is called whole is there. (A restore needs neither
            // the header of a pack nor what lies between blobs.)
            match std::fs::read(vault.path("out/source/large")) {
                Ok(bytes) => assert!(bytes == content, "{restored}"),
                Err(_) => assert_ne!(restored.code, 0, "{restored}"),
            }
            std::fs::remove_dir_all(vault.path("out")).unwrap();
        }
        std::fs::write(path, whole).unwrap();
    }
    vault.run(&["check", "--read-data"]).ok();
}

/// Somebody who follows the advice of `check` has to get what it promises.
#[test]
fn what_check_advises_about_a_lost_pack_brings_the_data_back() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    for pack in files(&vault.path("vault/data")) {
        std::fs::remove_file(pack).unwrap();
    }
    told(
        vault.run(&["check"]),
        21,
        &["`strongroom repair index`", "a new backup"],
    );
    // 21: no pack has what is lost.
    told(vault.run(&["repair", "index", "--yes"]), 21, &["lost"]);
    vault.run(&["backup", "source"]).ok();
    vault.run(&["check", "--read-data"]).ok();
    vault.run(&["restore", "latest", "-t", "out"]).ok();
    assert!(vault.path("out/source/folder/two.txt").exists());
}

#[test]
fn t19_a_disk_that_is_full_ends_the_backup_and_loses_nothing() {
    let Some(disk) = SmallDisk::new(8 << 20) else {
        return;
    };
    let vault = Vault::without_repository(strongroom!());
    let at = disk.path().join("vault");
    let at = at.to_str().unwrap();
    let run = |args: &[&str]| vault.program.run([&["-r", at], args].concat());
    run(&["backup", "--init", "source"]).ok();
    std::fs::write(vault.path("source/large"), Random::new(2).bytes(3_000_000)).unwrap();
    let filler = disk.fill(600_000);
    told(run(&["backup", "source"]), 25, &["space", "hint: "]);
    // What reads works meanwhile, and says nothing of damage.
    run(&["snapshots", "--no-lock"]).ok();
    run(&["restore", "latest", "-t", "out", "--no-lock"]).ok();
    std::fs::remove_file(filler).unwrap();
    run(&["check", "--read-data"]).ok();
    run(&["backup", "source"]).ok();
    let restic = strongroom_testkit::Restic::new(at, "try-me");
    assert_eq!(restic.snapshot_ids().len(), 2);
    restic.check_read_data();
}

/// The disk of the target fills up after more and more of the restore: what has a name is whole, and when there is room
/// again the next restore makes the rest.
#[test]
fn t19_t29_a_target_that_fills_up_at_any_moment_has_whole_files_and_is_completed() {
    let Some(disk) = SmallDisk::new(4 << 20) else {
        return;
    };
    let vault = Vault::new(strongroom!());
    for n in 0..20 {
        let content = Random::new(n).bytes(60_000);
        std::fs::write(vault.path(&format!("source/{n}")), content).unwrap();
    }
    vault.backup();
    let out = disk.path().join("out");
    let to = out.to_str().unwrap();
    let restore = ["restore", "latest", "-t", to, "--no-space-check", "--yes"];
    for leave_bytes in [0, 20_000, 150_000, 500_000, 900_000, 1_100_000] {
        std::fs::create_dir(&out).unwrap();
        let filler = disk.fill(leave_bytes);
        let ran = vault.run(&restore);
        assert!([20, 25].contains(&ran.code), "{leave_bytes}: {ran}");
        assert!(ran.stderr_text().contains("space"), "{leave_bytes}: {ran}");
        let source = vault.path("source");
        let mut whole = 0;
        for n in 0..20 {
            if let Ok(content) = std::fs::read(out.join(format!("source/{n}"))) {
                assert!(
                    content == std::fs::read(source.join(n.to_string())).unwrap(),
                    "{n}"
                );
                whole += 1;
            }
        }
        assert!(whole < 20, "{leave_bytes}: the disk was not full");
        std::fs::remove_file(filler).unwrap();
        vault.run(&restore).ok();
        assert_same_trees(&source, &out.join("source"), &CompareOptions::default());
        std::fs::remove_dir_all(&out).unwrap();
    }
}

/// The disk of the cache fills up after more and more of the work: nobody notices but by its slowness.
#[test]
fn t19_t22_a_cache_that_fills_up_at_any_moment_changes_no_result() {
    let Some(disk) = SmallDisk::new(1 << 20) else {
        return;
    };
    let vault = Vault::new(strongroom!());
    let cache = disk.path().join("cache");
    for (n, leave_bytes) in [0, 4096, 9000, 20_000, 60_000].into_iter().enumerate() {
        std::fs::write(vault.path(&format!("source/new{n}")), n.to_string()).unwrap();
        let filler = disk.fill(leave_bytes);
        let target = vault.path(&format!("out{n}"));
        let to = target.to_str().unwrap();
        for command in [
            &["backup", "source"][..],
            &["check", "--read-data"],
            &["restore", "latest", "-t", to],
        ] {
            vault
                .run(&[command, &["--cache-dir", cache.to_str().unwrap()]].concat())
                .ok();
        }
        assert_same_trees(
            &vault.path("source"),
            &target.join("source"),
            &CompareOptions::default(),
        );
        std::fs::remove_file(filler).unwrap();
        std::fs::remove_dir_all(&cache).ok();
    }
    vault.restic().check_read_data();
}

#[test]
fn a_target_that_is_full_is_told_before_and_while_it_fills() {
    let Some(disk) = SmallDisk::new(2 << 20) else {
        return;
    };
    let vault = Vault::new(strongroom!());
    std::fs::write(vault.path("source/large"), Random::new(3).bytes(4_000_000)).unwrap();
    vault.backup();
    let out = disk.path().join("out");
    let out = out.to_str().unwrap();
    told(
        vault.run(&["restore", "latest", "-t", out]),
        25,
        // Whoever looked for room in the repository would delete backups.
        &["space", "hint: free some space there, or restore to"],
    );
    assert!(!Path::new(out).join("source").exists());
    let anyway = vault.run(&["restore", "latest", "-t", out, "--no-space-check"]);
    assert!([20, 25].contains(&anyway.code), "{anyway}");
    assert!(anyway.stderr_text().contains("space"), "{anyway}");
    assert!(
        !Path::new(out).join("source/large").exists(),
        "half a file under its name\n{anyway}"
    );
}

#[test]
fn a_storage_that_can_only_be_read_is_read() {
    let Some(disk) = SmallDisk::new(4 << 20) else {
        return;
    };
    let vault = Vault::without_repository(strongroom!());
    let at = disk.path().join("vault");
    let at = at.to_str().unwrap();
    let run = |args: &[&str]| vault.program.run([&["-r", at], args].concat());
    run(&["backup", "--init", "source"]).ok();
    disk.make_read_only();
    told(run(&["backup", "source"]), 24, &["hint: "]);
    told(run(&["forget", "--keep-last", "1", "--yes"]), 24, &["lock"]);
    for reading in [
        &["snapshots"][..],
        &["ls", "latest"],
        &["check", "--read-data"],
        &["restore", "latest", "-t", "out"],
        &["backup", "--dry-run", "source"],
        &["prune", "--dry-run"],
    ] {
        run(reading).ok();
    }
    let elsewhere = disk.path().join("out");
    let refused = vault.program.run([
        "-r",
        at,
        "restore",
        "latest",
        "-t",
        elsewhere.to_str().unwrap(),
    ]);
    assert!([1, 24].contains(&refused.code), "{refused}");
    disk.make_writable();
    run(&["check"]).ok();
}

/// The executable run by nobody, who may not do what root may.
fn as_nobody(program: &Strongroom, args: &[&str]) -> Option<Ran> {
    use std::os::unix::process::CommandExt;
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    // Where Cargo built it others may not look.
    let copy = program.home().join("strongroom");
    if !copy.exists() {
        std::fs::copy(env!("CARGO_BIN_EXE_strongroom"), &copy).unwrap();
        std::fs::set_permissions(program.home(), Permissions::from_mode(0o755)).unwrap();
    }
    let made = program.command(args);
    let mut command = std::process::Command::new(copy);
    command.args(args).env_clear();
    command.envs(made.get_envs().filter_map(|(k, v)| Some((k, v?))));
    command.current_dir(program.home()).uid(65_534).gid(65_534);
    Some(Ran::run(&mut command, b""))
}

#[test]
fn t28_what_this_user_may_not_read_or_write_is_told() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    let lock = |path: &str, mode: u32| {
        std::fs::set_permissions(vault.path(path), Permissions::from_mode(mode)).unwrap();
    };
    lock("source/folder", 0o700);
    let nobody = |args: &[&str]| as_nobody(&vault.program, args);
    let Some(no_repository) = nobody(&["snapshots"]) else {
        return;
    };
    // Ours is readable to its owner alone.
    told(no_repository, 24, &["vault", "hint: "]);
    let own = vault.path("own");
    std::fs::create_dir(&own).unwrap();
    std::os::unix::fs::chown(&own, Some(65_534), Some(65_534)).unwrap();
    nobody(&["-r", "own/vault", "init"]).unwrap().ok();
    told(
        nobody(&["-r", "own/vault", "backup", "source"]).unwrap(),
        3,
        &["/source/folder", "incomplete"],
    );
    told(
        nobody(&["-r", "own/vault", "backup", "source/folder/two.txt"]).unwrap(),
        3,
        &["two.txt", "incomplete"],
    );
    std::fs::create_dir(vault.path("closed")).unwrap();
    told(
        nobody(&["-r", "own/vault", "restore", "latest", "-t", "closed"]).unwrap(),
        20,
        &["ermission"],
    );
    told(
        nobody(&["-r", "own/vault", "restore", "latest", "-t", "closed/below"]).unwrap(),
        1,
        &["ermission", "closed/below"],
    );
    assert_eq!(std::fs::read_dir(vault.path("closed")).unwrap().count(), 0);
}

#[test]
fn a_target_that_is_a_file_is_left_as_it_is() {
    let vault = Vault::new(strongroom!());
    vault.backup();
    std::fs::write(vault.path("file"), "precious").unwrap();
    std::os::unix::fs::symlink("file", vault.path("to-file")).unwrap();
    for target in ["file", "file/below", "to-file"] {
        let ran = vault.run(&["restore", "latest", "-t", target, "--yes", "--delete"]);
        told(ran, 1, &[target, "ot a directory"]);
    }
    assert_eq!(
        std::fs::read_to_string(vault.path("file")).unwrap(),
        "precious"
    );
}

#[test]
fn a_mistyped_path_is_named_as_it_was_given() {
    let vault = Vault::new(strongroom!());
    let absolute = vault.path("mistyped");
    let absolute = absolute.to_str().unwrap();
    for given in ["mistyped", "./mistyped", absolute] {
        told(
            vault.run(&["backup", "source", given]),
            3,
            &[absolute, "does not exist"],
        );
        told(vault.run(&["backup", given]), 27, &[given, "no snapshot"]);
    }
}
