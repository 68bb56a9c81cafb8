//! A published figure must be the one that was measured: everything shown is made from one sample file, and looked at here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use strongroom_bench::results::Results;
use strongroom_bench::{micro, page, plot, table};

fn sample() -> Results {
    serde_json::from_str(include_str!("data/results.json")).unwrap()
}

/// With `STRONGROOM_BENCH_BLESS` set, what comes out now is what is expected.
fn compare(name: &str, found: &str) {
    let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("STRONGROOM_BENCH_BLESS").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        found, expected,
        "{path}; with STRONGROOM_BENCH_BLESS=1 it is written anew, then look at it"
    );
}

#[test]
fn tables() {
    compare("tables.txt", &table::tables(&sample()));
}

#[test]
fn a_plot() {
    compare("plot.svg", &plot::plot(&sample()));
}

#[test]
fn the_page_of_the_documentation() {
    compare(
        "page.txt",
        &page::page(&sample(), None, Some("| loop |\n"), "plot.svg"),
    );
}

/// The loops are not run for their figures here, only to see that each still runs.
#[test]
fn every_inner_loop_runs() {
    let measured = micro::run("", micro::Effort::least()).unwrap();
    assert!(measured.iter().all(|line| line.rate > 0.0));
    assert!(micro::table(&measured).contains("| chunker: random |"));
}

#[test]
fn results_survive_their_file() {
    let results = sample();
    let again: Results = serde_json::from_str(&serde_json::to_string(&results).unwrap()).unwrap();
    assert_eq!(
        serde_json::to_value(&again).unwrap(),
        serde_json::to_value(&results).unwrap()
    );
}
