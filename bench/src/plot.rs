//! A plot of the ratios to restic, as SVG by hand: one group of bars a phase, the same colours in each, readable on light and dark.

use std::fmt::Write;

use crate::results::Results;
use crate::statistics::{ratio, wall};
use crate::table::measured;
use crate::targets::REFERENCE;

const WIDTH: f64 = 880.0;
/// Where bars begin, and the ratio 1 lies.
const LEFT: f64 = 330.0;
const ONE: f64 = 620.0;
const BAR: f64 = 9.0;
const GAP: f64 = 12.0;
const TOP: f64 = 64.0;

/// Colours that differ in lightness too, on both grounds. Ours is the strongest.
const COLOURS: [&str; 6] = [
    "#d9480f", "#868e96", "#1c7ed6", "#2f9e44", "#9c36b5", "#c9a227",
];

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#1f2328}.small{font-size:10px}.line{stroke:#1f2328;stroke-width:1}\
.thin{stroke:#8b949e;stroke-width:.5;stroke-dasharray:2 3}\
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.line{stroke:#e6edf3}}";

/// The plot.
pub fn plot(results: &Results) -> String {
    let tools: Vec<(&str, &str)> = results
        .tools
        .iter()
        .map(|tool| tool.name.as_str())
        .zip(COLOURS)
        .collect();
    let shown: Vec<_> = tools
        .iter()
        .filter(|(name, _)| *name != REFERENCE)
        .copied()
        .collect();
    let mut bars = String::new();
    let mut y = TOP;
    for phase in measured(results) {
        let begin = y;
        for (tool, colour) in &shown {
            let Some(ratio) = ratio(
                wall(results, phase.id, tool),
                wall(results, phase.id, REFERENCE),
            ) else {
                continue;
            };
            push_bar(&mut bars, y, ratio, colour);
            y += BAR + 1.0;
        }
        if y > begin {
            let middle = f64::midpoint(begin, y) + 4.0;
            let _ = writeln!(
                bars,
                "<text x=\"{:.0}\" y=\"{middle:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 8.0,
                escaped(phase.title)
            );
            y += GAP;
        }
    }
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"Wall time as a ratio to restic's, by phase and tool\">\n\
         <style>{STYLE}</style>\n<text x=\"8\" y=\"20\">Wall time, restic = 1; shorter is faster</text>\n",
        y + 8.0
    );
    for (number, (tool, colour)) in shown.iter().enumerate() {
        let x = 8.0 + 110.0 * number as f64;
        let _ = writeln!(
            out,
            "<rect x=\"{x}\" y=\"32\" width=\"10\" height=\"10\" fill=\"{colour}\"/><text x=\"{}\" y=\"41\">{tool}</text>",
            x + 15.0
        );
    }
    for (at, class) in [(0.25, "thin"), (0.5, "thin"), (0.75, "thin"), (1.0, "line")] {
        let x = LEFT + (ONE - LEFT) * at;
        let _ = writeln!(
            out,
            "<line class=\"{class}\" x1=\"{x:.1}\" y1=\"{:.0}\" x2=\"{x:.1}\" y2=\"{y:.0}\"/><text class=\"small\" x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{at}</text>",
            TOP - 6.0,
            TOP - 9.0
        );
    }
    out.push_str(&bars);
    out.push_str("</svg>\n");
    out
}

/// A bar that would leave the plot ends at its edge; its figure says how long it is.
fn push_bar(out: &mut String, y: f64, ratio: f64, colour: &str) {
    let longest = WIDTH - LEFT - 40.0;
    let length = ((ONE - LEFT) * ratio).clamp(1.0, longest);
    let _ = writeln!(
        out,
        "<rect x=\"{LEFT}\" y=\"{y:.1}\" width=\"{length:.1}\" height=\"{BAR}\" fill=\"{colour}\"/><text class=\"small\" x=\"{:.1}\" y=\"{:.1}\">{ratio:.2}</text>",
        LEFT + length + 4.0,
        y + BAR - 0.5
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
