//! What is found, and what commands do then.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::{VERIFY, another, backup, refused, signatures, signing, with_key};

#[test]
fn every_command_that_publishes_or_removes_signs() {
    let vault = with_key();
    let program = signing(&vault);
    let first = backup(&program);
    std::fs::write(program.home().join("source/one.txt"), "changed").unwrap();
    backup(&program);
    program.run(["tag", "--add", "kept", "latest"]).ok();
    program.run(["forget", "--trash", "1d", &first]).ok();
    program.run(["undelete", &first]).ok();
    program.run(["forget", &first]).ok();
    program.run(["pin", "latest"]).ok();
    program.run(["unpin", "latest"]).ok();
    let rewrite = ["rewrite", "--exclude", "two.txt", "--forget", "latest"];
    program.run(rewrite).ok();
    program.run(["prune"]).ok();
    let ran = vault.run(&[&VERIFY[..], &["--require-signatures", "check"]].concat());
    let text = ran.ok().stdout_text();
    assert!(text.contains("1 of 1 snapshot signed"), "{text}");
    // Two for each change in place: a publication and a removal.
    assert_eq!(signatures(&vault).len(), 2 + 2 + 3 + 4 + 2);
    // Nobody who does not ask is bothered, restic least of all.
    vault.run(&["check"]).ok();
    vault.restic().check_read_data();
    assert_eq!(vault.restic().snapshot_ids().len(), 1);

    // copy signs in the repository that it writes to.
    vault.run(&["-r", "second", "init"]).ok();
    let second = vault.path("second");
    let copying = signing(&vault)
        .env("STRONGROOM_FROM_PASSWORD", "try-me")
        .repository(&second);
    let from = vault.path("vault");
    copying
        .run(["copy", "--from-repo", from.to_str().unwrap()])
        .ok();
    let verify = [&["-r", "second"], &VERIFY[..], &["sign", "verify"]].concat();
    assert!(vault.run(&verify).ok().stdout_text().contains("1 of 1"));
}

/// The story of issue 208 of restic: whoever holds the storage deletes the newest snapshot.
#[test]
fn a_snapshot_that_somebody_removed_is_missed() {
    let vault = with_key();
    let program = signing(&vault);
    let old = backup(&program);
    let new = backup(&program);
    vault.restic().run(["forget", &new]).ok();
    refused(
        vault.run(&[&VERIFY[..], &["check"]].concat()),
        "is gone, and nobody with a key has removed it",
    );
    let json = [&VERIFY[..], &["--json", "sign", "verify"]].concat();
    let ran = vault.run(&json).expect_code(22);
    let finding = ran.json_message("signature_finding");
    assert_eq!(finding["finding"], "gone");
    assert_eq!(finding["severity"], "error");
    assert_eq!(finding["snapshot"], new);
    // What would pass for the newest is refused, before anything is written.
    let latest = [&VERIFY[..], &["restore", "latest", "-t", "out"]].concat();
    refused(vault.run(&latest), "is gone");
    assert!(!vault.path("out").exists());
    // What is signed can be had by its name, whatever happened to others.
    let named = ["--require-signatures", "restore", &old, "-t", "out"];
    let ran = vault.run(&[&VERIFY[..], &named].concat()).ok();
    assert!(ran.stderr_text().contains("is gone"), "{ran}");
    assert!(vault.path("out").exists());
    // The owner looks and accepts.
    program.run(["sign", "accept", "--dry-run"]).ok();
    vault
        .run(&[&VERIFY[..], &["check"]].concat())
        .expect_code(22);
    program.run(["sign", "accept"]).ok();
    vault.run(&[&VERIFY[..], &["check"]].concat()).ok();
}

