//! Ours against the targets, figure by figure.

use crate::phases::{CPU_TARGET, PEAK_TARGET_BLOB, PEAK_TARGET_MIB, Peers, Phase, SIZE_TARGET};
use crate::results::Results;
use crate::statistics::{Spread, paired, ratio, spread, wall};

/// The tool that is measured.
pub const OURS: &str = "strongroom";
/// What ratios are to.
pub const REFERENCE: &str = "restic";

const MIB: f64 = (1 << 20) as f64;

/// A figure of ours in a phase, beside what it is to be at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    /// The figure: its median, and how far rounds lay apart.
    pub figure: Spread,
    /// What it is to be at most, where there is a target.
    pub most: Option<f64>,
}

impl Judgement {
    /// Whether the target is met; nothing without one.
    pub fn is_met(&self) -> Option<bool> {
        self.most.map(|most| self.figure.median <= most)
    }
}

/// All that is judged of a phase. What was not measured is left out.
#[derive(Debug, Clone, Default)]
pub struct Judgements<'a> {
    /// Wall time as a ratio to restic's, round by round.
    pub restic: Option<Judgement>,
    /// The same to the peer that the target speaks of, or to the best other one, with its name.
    pub peer: Option<(&'a str, Judgement)>,
    /// Processor time as a ratio to restic's.
    pub cpu: Option<Judgement>,
    /// Size of the repository as a ratio to that of restic's.
    pub size: Option<Judgement>,
    /// Most memory, in MiB.
    pub peak: Option<Judgement>,
}

/// Judges a phase.
pub fn judge<'a>(results: &'a Results, phase: &Phase) -> Judgements<'a> {
    let against = |tool: &str, most: Option<f64>| {
        let figure = paired(results, phase.id, OURS, tool, |sample| sample.used.wall_s)?;
        Some(Judgement { figure, most })
    };
    let one = |value: f64, most: f64| Judgement {
        figure: Spread::of_one(value),
        most: Some(most),
    };
    let peers = phase.target.and_then(|target| target.peers);
    let who = peers.map_or(Peers::Best, |(who, _)| who);
    Judgements {
        restic: against(REFERENCE, phase.target.map(|target| target.restic)),
        peer: best_peer(results, phase.id, who).and_then(|name| {
            let judgement = against(name, peers.map(|(_, most)| most))?;
            Some((name, judgement))
        }),
        cpu: paired(results, phase.id, OURS, REFERENCE, |sample| {
            sample.used.cpu_s()
        })
        .map(|figure| Judgement {
            figure,
            most: Some(CPU_TARGET),
        }),
        size: ratio(
            repository(results, phase, OURS),
            repository(results, phase, REFERENCE),
        )
        .map(|value| one(value, SIZE_TARGET)),
        peak: peak(results, phase),
    }
}

/// Bytes of the repository after the phase, of phases that store new data.
fn repository(results: &Results, phase: &Phase, tool: &str) -> Option<f64> {
    let bytes = spread(results, phase.id, tool, |sample| sample.after.bytes as f64);
    let stores = phase.id.starts_with("first") || phase.id.starts_with("prune-most");
    bytes.filter(|_| stores).map(|bytes| bytes.median)
}

fn peak(results: &Results, phase: &Phase) -> Option<Judgement> {
    let figure = spread(results, phase.id, OURS, |sample| {
        sample.used.peak_bytes as f64 / MIB
    })?;
    let (base, each) = PEAK_TARGET_MIB;
    let blobs = results.forged_blobs * phase.block.forged().unwrap_or(0);
    let index = (blobs * PEAK_TARGET_BLOB) as f64 / MIB;
    let most = (base + each * results.machine.cores) as f64 + index.round();
    Some(Judgement {
        figure,
        most: Some(most),
    })
}

/// The fastest peer but restic, of those that `who` allows.
pub fn best_peer<'a>(results: &'a Results, phase: &str, who: Peers) -> Option<&'a str> {
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
    times
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(name, _)| name)
}
