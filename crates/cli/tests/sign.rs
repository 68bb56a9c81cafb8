//! `strongroom sign`, and what other commands do with signatures.

#![allow(clippy::unwrap_used)]

mod vault;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use strongroom_testkit::{Ran, Strongroom, strongroom};
use vault::Vault;

/// A vault and a key: `sign.pem` signs, `public.pem` verifies.
fn with_key() -> Vault {
    let vault = Vault::new(strongroom!());
    generate(&vault, "sign.pem", "public.pem");
    vault
}

fn generate(vault: &Vault, private: &str, public: &str) {
    let made = vault.run(&["sign", "generate-key", "--out", private]).ok();
    std::fs::write(vault.path(public), made.stdout).unwrap();
}

/// The vault's program with the key that signs.
fn signing(vault: &Vault) -> Strongroom {
    another(vault)
        .env("STRONGROOM_SIGN_KEY_FILE", "sign.pem")
        .env("STRONGROOM_YES", "1")
}

/// The vault's program as another machine's: same repository, a memory of its own.
fn another(vault: &Vault) -> Strongroom {
    let other = strongroom!()
        .repository(vault.path("vault"))
        .password("try-me")
        .env("TZ", "UTC");
    for file in ["sign.pem", "public.pem"] {
        if vault.path(file).exists() {
            std::fs::copy(vault.path(file), other.home().join(file)).unwrap();
        }
    }
    let copied = Command::new("cp")
        .arg("-a")
        .arg(vault.path("source"))
        .arg(other.home())
        .status();
    assert!(copied.unwrap().success());
    other
}

fn backup(program: &Strongroom) -> String {
    let ran = program.run(["backup", "--json", "--force", "source"]).ok();
    let id = ran.json_message("summary")["snapshot_id"].clone();
    id.as_str().unwrap().to_owned()
}

