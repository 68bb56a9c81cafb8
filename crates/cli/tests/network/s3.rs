//! Repositories in a bucket: from one end to the other, beside restic, over a bad line, and with keys that expire.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use strongroom_testkit::servers::Moto;
use strongroom_testkit::{FaultProxy, HttpAsked, HttpFault, Restic, Strongroom, strongroom};

use crate::round::{assert_restores, vault_with, whole_round};
use crate::vault::Vault;

fn with_keys() -> Strongroom {
    let off = ("AWS_EC2_METADATA_DISABLED", "true");
    let all = Moto::ENVIRONMENT.into_iter().chain([off]);
    all.fold(strongroom!(), |program, (name, value)| {
        program.env(name, value)
    })
}

fn restic_at(address: &str) -> Restic {
    let restic = Restic::new(address, "try-me");
    Moto::ENVIRONMENT
        .iter()
        .fold(restic, |restic, (name, value)| restic.env(name, value))
}

#[test]
fn from_one_end_to_the_other_and_restic_agrees() {
    let server = Moto::start(&[]);
    let address = server.url("bucket/ada/laptop");
    let vault = vault_with(with_keys(), &address);
    whole_round(&vault, Some(&restic_at(&address)));
    vault
        .run(&["forget", "latest", "--trash", "14d", "--yes"])
        .ok();
    vault.run(&["undelete", "--all"]).ok();
    assert_restores(&vault, "back-from-trash");
    // The same bucket by its name alone.
    let endpoint = format!("s3.endpoint=http://{}", server.host());
    let named = [
        "-r",
        "s3://bucket/ada/laptop",
        "-o",
        &endpoint,
        "snapshots",
        "--json",
    ];
    let snapshots = vault.run(&named).ok().json();
    assert!(!snapshots.as_array().unwrap().is_empty());
}

/// What restic has made is read, and what is added to it restic reads.
#[test]
fn a_repository_of_restics_is_taken_over() {
    let server = Moto::start(&[]);
    let address = server.url("bucket");
    let restic = restic_at(&address);
    restic.init();
    let vault = vault_with(with_keys(), &address);
    restic.backup(&[&vault.path("source")]);
    assert_restores(&vault, "back");
    // Small parts, so that packs are sent in several.
    vault
        .run(&[
            "backup",
            "-o",
            "s3.part-size=5MiB",
            "--pack-size",
            "32",
            "source",
        ])
        .ok();
    restic.check_read_data();
}

fn faults() -> Vec<HttpFault> {
    let refusal = |status, code: &str| {
        HttpFault::Answer(status, format!("<Error><Code>{code}</Code></Error>"))
    };
    vec![
        refusal(503, "SlowDown"),
        refusal(500, "InternalError"),
        HttpFault::StatusWithPause(503, "0".to_owned()),
        HttpFault::Reset,
        HttpFault::LostAnswer,
        HttpFault::StatusAfter(500),
        HttpFault::ResetAnswerAfter(100),
        HttpFault::CutAnswer(1000),
        HttpFault::Twice,
    ]
}

#[test]
fn over_a_bad_line_nothing_is_missing() {
    let server = Moto::start(&[]);
    let mut faults = faults().into_iter().cycle();
    let proxy = FaultProxy::start(server.host(), move |asked: &HttpAsked| {
        match asked.number % 6 {
            0 => faults.next().unwrap_or(HttpFault::None),
            _ => HttpFault::None,
        }
    });
    let address = format!("s3:http://{}/bucket/p", proxy.host());
    let vault = vault_with(with_keys(), &address);
    let run = |arguments: &[&str]| {
        let quickly = ["-o", "retry.first-pause=1ms", "-o", "s3.part-size=5MiB"];
        vault.run(&[&quickly[..], arguments].concat()).ok();
    };
    let source = vault.path("source");
    let source = source.to_str().unwrap();
    run(&["init"]);
    run(&["backup", source]);
    std::fs::write(vault.path("source/one.txt"), "changed").unwrap();
    run(&["backup", source]);
    run(&["forget", "--keep-last", "1", "--yes"]);
    run(&["prune", "--yes", "--max-unused", "0"]);
    run(&["check", "--read-data"]);
    assert!(proxy.asked().len() > 6 * 9, "not every fault was met");
    let clean = server.url("bucket/p");
    restic_at(&clean).check_read_data();
    let vault = Vault {
        program: vault.program.repository(&clean),
    };
    assert_restores(&vault, "back");
}

/// Temporary keys end in the middle: the command says so, and the next one does not send again what was stored.
#[test]
fn keys_that_expire_at_any_moment_cost_nothing_that_was_stored() {
    let server = Moto::start(&[]);
    let sent = Arc::new(AtomicUsize::new(0));
    let (limit, uploaded) = (Arc::new(AtomicUsize::new(usize::MAX)), Arc::clone(&sent));
    let last = Arc::clone(&limit);
    let proxy = FaultProxy::start(server.host(), move |asked: &HttpAsked| {
        let before = uploaded.fetch_add(asked.body_bytes, Ordering::Relaxed);
        match before < last.load(Ordering::Relaxed) {
            true => HttpFault::None,
            false => HttpFault::Answer(400, "<Error><Code>ExpiredToken</Code></Error>".to_owned()),
        }
    });
    let address = format!("s3:http://{}/bucket", proxy.host());
    let vault = vault_with(with_keys(), &address);
    let backup = ["--pack-size", "4", "backup", "source"];
    vault.run(&["init"]).ok();
    limit.store(sent.load(Ordering::Relaxed) + (12 << 20), Ordering::Relaxed);
    let ran = vault.run(&backup).expect_code(24);
    let said = ran.stderr_text();
    assert!(said.contains("expired") && said.contains("hint:"), "{said}");
    assert!(!said.contains("try-me"), "{said}");
    limit.store(usize::MAX, Ordering::Relaxed);
    let before = sent.load(Ordering::Relaxed);
    vault.run(&backup).ok();
    let again = sent.load(Ordering::Relaxed) - before;
    assert!(
        again < 20 << 20,
        "{again} bytes were sent of 24 MiB, half of which were there"
    );
    let restic = restic_at(&address);
    restic.check_read_data();
}

#[test]
fn what_is_wrong_is_said_and_what_to_set() {
    let mut vault = Vault::without_repository(strongroom!());
    vault.program = vault
        .program
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .repository("s3:http://127.0.0.1:9/bucket");
    let said = vault.run(&["snapshots"]).expect_code(24).stderr_text();
    assert!(said.contains("AWS_ACCESS_KEY_ID"), "{said}");
    vault.program = vault
        .program
        .repository("s3:https://key:hunter2@host/bucket");
    let said = vault.run(&["snapshots"]).expect_code(2).stderr_text();
    assert!(
        said.contains("environment") && !said.contains("hunter2"),
        "{said}"
    );
    // There is no bucket, so there is no repository.
    let server = Moto::start(&[]);
    let mut vault = Vault::without_repository(with_keys());
    vault.program = vault.program.repository(server.url("bucket"));
    let said = vault.run(&["snapshots"]).expect_code(10).stderr_text();
    assert!(said.contains("bucket"), "{said}");
    vault.run(&["init"]).ok();
    vault.run(&["init"]).expect_code(1);
    vault.run(&["snapshots"]).ok();
}
