//! With `--require-signatures` nothing is shown that was not verified.

use strongroom_testkit::strongroom;

use crate::mounted::{Mounted, names};
use crate::vault::Vault;

const STRICT: [&str; 5] = [
    "--require-signatures",
    "--verify-key",
    "public.pem",
    "--reload-every",
    "0",
];

/// Somebody who can write to the storage, and has the password, adds a snapshot while the repository is mounted.
#[test]
fn t39_what_appears_later_without_a_signature_is_not_shown() {
    let vault = Vault::new(strongroom!());
    let made = vault
        .run(&["sign", "generate-key", "--out", "sign.pem"])
        .ok();
    std::fs::write(vault.path("public.pem"), made.stdout).unwrap();
    vault.backup();
    std::fs::create_dir(vault.path("mnt")).unwrap();
    vault
        .run(&[&["mount", "mnt"][..], &STRICT].concat())
        .expect_code(22);
    vault
        .run(&["sign", "snapshots", "--sign-key", "sign.pem", "--yes"])
        .ok();
    let mounted = Mounted::start(&vault, &STRICT);
    let latest = mounted.path("snapshots/latest/source/one.txt");
    let first = names(&mounted.path("ids"));
    assert_eq!(first.len(), 1);
    std::fs::write(vault.path("source/one.txt"), "planted").unwrap();
    vault.backup();
    assert_eq!(vault.restic().snapshot_ids().len(), 2);
    assert_eq!(names(&mounted.path("ids")), first);
    assert_eq!(std::fs::read_to_string(latest).unwrap(), "one\n");
    mounted.signal("-TERM").ok();
}