/// A thief of the password plants a snapshot.
#[test]
fn what_nobody_signed_is_told_and_with_require_signatures_refused() {
    let vault = with_key();
    let program = signing(&vault);
    let signed = backup(&program);
    let planted = vault.backup();
    for command in [
        &["restore", &planted, "-t", "out"][..],
        &["dump", &planted, "/"],
        &["ls", &planted],
        &["find", "one.txt"],
        &["snapshots"],
        &["check"],
        &["sign", "verify"],
    ] {
        let strict = [&VERIFY[..], &["--require-signatures"], command].concat();
        refused(vault.run(&strict), "is not signed");
        assert!(!vault.path("out").exists());
    }
    let strict = another(&vault)
        .env("STRONGROOM_VERIFY_KEY_FILE", "public.pem")
        .env("STRONGROOM_REQUIRE_SIGNATURES", "1");
    refused(strict.run(["ls", "latest"]), "is not signed");
    strict.run(["ls", &signed]).ok();
    let lenient = vault.run(&[&VERIFY[..], &["restore", &planted, "-t", "out"]].concat());
    assert!(lenient.ok().stderr_text().contains("is not signed"));
    let lenient = vault.run(&[&VERIFY[..], &["check"]].concat());
    assert!(lenient.ok().stderr_text().contains("is not signed"));
    // Its own, from before the key, the owner can sign.
    let listed = program.run(["sign", "snapshots", "--dry-run"]).ok();
    assert!(listed.stderr_text().contains(&planted[..8]), "{listed}");
    program.run(["sign", "snapshots", &planted[..8]]).ok();
    strict.run(["ls", "latest"]).ok();
}

/// The storage put back to yesterday: consistent, and only a machine that has seen today notices.
#[test]
fn an_earlier_state_is_noticed_where_a_later_one_was_seen() {
    let vault = with_key();
    let program = signing(&vault);
    backup(&program);
    let copy = |from: &str, to: &str| {
        let mut command = Command::new("cp");
        let done = command.arg("-a").args([vault.path(from), vault.path(to)]);
        assert!(done.status().unwrap().success());
    };
    copy("vault", "yesterday");
    let verify = [&VERIFY[..], &["sign", "verify"]].concat();
    vault.run(&verify).ok();
    backup(&program);
    vault.run(&verify).ok();
    std::fs::remove_dir_all(vault.path("vault")).unwrap();
    copy("yesterday", "vault");
    refused(vault.run(&verify), "put back to an earlier state");
    // Told again, until it is accepted.
    refused(vault.run(&verify), "put back to an earlier state");
    let latest = [&VERIFY[..], &["restore", "latest", "-t", "out"]].concat();
    refused(vault.run(&latest), "put back to an earlier state");
    // The machine that signs has seen it, too: it goes on, and says so.
    let warned = program.run(["backup", "source"]).ok().stderr_text();
    assert!(warned.contains("earlier state"), "{warned}");
    refused(vault.run(&verify), "put back to an earlier state");
    refused(
        program.run(["sign", "verify"]),
        "put back to an earlier state",
    );
    program.run(["sign", "accept"]).ok();
    program.run(["sign", "verify"]).ok();
    // A machine that never saw it has nothing to say.
    let fresh = another(&vault);
    fresh.run(verify).ok();
}

#[test]
fn compacting_keeps_what_the_statements_said() {
    let vault = with_key();
    let program = signing(&vault);
    for _ in 0..4 {
        backup(&program);
    }
    let verify = [&VERIFY[..], &["sign", "verify"]].concat();
    vault.run(&verify).ok();
    program.run(["sign", "compact", "--dry-run"]).ok();
    assert_eq!(signatures(&vault).len(), 4);
    let silent = another(&vault).env("STRONGROOM_SIGN_KEY_FILE", "sign.pem");
    silent.run(["sign", "compact"]).expect_code(26);
    assert_eq!(signatures(&vault).len(), 4);
    program.run(["sign", "compact"]).ok();
    assert_eq!(signatures(&vault).len(), 1);
    let ran = vault.run(&verify).ok();
    assert!(
        ran.stdout_text()
            .contains("verified 1 statement: 4 of 4 snapshots signed"),
        "{ran}"
    );
    let nothing = program.run(["sign", "compact"]).ok();
    assert!(nothing.stdout_text().contains("nothing to compact"));
}

