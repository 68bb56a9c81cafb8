//! Results as text: a summary of ours against the targets, then every phase with every tool. Markdown, so that it can stand in a page.

use std::fmt::Write;

use crate::phases::{Block, CPU_TARGET, PEAK_TARGET_MIB, PHASES, Peers, Phase, SIZE_TARGET};
use crate::results::Results;
use crate::statistics::{Spread, cpu, ratio, spread, wall};

/// The tool that is measured.
pub const OURS: &str = "strongroom";
/// What ratios are to.
pub const REFERENCE: &str = "restic";

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
         |---|---:|---:|---|---|---|---|---|---|\n",
    );
    for phase in measured(results) {
        let Some(ours) = wall(results, phase.id, OURS) else {
            continue;
        };
        let of_restic = ratio(Some(ours), wall(results, phase.id, REFERENCE));
        let target = phase.target.map(|target| target.restic);
        let (peer, peer_target) = against_peers(results, phase, ours);
        let of_cpu = ratio(
            cpu(results, phase.id, OURS),
            cpu(results, phase.id, REFERENCE),
        );
        let of_size = ratio(
            repository(results, phase, OURS),
            repository(results, phase, REFERENCE),
        );
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {peer} | {peer_target} | {} {} | {} {} | {} |",
            phase.title,
            seconds(ours),
            shown(of_restic),
            judged(of_restic, target),
            shown(of_cpu),
            judged(of_cpu, Some(CPU_TARGET)),
            shown(of_size),
            judged(of_size, Some(SIZE_TARGET)),
            peak(results, phase),
        );
    }
    out
}

/// Bytes of the repository after the phase, of phases that store new data.
fn repository(results: &Results, phase: &Phase, tool: &str) -> Option<f64> {
    let bytes = spread(results, phase.id, tool, |sample| sample.after.bytes as f64);
    let stores = phase.id.starts_with("first") || phase.id.starts_with("prune-most");
    bytes.filter(|_| stores).map(|bytes| bytes.median)
}

/// The peak, judged where the index does not decide it.
fn peak(results: &Results, phase: &Phase) -> String {
    let Some(peak) = spread(results, phase.id, OURS, |sample| {
        sample.used.peak_bytes as f64
    }) else {
        return String::new();
    };
    let (base, each) = PEAK_TARGET_MIB;
    let most = base + each * results.machine.cores;
    let target = Some(most as f64).filter(|_| phase.block != Block::Blobs);
    format!(
        "{} {}",
        mib(peak.median),
        judged(Some(peak.median / MIB), target)
    )
}

const MIB: f64 = (1 << 20) as f64;

/// The ratio to the peer that the target speaks of (the best other one without a target), and whether that is met.
fn against_peers(results: &Results, phase: &Phase, ours: f64) -> (String, String) {
    let target = phase.target.and_then(|target| target.peers);
    let who = target.map_or(Peers::Best, |(who, _)| who);
    let Some((name, theirs)) = best_peer(results, phase.id, who) else {
        return (
            "not measured".to_owned(),
            target.map_or_else(String::new, |_| "not measured".to_owned()),
        );
    };
    let ratio = ratio(Some(ours), Some(theirs));
    (
        format!("{} ({name})", shown(ratio)),
        judged(ratio, target.map(|(_, most)| most)),
    )
}

/// The fastest peer but restic, of those that `who` allows.
pub fn best_peer<'a>(results: &'a Results, phase: &str, who: Peers) -> Option<(&'a str, f64)> {
    let peers = results
        .tools
        .iter()
        .filter(|tool| tool.is_peer && tool.name != OURS && tool.name != REFERENCE);
    let allowed = peers.filter(|tool| match who {
        Peers::Best => true,
        Peers::BestButBupstash => tool.name != "bupstash",
        Peers::Bupstash => tool.name == "bupstash",
        Peers::Rustic => tool.name == "rustic",
    });
    let times =
        allowed.filter_map(|tool| Some((tool.name.as_str(), wall(results, phase, &tool.name)?)));
    times.min_by(|a, b| a.1.total_cmp(&b.1))
}

fn judged(ratio: Option<f64>, most: Option<f64>) -> String {
    match (ratio, most) {
        (Some(ratio), Some(most)) if ratio <= most => format!("≤ {}: met", bound(most)),
        (Some(_), Some(most)) => format!("≤ {}: **not met**", bound(most)),
        _ => String::new(),
    }
}

fn bound(most: f64) -> String {
    if most > 0.99 && most < 1.0 {
        "1, less".to_owned()
    } else {
        format!("{most}")
    }
}

/// All tools in one phase.
fn one_phase(results: &Results, phase: &Phase) -> String {
    let mut out = format!(
        "\n### {}\n\n`{}`\n\n| tool | wall s (least–most) | CPU s | peak MiB | repository MiB | added MiB, files | written MiB, calls | of restic's wall | of restic's CPU |\n\
         |---|---|---:|---:|---:|---|---|---:|---:|\n",
        phase.title, phase.id
    );
    for tool in &results.tools {
        let Some(wall_s) = spread(results, phase.id, &tool.name, |sample| sample.used.wall_s)
        else {
            continue;
        };
        let median = |figure: fn(&crate::results::Sample) -> f64| {
            spread(results, phase.id, &tool.name, figure).map_or(0.0, |spread| spread.median)
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {}, {} | {}, {} | {} | {} |",
            tool.name,
            range(&wall_s),
            seconds(median(|sample| sample.used.cpu_s())),
            mib(median(|sample| sample.used.peak_bytes as f64)),
            mib(median(|sample| sample.after.bytes as f64)),
            mib(median(
                |sample| sample.after.bytes as f64 - sample.before.bytes as f64
            )),
            median(|sample| sample.after.files as f64 - sample.before.files as f64),
            mib(median(|sample| sample.used.written_bytes as f64)),
            median(|sample| sample.used.write_calls as f64),
            shown(ratio(
                Some(wall_s.median),
                wall(results, phase.id, REFERENCE)
            )),
            shown(ratio(
                cpu(results, phase.id, &tool.name),
                cpu(results, phase.id, REFERENCE)
            )),
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

fn shown(ratio: Option<f64>) -> String {
    ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"))
}
