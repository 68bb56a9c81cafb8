//! The page of results for the documentation, made from the measurements alone, so that no figure in it can be mistyped.

use std::fmt::Write;

use crate::results::{Results, Sample};
use crate::statistics::wall;
use crate::table;
use crate::targets::OURS;

/// The page. `plot` is where the plot lies as seen from it; `portable` a second run without the wide code paths.
/// `loops` is the table of the inner loops.
pub fn page(
    results: &Results,
    portable: Option<&Results>,
    loops: Option<&str>,
    plot: &str,
) -> String {
    let mut out = String::from(
        "# Benchmarks\n\n\
         This page is generated: `bench/run --docs docs/benchmarks.md RESULTS.json`. What is measured, on what, and what could mislead, is in\n\
         [bench/README.md](../bench/README.md).\n\n",
    );
    out.push_str(&facts(results));
    let _ = write!(
        out,
        "\n![Wall time as a ratio to restic's]({plot})\n\n## Against the targets\n\n{}",
        table::summary(results)
    );
    out.push_str(&missed(results));
    out.push_str(&ahead(results));
    if let Some(portable) = portable {
        out.push_str("\n## Without wide instructions\n\nA second run with `--portable`: code that runs on any processor. ");
        out.push_str(&provenance(portable));
        out.push_str(&table::summary(portable));
    }
    if let Some(loops) = loops {
        out.push_str("\n## The inner loops\n\nEach alone, on one core: `bench/micro`.\n\n");
        out.push_str(loops);
    }
    out.push_str("\n## Every phase\n");
    out.push_str(&table::phases(results));
    out
}

fn facts(results: &Results) -> String {
    let mut out = provenance(results);
    if !results
        .machine
        .instructions
        .iter()
        .any(|name| name == "avx512f")
    {
        out.push_str(
            "**This processor has no AVX-512.** The targets were set for one that has; the widest paths of ours did not run here.\n\n",
        );
    }
    out.push_str("| tool | version | how it was told to work |\n|---|---|---|\n");
    for tool in &results.tools {
        let version = tool
            .version
            .as_deref()
            .unwrap_or("**missing**, not measured");
        let _ = writeln!(out, "| {} | {version} | {} |", tool.name, tool.settings);
    }
    out
}

/// When, where, on what, and the commands that repeat it.
fn provenance(results: &Results) -> String {
    let machine = &results.machine;
    let mut out = format!(
        "Measured {} on {} ({} cores, {} GiB, {}), kernel {}, repositories on {}. Corpus: {}, seed {}; {} million blobs in the forged repository, \
         twice as many in that which is only opened. Commit {}. The highest load of other work before a phase was {:.1}.\n\n",
        results.begun,
        machine.processor,
        machine.cores,
        machine.memory_bytes >> 30,
        machine.instructions.join(" "),
        machine.kernel,
        machine.file_system,
        results.corpus.word(),
        results.seed,
        results.forged_blobs as f64 / 1e6,
        if results.commit.is_empty() {
            "unknown"
        } else {
            &results.commit
        },
        results
            .samples
            .iter()
            .map(|sample: &Sample| sample.load)
            .fold(0.0, f64::max),
    );
    for command in results.command.lines() {
        let _ = writeln!(out, "    bench/run {command}");
    }
    out.push('\n');
    for note in &results.notes {
        let _ = writeln!(out, "{note}\n");
    }
    out
}

/// What is not as it is to be.
fn missed(results: &Results) -> String {
    let mut out = String::from("\n## Where a target is missed\n\n");
    let lines = table::missed(results);
    for line in &lines {
        out.push_str(line);
        out.push('\n');
    }
    if lines.is_empty() {
        out.push_str("Nowhere in this run.\n");
    }
    out
}

/// Where somebody else is still ahead.
fn ahead(results: &Results) -> String {
    let mut out = String::from("\n## Where a peer is ahead\n\n");
    let begin = out.len();
    for phase in table::measured(results) {
        let Some(ours) = wall(results, phase.id, OURS) else {
            let _ = writeln!(out, "- {}: not measured with ours.", phase.title);
            continue;
        };
        let peers = results
            .tools
            .iter()
            .filter(|tool| tool.is_peer && tool.name != OURS);
        let mut ahead: Vec<_> = peers
            .filter_map(|tool| Some((wall(results, phase.id, &tool.name)?, &tool.name)))
            .filter(|(theirs, _)| *theirs < ours)
            .collect();
        ahead.sort_by(|a, b| a.0.total_cmp(&b.0));
        let names: Vec<_> = ahead
            .iter()
            .map(|(theirs, name)| format!("{name} ({theirs:.2} s)"))
            .collect();
        if !names.is_empty() {
            let _ = writeln!(
                out,
                "- {}: {} against our {ours:.2} s.",
                phase.title,
                names.join(", ")
            );
        }
    }
    if out.len() == begin {
        out.push_str("Nowhere in this run.\n");
    }
    out
}
