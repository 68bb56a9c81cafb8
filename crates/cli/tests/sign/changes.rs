//! Commands that take snapshots away, change them and bring them back, in a repository that is signed.

use crate::{VERIFY, backup, refused, signing, with_key};

#[test]
fn what_is_brought_back_pinned_or_rewritten_is_signed() {
    let vault = with_key();
    let program = signing(&vault);
    let (first, _) = (backup(&program), backup(&program));
    let sound = || {
        let check = [&VERIFY[..], &["--require-signatures", "check"]].concat();
        vault.run(&check).ok();
    };
    program.run(["forget", &first, "--trash", "14d"]).ok();
    sound();
    program.run(["undelete", &first]).ok();
    sound();
    program.run(["pin", "latest", "--note", "kept"]).ok();
    program.run(["unpin", "latest"]).ok();
    sound();
    let rewrite = [
        "rewrite",
        "--exclude",
        "two.txt",
        "--forget",
        "--trash",
        "1d",
    ];
    program.run(rewrite).ok();
    sound();
    program.run(["undelete", "--all"]).ok();
    sound();
    vault.restic().check_read_data();
}

/// Who brings back what the holder of the key has removed, and has no key, is noticed.
#[test]
fn a_snapshot_that_comes_back_without_the_key_is_told() {
    let vault = with_key();
    let program = signing(&vault);
    let (first, _) = (backup(&program), backup(&program));
    program.run(["forget", &first, "--trash", "14d"]).ok();
    vault.run(&["undelete", &first]).ok();
    refused(vault.run(&[&VERIFY[..], &["check"]].concat()), &first[..8]);
}
