//! Median and spread.

use crate::results::{Results, Sample};

/// The middle of some values, and their ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The least.
    pub least: f64,
    /// The one in the middle, or the mean of the two there.
    pub median: f64,
    /// The most.
    pub most: f64,
}

impl Spread {
    /// Of these values; nothing of none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let median = f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2]);
        Some(Self {
            least,
            median,
            most,
        })
    }
}

impl Spread {
    /// Of a figure that has none.
    pub fn of_one(value: f64) -> Self {
        Self {
            least: value,
            median: value,
            most: value,
        }
    }
}

/// Spread of a figure of a phase and a tool; nothing if it was not measured.
pub fn spread(
    results: &Results,
    phase: &str,
    tool: &str,
    figure: impl Fn(&Sample) -> f64,
) -> Option<Spread> {
    Spread::of(results.of(phase, tool).map(figure))
}

/// Median wall time in seconds.
pub fn wall(results: &Results, phase: &str, tool: &str) -> Option<f64> {
    spread(results, phase, tool, |sample| sample.used.wall_s).map(|spread| spread.median)
}

/// Spread of the ratio of one tool's figure to another's, of the rounds in which both took part: what lies minutes apart is compared, so
/// that a machine that was slow for a while does not count.
pub fn paired(
    results: &Results,
    phase: &str,
    ours: &str,
    theirs: &str,
    figure: impl Fn(&Sample) -> f64,
) -> Option<Spread> {
    let ratios = results.of(phase, ours).filter_map(|our| {
        let their = results
            .of(phase, theirs)
            .find(|their| their.round == our.round)?;
        ratio(Some(figure(our)), Some(figure(their)))
    });
    Spread::of(ratios)
}

/// The ratio of two figures, if both are there.
pub fn ratio(ours: Option<f64>, theirs: Option<f64>) -> Option<f64> {
    let (ours, theirs) = (ours?, theirs?);
    (theirs > 0.0).then(|| ours / theirs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(Spread::of([]), None);
        let odd = Spread::of([3.0, 1.0, 2.0]).unwrap();
        assert_eq!((odd.least, odd.median, odd.most), (1.0, 2.0, 3.0));
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 3.0]).unwrap().median, 2.5);
    }
}
