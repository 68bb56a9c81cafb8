//! `strongroom sign`, and what other commands do with signatures.

#![allow(clippy::unwrap_used)]

mod changes;
mod keys;
#[path = "../vault/mod.rs"]
mod vault;
mod verifying;

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
