//! The contract of docs/exit-codes.md: each code by at least one real command (T-28).

#![allow(clippy::unwrap_used)]

mod vault;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use strongroom_testkit::{Ran, SmallDisk, strongroom};
use vault::Vault;

/// What this version cannot come to, with the reason.
const UNREACHABLE: [(i32, &str); 2] = [
    (
        23,
        "the one kind of storage is a local directory, which cannot be out of reach",
    ),
    (28, "no operation on a local directory has a time-out"),
];

/// The numbers of the table.
fn documented() -> BTreeSet<i32> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/exit-codes.md");
    let text = std::fs::read_to_string(path).unwrap();
    let number = |line: &str| line.split('|').nth(1)?.trim().parse().ok();
    text.lines().filter_map(number).collect()
}

/// A lock as restic leaves it when it is killed on another machine: nobody can tell whether it still runs.
fn lock_of_a_dead_restic(vault: &Vault) {
    let restic = vault.restic();
    let mut command = restic.command(["backup", "--stdin", "--no-cache"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while vault.run(&["list", "locks"]).ok().stdout.is_empty() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

fn remove_packs(vault: &Vault) {
    std::fs::remove_dir_all(vault.path("vault/data")).unwrap();
}

/// Presses Ctrl-C on a backup that waits for its input.
fn interrupted(vault: &Vault) -> Ran {
    let mut child = vault.program.spawn(["backup", "--stdin"]);
    let stdin = child.stdin.take();
    while std::fs::read_dir(vault.path("vault/locks"))
        .unwrap()
        .count()
        == 0
    {
        std::thread::yield_now();
    }
    let pid = child.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-INT", &pid])
        .status();
    assert!(sent.unwrap().success());
    let ended = child.wait_with_output().unwrap();
    drop(stdin);
    Ran::from_output("strongroom backup --stdin", ended)
}

/// A repository that belongs to another user.
fn not_authorised(vault: &Vault) -> Option<Ran> {
    use std::os::unix::fs::PermissionsExt;
    if std::os::unix::fs::chown(vault.path("vault"), Some(65_533), None).is_err() {
        return None;
    }
    let executable = vault.path("strongroom");
    std::fs::copy(env!("CARGO_BIN_EXE_strongroom"), &executable).unwrap();
    std::fs::set_permissions(vault.program.home(), PermissionsExt::from_mode(0o755)).unwrap();
    let template = vault.program.command(["snapshots"]);
    let mut command = std::process::Command::new(executable);
    command.arg("snapshots").env_clear();
    command.envs(template.get_envs().filter_map(|(k, v)| Some((k, v?))));
    command.current_dir(vault.program.home());
    command.uid(65_534).gid(65_534);
    Some(Ran::run(&mut command, b""))
}

#[test]
fn t28_every_documented_code_is_what_a_command_ends_with() {
    let vault = Vault::without_repository(strongroom!());
    let seen = RefCell::new(BTreeSet::new());
    let ends = |ran: Ran, code: i32| {
        let ran = ran.expect_code(code);
        if code != 0 {
            let text = ran.stderr_text();
            assert!(text.contains("error: "), "nothing is said\n{ran}");
        }
        seen.borrow_mut().insert(code);
    };
    ends(vault.run(&["snapshots"]), 10);
    ends(vault.run(&["init"]), 0);
    ends(vault.run(&["init"]), 1);
    ends(vault.run(&["backup"]), 2);
    ends(vault.run(&["backup", "source", "missing"]), 3);
    ends(vault.run(&["backup", "missing"]), 27);
    ends(vault.run(&["forget", "latest"]), 26);
    let other = strongroom!()
        .repository(vault.path("vault"))
        .password("wrong");
    ends(other.run(["snapshots"]), 12);
    ends(interrupted(&vault), 130);
    let key = ["sign", "generate-key", "--hmac", "--out", "shared.key"];
    ends(vault.run(&key), 0);
    let required = ["--verify-key", "shared.key", "--require-signatures"];
    ends(vault.run(&[&required[..], &["ls", "latest"]].concat()), 22);
    if let Some(disk) = SmallDisk::new(1 << 20) {
        std::fs::write(vault.path("source/large"), vec![7; 4 << 20]).unwrap();
        vault.run(&["backup", "source"]).ok();
        let out = disk.path().join("out");
        ends(
            vault.run(&["restore", "latest", "-t", out.to_str().unwrap()]),
            25,
        );
        disk.make_read_only();
        let init = vault.program.run([
            "-r".as_ref(),
            disk.path().join("vault").as_os_str(),
            "init".as_ref(),
        ]);
        ends(init, 24);
        let ran = not_authorised(&vault).unwrap();
        ends(ran, 24);
        // Something is in the way of what is restored, and this user may not make it otherwise.
        std::fs::remove_file(vault.path("source/large")).unwrap();
        vault.run(&["backup", "source"]).ok();
        std::fs::create_dir_all(vault.path("out")).unwrap();
        let mount = |args: &[&str]| {
            let done = std::process::Command::new(args[0])
                .args(&args[1..])
                .status();
            assert!(done.unwrap().success(), "{args:?}");
        };
        let blocked = vault.path("out/source/folder");
        std::fs::create_dir_all(&blocked).unwrap();
        let blocked = blocked.to_str().unwrap();
        mount(&["mount", "-t", "tmpfs", "-o", "ro", "none", blocked]);
        let partial = vault.run(&["restore", "latest", "-t", "out"]);
        mount(&["umount", blocked]);
        ends(partial, 20);
    } else {
        // Only root can make the disks that these need.
        seen.borrow_mut().extend([20, 24, 25]);
    }
    lock_of_a_dead_restic(&vault);
    ends(vault.run(&["prune", "--yes"]), 11);
    remove_packs(&vault);
    ends(vault.run(&["check"]), 21);

    let mut seen = seen.into_inner();
    let unreachable = UNREACHABLE.iter().map(|(code, _)| *code);
    assert!(unreachable.clone().all(|code| !seen.contains(&code)));
    seen.extend(unreachable);
    assert_eq!(seen, documented(), "the table and what commands do");
}
