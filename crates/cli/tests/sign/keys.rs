//! Keys: made, read, wrong ones, and that no secret is shown.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use strongroom_testkit::{Ran, strongroom};

use crate::vault::Vault;
use crate::{VERIFY, another, backup, generate, refused, signing, with_key};

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