/// Every altered file is named; nothing is deleted by looking at it.
#[test]
fn bad_statements_are_named_and_left_alone() {
    let vault = with_key();
    let program = signing(&vault);
    backup(&program);
    backup(&program);
    let files = signatures(&vault);
    let name = files[0].file_name().unwrap().to_str().unwrap().to_owned();
    let whole = std::fs::read(&files[0]).unwrap();
    let text = String::from_utf8(whole.clone()).unwrap();
    for (content, words) in [
        (whole[..100].to_vec(), "cannot be read"),
        (Vec::new(), "cannot be read"),
        (
            text.replace("kind statement", "kind checkpoint")
                .into_bytes(),
            "is wrong",
        ),
        (vec![0xff; 17 << 20], "larger than"),
    ] {
        std::fs::set_permissions(&files[0], PermissionsExt::from_mode(0o600)).unwrap();
        std::fs::write(&files[0], content).unwrap();
        for command in [&["check"][..], &["sign", "verify"], &["ls", "latest"]] {
            let ran = vault.run(&[&VERIFY[..], command].concat()).expect_code(22);
            let said = ran.stdout_text() + &ran.stderr_text();
            assert!(
                said.contains(&name) && said.contains(words),
                "{words:?} is not in\n{ran}"
            );
            assert!(!said.contains("panicked"), "{ran}");
        }
        assert_eq!(signatures(&vault), files);
    }
    std::fs::write(&files[0], &whole).unwrap();
    vault.run(&[&VERIFY[..], &["check"]].concat()).ok();
    // A memory that is damaged is no empty memory.
    let memory = vault.path("state/signatures");
    let memory = std::fs::read_dir(memory)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    std::fs::write(&memory, "what?").unwrap();
    let ran = vault
        .run(&[&VERIFY[..], &["check"]].concat())
        .expect_code(1);
    assert!(
        ran.stderr_text().contains(memory.to_str().unwrap()),
        "{ran}"
    );
}

/// A snapshot that a thief of the password made to look like the last one: a backup that believed its list of unchanged
/// files would take over content that nobody has read, and sign it.
#[test]
fn a_backup_that_signs_compares_with_signed_snapshots_alone() {
    let vault = with_key();
    let sign = ["--sign-key", "sign.pem", "backup", "source"];
    vault.run(&sign).ok();
    let trusted = vault.run(&["snapshots", "--json"]).ok().json()[0].clone();
    let planted = vault.backup();
    let told = vault.run(&sign).ok().stderr_text();
    assert!(
        told.contains(trusted["short_id"].as_str().unwrap()),
        "{told}"
    );
    assert!(!told.contains(&planted[..8]), "{told}");
    // Who does not sign has no reason to be choosy.
    let told = vault.run(&["backup", "source"]).ok().stderr_text();
    assert!(told.contains("using parent snapshot"), "{told}");
}

/// A restore says who stands for what it restored.
#[test]
fn a_restore_says_whose_signature_it_has_verified() {
    let vault = with_key();
    let id = backup(&signing(&vault));
    let restore = [&VERIFY[..], &["restore", &id, "-t", "out"]].concat();
    let told = vault.run(&restore).ok().stderr_text();
    assert!(told.contains("is signed with key "), "{told}");
    let json = vault.run(&[&restore[..], &["--json"]].concat()).ok();
    let signatures = json.json_message("signatures");
    assert_eq!(signatures["signed"], true);
    assert_eq!(signatures["snapshot"], id);
    assert_eq!(signatures["findings"].as_array().unwrap().len(), 0);
    assert!(told.contains(&signatures["key"].as_str().unwrap()[..8]));
    let listed = [&VERIFY[..], &["-v", "sign", "verify"]].concat();
    let listed = vault.run(&listed).ok().stderr_text();
    assert!(listed.contains(&id[..8]), "{listed}");
}
