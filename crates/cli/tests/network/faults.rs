//! The executable over a line that misbehaves: what it publishes restores, and restic agrees.

use strongroom_testkit::servers::{OurRest, RcloneRest};
use strongroom_testkit::{FaultProxy, HttpAsked, HttpFault, Restic};

use crate::round::{assert_restores, vault_at};

/// Without pauses that a test would wait for.
const QUICKLY: [&str; 2] = ["-o", "retry.first-pause=1ms"];

fn faults() -> Vec<HttpFault> {
    vec![
        HttpFault::Status(500),
        HttpFault::Status(502),
        HttpFault::StatusWithPause(429, "0".to_owned()),
        HttpFault::StatusWithPause(503, "0".to_owned()),
        HttpFault::Reset,
        HttpFault::LostAnswer,
        HttpFault::StatusAfter(500),
        HttpFault::ResetAnswerAfter(100),
        HttpFault::CutAnswer(1000),
        HttpFault::Drip,
    ]
}

/// Every seventh request meets the next fault of the list, in turn, whatever the request is.
fn in_turn(every: usize) -> impl FnMut(&HttpAsked) -> HttpFault + Send + 'static {
    let mut faults = faults().into_iter().cycle();
    move |asked| match asked.number % every {
        0 => faults.next().unwrap_or(HttpFault::None),
        _ => HttpFault::None,
    }
}

fn survives(host: &str, address_of: impl Fn(&str) -> String, every: usize) {
    let proxy = FaultProxy::start(host, in_turn(every));
    let vault = vault_at(&address_of(&proxy.host()));
    let run = |arguments: &[&str]| {
        let mut all = QUICKLY.to_vec();
        all.extend(arguments);
        vault.run(&all)
    };
    let source = vault.path("source");
    let source = source.to_str().unwrap();
    run(&["init"]).ok();
    run(&["backup", source]).ok();
    std::fs::write(vault.path("source/one.txt"), "changed").unwrap();
    run(&["backup", source]).ok();
    run(&["forget", "--keep-last", "1", "--yes"]).ok();
    run(&["prune", "--yes", "--max-unused", "0"]).ok();
    run(&["check", "--read-data"]).ok();
    let asked = proxy.asked().len();
    assert!(
        asked > 12 * every,
        "{asked} requests did not meet every fault"
    );
    // Over a line that is well again, there is nothing missing.
    let clean = address_of(host);
    Restic::new(&clean, "try-me").check_read_data();
    assert_restores(
        &crate::vault::Vault {
            program: vault.program.repository(&clean),
        },
        "back",
    );
}

#[test]
fn rest_to_our_server() {
    let server = OurRest::start(|_| {});
    let address = |host: &str| format!("rest:http://{host}/r/");
    survives(&server.host(), address, 5);
}

#[test]
fn rest_to_rclones_server() {
    let server = RcloneRest::start(&[]);
    let address = |host: &str| format!("rest:http://ada:try-me@{host}/r/");
    survives(server.host(), address, 7);
}
