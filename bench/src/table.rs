//! Results as text: a summary of ours against the targets, then every phase with every tool. Markdown, so that it can stand in a page.

use std::fmt::Write;

use crate::phases::{PHASES, Phase};
use crate::results::{Results, Sample};
use crate::statistics::{Spread, paired, spread};
use crate::targets::{Judgement, OURS, REFERENCE, judge};

/// Both tables.
pub fn tables(results: &Results) -> String {
    summary(results) + &phases(results)
}

/// Every phase with every tool.
pub fn phases(results: &Results) -> String {
    measured(results)
        .map(|phase| one_phase(results, phase))
        .collect()
}

/// Phases that have samples, in their order.
pub fn measured(results: &Results) -> impl Iterator<Item = &'static Phase> {
    PHASES.iter().filter(|phase| {
        results
            .samples
            .iter()
            .any(|sample| sample.phase == phase.id)
    })
}

/// Ours against the targets: a line for each phase.
pub fn summary(results: &Results) -> String {
    let mut out = String::from(
        "| phase | wall s | of restic's | target | of the best other peer's | target | CPU of restic's | repository of restic's | peak MiB |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for phase in measured(results) {
        let Some(ours) = spread(results, phase.id, OURS, |sample| sample.used.wall_s) else {
            continue;
        };
        let judged = judge(results, phase);
        let asked_of_peers = phase.target.is_some_and(|target| target.peers.is_some());
        let (peer, peer_target) = match &judged.peer {
            Some((name, judgement)) => (
                format!("{} ({name})", ratios(&judgement.figure)),
                verdict(judgement),
            ),
            None if asked_of_peers => ("not measured".to_owned(), "not measured".to_owned()),
            None => Default::default(),
        };
        let of_restic = judged.restic.as_ref();
        let with_verdict = |judgement: &Option<Judgement>, digits: usize| {
            judgement.as_ref().map_or_else(String::new, |judgement| {
                let figure = judgement.figure.median;
                format!("{figure:.digits$} {}", verdict(judgement))
            })
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {peer} | {peer_target} | {} | {} | {} |",
            phase.title,
            range(&ours),
            of_restic.map_or_else(String::new, |judgement| ratios(&judgement.figure)),
            of_restic.map_or_else(String::new, verdict),
            with_verdict(&judged.cpu, 2),
            with_verdict(&judged.size, 2),
            with_verdict(&judged.peak, 0),
        );
    }
    out
}

/// What is missed of the targets: a line for each.
pub fn missed(results: &Results) -> Vec<String> {
    let mut lines = Vec::new();
    for phase in measured(results) {
        let judged = judge(results, phase);
        let mut add = |what: &str, judgement: Option<&Judgement>, digits: usize, unit: &str| {
            let Some(judgement) = judgement.filter(|judgement| judgement.is_met() == Some(false))
            else {
                return;
            };
            let figure = judgement.figure.median;
            let most = judgement.most.map_or_else(String::new, bound);
            lines.push(format!(
                "- {}: {what} {figure:.digits$}{unit}, to be at most {most}{unit}.",
                phase.title
            ));
        };
        add(
            "wall time as a ratio to restic's",
            judged.restic.as_ref(),
            2,
            "",
        );
        if let Some((name, judgement)) = &judged.peer {
            let what = format!("wall time as a ratio to {name}'s");
            add(&what, Some(judgement), 2, "");
        }
        add(
            "CPU time as a ratio to restic's",
            judged.cpu.as_ref(),
            2,
            "",
        );
        add(
            "repository as a ratio to restic's",
            judged.size.as_ref(),
            3,
            "",
        );
        add("most memory", judged.peak.as_ref(), 0, " MiB");
    }
    lines
}

fn verdict(judgement: &Judgement) -> String {
    let Some(most) = judgement.most else {
        return String::new();
    };
    let word = match judgement.is_met() {
        Some(true) => "met",
        _ => "**missed**",
    };
    format!("≤ {}: {word}", bound(most))
}

fn bound(most: f64) -> String {
    if most > 0.99 && most < 1.0 {
        "1, less".to_owned()
    } else {
        format!("{most}")
    }
}

fn ratios(spread: &Spread) -> String {
    if spread.least < spread.most {
        format!(
            "{:.2} ({:.2}–{:.2})",
            spread.median, spread.least, spread.most
        )
    } else {
        format!("{:.2}", spread.median)
    }
}

const MIB: f64 = (1 << 20) as f64;

/// All tools in one phase.
fn one_phase(results: &Results, phase: &Phase) -> String {
    let mut out = format!(
        "\n### {}\n\n`{}`\n\n| tool | rounds | wall s (least–most) | CPU s | peak MiB | repository MiB | added MiB, files | written MiB, calls | of restic's wall | of restic's CPU |\n\
         |---|---:|---|---:|---:|---:|---|---|---:|---:|\n",
        phase.title, phase.id
    );
    for tool in &results.tools {
        let Some(wall_s) = spread(results, phase.id, &tool.name, |sample| sample.used.wall_s)
        else {
            continue;
        };
        let median = |figure: fn(&Sample) -> f64| {
            spread(results, phase.id, &tool.name, figure).map_or(0.0, |spread| spread.median)
        };
        let of_restic = |figure: fn(&Sample) -> f64| {
            paired(results, phase.id, &tool.name, REFERENCE, figure)
                .map_or_else(String::new, |ratio| format!("{:.2}", ratio.median))
        };
        // No repository is empty after a phase: what is not there was not noted.
        let stored = median(|sample| sample.after.bytes as f64);
        let (repository, added) = if stored > 0.0 {
            let bytes = median(|sample| sample.after.bytes as f64 - sample.before.bytes as f64);
            let files = median(|sample| sample.after.files as f64 - sample.before.files as f64);
            (mib(stored), format!("{}, {files}", mib(bytes)))
        } else {
            ("not noted".to_owned(), "not noted".to_owned())
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {repository} | {added} | {}, {} | {} | {} |",
            tool.name,
            results.of(phase.id, &tool.name).count(),
            range(&wall_s),
            seconds(median(|sample| sample.used.cpu_s())),
            mib(median(|sample| sample.used.peak_bytes as f64)),
            mib(median(|sample| sample.used.written_bytes as f64)),
            median(|sample| sample.used.write_calls as f64),
            of_restic(|sample| sample.used.wall_s),
            of_restic(|sample| sample.used.cpu_s()),
        );
    }
    out
}

fn range(spread: &Spread) -> String {
    format!(
        "{} ({}–{})",
        seconds(spread.median),
        seconds(spread.least),
        seconds(spread.most)
    )
}

fn seconds(value: f64) -> String {
    if value < 10.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.1}")
    }
}

fn mib(bytes: f64) -> String {
    let mib = bytes / MIB;
    if mib.abs() < 10.0 {
        format!("{mib:.1}")
    } else {
        format!("{mib:.0}")
    }
}
