//! Which seeds are tried.

/// The seed of the environment, for a replay or a long run; otherwise the given ones.
pub fn seeds(usual: std::ops::Range<u64>) -> Vec<u64> {
    match number("STRONGROOM_SEED") {
        Some(seed) => vec![seed],
        None => usual.collect(),
    }
}

/// How many operations are begun with one seed.
pub fn steps(usual: u64) -> u64 {
    number("STRONGROOM_STEPS").unwrap_or(usual)
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text:?} is no number")),
    )
}

/// What to type to see a failure again.
pub fn replay(test: &str, seed: u64, steps: u64) -> String {
    format!(
        "STRONGROOM_SEED={seed} STRONGROOM_STEPS={steps} \
         cargo nextest run -p strongroom-repository --test model {test}"
    )
}