fn signatures(vault: &Vault) -> Vec<PathBuf> {
    let files = std::fs::read_dir(vault.path("vault/strongroom/signatures"));
    let mut files: Vec<PathBuf> = files.unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[track_caller]
fn refused(ran: Ran, words: &str) {
    let ran = ran.expect_code(22);
    assert!(
        ran.stderr_text().contains(words),
        "{words:?} is not in\n{ran}"
    );
}

const VERIFY: [&str; 2] = ["--verify-key", "public.pem"];

#[test]
fn every_command_that_publishes_or_removes_signs() {
    let vault = with_key();
    let program = signing(&vault);
    let first = backup(&program);
    std::fs::write(program.home().join("source/one.txt"), "changed").unwrap();
    backup(&program);
    program.run(["tag", "--add", "kept", "latest"]).ok();
    program.run(["forget", &first]).ok();
    program.run(["prune"]).ok();
    let ran = vault.run(&[&VERIFY[..], &["--require-signatures", "check"]].concat());
    let text = ran.ok().stdout_text();
    assert!(text.contains("1 of 1 snapshot signed"), "{text}");
    assert_eq!(signatures(&vault).len(), 5);
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

/// Without us: OpenSSL makes the key, and verifies what was signed.
#[test]
fn openssl_makes_keys_and_verifies_statements() {
    let vault = Vault::new(strongroom!());
    let program = vault.program.shell(
        "set -e\n\
         umask 077\n\
         openssl genpkey -algorithm ed25519 -out sign.pem\n\
         openssl pkey -in sign.pem -pubout -out public.pem\n\
         strongroom --sign-key sign.pem backup source\n\
         strongroom --verify-key public.pem --require-signatures check\n\
         for file in vault/strongroom/signatures/*; do\n\
         head -n -1 \"$file\" > message\n\
         tail -n 1 \"$file\" | cut -d ' ' -f 2 | base64 -d > signature\n\
         openssl pkeyutl -verify -pubin -inkey public.pem -rawin -in message -sigfile signature\n\
         test \"$(basename \"$file\" | cut -d - -f 2)\" = \"$(sha256sum < \"$file\" | cut -d ' ' -f 1)\"\n\
         id=$(openssl pkey -pubin -in public.pem -outform DER | sha256sum | cut -d ' ' -f 1)\n\
         grep -q \"^key ed25519 $id$\" \"$file\"\n\
         done\n\
         strongroom sign generate-key --out ours.pem > ours-public.pem\n\
         openssl pkey -in ours.pem -pubout | cmp - ours-public.pem\n\
         cp message altered; echo >> altered\n\
         ! openssl pkeyutl -verify -pubin -inkey public.pem -rawin -in altered -sigfile signature\n",
    );
    let mut program = program;
    let ran = Ran::run(&mut program, b"").ok();
    assert!(
        ran.stdout_text()
            .contains("Signature Verified Successfully"),
        "{ran}"
    );
}

/// The simple form: one shared key, which OpenSSL takes as well.
#[test]
fn a_shared_key_signs_and_verifies() {
    let vault = Vault::new(strongroom!());
    let made = vault
        .run(&["sign", "generate-key", "--hmac", "--out", "shared.key"])
        .ok();
    assert!(made.stdout.is_empty(), "a secret is shown\n{made}");
    let mut script = vault.program.shell(
        "set -e\n\
         strongroom --sign-key shared.key backup source\n\
         strongroom --verify-key shared.key --require-signatures check\n\
         key=$(grep -v -e ----- shared.key | base64 -d | od -An -v -tx1 | tr -d ' \\n')\n\
         file=$(ls vault/strongroom/signatures/*)\n\
         head -n -1 \"$file\" | openssl dgst -sha256 -mac HMAC -macopt hexkey:$key -binary | base64 > computed\n\
         tail -n 1 \"$file\" | cut -d ' ' -f 2 | cmp - computed\n",
    );
    Ran::run(&mut script, b"").ok();
    let other = vault.run(&["sign", "generate-key", "--hmac", "--out", "other.key"]);
    other.ok();
    refused(
        vault.run(&["--verify-key", "other.key", "check"]),
        "none was made with a key that was given",
    );
}

#[test]
fn wrong_keys_are_refused_with_what_is_wrong() {
    let vault = with_key();
    let program = signing(&vault);
    backup(&program);
    generate(&vault, "other.pem", "other-public.pem");
    refused(
        vault.run(&["--verify-key", "other-public.pem", "check"]),
        "none was made with a key that was given",
    );
    let restore = [
        "--verify-key",
        "other-public.pem",
        "restore",
        "latest",
        "-t",
        "out",
    ];
    refused(
        vault.run(&restore),
        "none was made with a key that was given",
    );
    assert!(!vault.path("out").exists());
    // Both are fine, in one file or in two.
    let both = [&VERIFY[..], &["--verify-key", "other-public.pem", "check"]].concat();
    vault.run(&both).ok();
    let joined =
        ["public.pem", "other-public.pem"].map(|file| std::fs::read(vault.path(file)).unwrap());
    std::fs::write(vault.path("keys.pem"), joined.concat()).unwrap();
    vault.run(&["--verify-key", "keys.pem", "check"]).ok();

    let told = |args: &[&str], words: &str| {
        let ran = vault.run(args).expect_code(2);
        assert!(
            ran.stderr_text().contains(words),
            "{words:?} is not in\n{ran}"
        );
    };
    told(
        &["--sign-key", "public.pem", "backup", "source"],
        "verifies and does not sign",
    );
    told(
        &["--sign-key", "source/one.txt", "backup", "source"],
        "not a PEM file",
    );
    told(&["--sign-key", "missing", "backup", "source"], "missing");
    told(&["--verify-key", "vault/config", "check"], "not a");
    told(&["--require-signatures", "check"], "no key to verify");
    told(&["sign", "verify"], "no key to verify");
    told(&["sign", "accept"], "no key to sign");
    std::fs::set_permissions(vault.path("sign.pem"), PermissionsExt::from_mode(0o640)).unwrap();
    told(&["--sign-key", "sign.pem", "backup", "source"], "mode 640");
    // A key that cannot be read is in nobody's way who only reads.
    let reading = another(&vault).env("STRONGROOM_SIGN_KEY_FILE", "missing");
    reading.run(["restore", "latest", "-t", "out"]).ok();
    // An existing key is not overwritten.
    let before = std::fs::read(vault.path("sign.pem")).unwrap();
    vault
        .run(&["sign", "generate-key", "--out", "sign.pem"])
        .expect_code(26);
    assert_eq!(std::fs::read(vault.path("sign.pem")).unwrap(), before);
}

/// A key in a log is a key of whoever reads the log.
#[test]
fn no_secret_is_ever_shown() {
    let vault = with_key();
    vault
        .run(&["sign", "generate-key", "--hmac", "--out", "shared.key"])
        .ok();
    let mut secrets = Vec::new();
    for file in ["sign.pem", "shared.key"] {
        let text = std::fs::read_to_string(vault.path(file)).unwrap();
        let mode = std::fs::metadata(vault.path(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let line = text.lines().nth(1).unwrap();
        // The end is the secret; the beginning of a private key is the same in all.
        secrets.push(line[line.len() - 24..].to_owned());
    }
    let text = std::fs::read_to_string(vault.path("sign.pem")).unwrap();
    let broken = text.replace("BEGIN PRIVATE", "BEGIN PRIVATF");
    let by_value = |text: &str| another(&vault).env("STRONGROOM_SIGN_KEY", text);
    let raw = by_value(text.lines().nth(1).unwrap());
    let mut seen = vec![
        vault
            .run(&["--sign-key", "sign.pem", "-vv", "backup", "source"])
            .ok(),
        by_value(&text).run(["backup", "source", "--json"]).ok(),
        by_value(&broken).run(["backup", "source"]).expect_code(2),
        raw.run(["backup", "source", "--json"]).expect_code(2),
        vault.run(&[
            "--sign-key",
            "shared.key",
            "-vv",
            "sign",
            "snapshots",
            "--json",
        ]),
        vault.run(&["--verify-key", "shared.key", "-vv", "sign", "verify"]),
        vault
            .run(&["--verify-key", "sign.pem", "-vv", "sign", "verify"])
            .ok(),
    ];
    let made = ["sign", "generate-key", "--out", "third.pem", "--json"];
    let made = vault.run(&made).ok();
    let third = std::fs::read_to_string(vault.path("third.pem")).unwrap();
    let line = third.lines().nth(1).unwrap();
    secrets.push(line[line.len() - 24..].to_owned());
    assert!(made.json_message("signing_key")["public_key"].is_string());
    seen.push(made);
    for ran in &seen {
        for secret in &secrets {
            assert!(!format!("{ran}").contains(secret), "a secret is shown");
        }
    }
    // Nor does one lie in the repository or in the memory.
    for secret in &secrets {
        let found = Command::new("grep")
            .args(["-r", "-l", "-F", secret])
            .args([vault.path("vault"), vault.path("state")])
            .output()
            .unwrap();
        assert!(found.stdout.is_empty(), "{found:?}");
    }
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
