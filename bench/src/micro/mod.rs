//! Micro-benchmarks: each inner loop alone, on one core, beside what limits it on this machine.
//!
//! Every figure is the best of several repetitions: other work on the machine can only make a loop slower, so the best is the nearest to
//! the loop itself.

pub mod input;
mod limits;
pub mod loops;

use std::fmt::Write;
use std::time::Instant;

use anyhow::Result;

/// One line of the result.
pub struct Measured {
    /// What was done.
    pub name: String,
    /// In gigabytes (10^9 bytes) or millions of operations a second.
    pub rate: f64,
    /// `GB/s` or `M/s`.
    pub unit: &'static str,
    /// What the machine can do at most, as far as somebody else's code shows it, with what that is.
    pub limit: Option<(f64, String)>,
}

/// How much work the loops get.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// For each loop.
    pub seconds: f64,
    /// Each loop is repeated so often; the best counts.
    pub repetitions: u32,
    /// Bytes of each input.
    pub length: usize,
    /// Blobs in the index.
    pub blobs: usize,
    /// Ask OpenSSL how fast it is, which takes it a second each time.
    pub openssl: bool,
}

impl Effort {
    /// Enough to measure: more than the caches of a core hold.
    pub fn full(seconds: f64) -> Self {
        Self {
            seconds,
            repetitions: 7,
            length: 16 << 20,
            blobs: 1_000_000,
            openssl: true,
        }
    }

    /// The same amount wherever it is counted, and little of it: counting slows a loop down fifty times.
    pub fn counted() -> Self {
        Self {
            blobs: 20_000,
            ..Self::least()
        }
    }

    /// Only to see that each loop runs.
    pub fn least() -> Self {
        Self {
            seconds: 0.0,
            repetitions: 1,
            length: 1 << 20,
            blobs: 5000,
            openssl: false,
        }
    }
}

/// Runs all loops whose name contains `filter`.
pub fn run(filter: &str, effort: Effort) -> Result<Vec<Measured>> {
    let timer = Timer { effort };
    let mut all = Vec::new();
    for measured in loops::LOOPS.iter().filter(|one| one.name.contains(filter)) {
        eprintln!("{} …", measured.name);
        let mut work = (measured.prepare)(effort)?;
        let rate = match measured.unit {
            "GB/s" => timer.giga(work.amount, &mut work.once),
            _ => timer.mega(work.amount, &mut work.once),
        };
        all.push(Measured {
            name: measured.name.to_owned(),
            rate,
            unit: measured.unit,
            limit: (measured.limit)(&timer)?,
        });
    }
    Ok(all)
}

/// The result as a table.
pub fn table(measured: &[Measured]) -> String {
    let mut out = String::from(
        "| loop, on one core | rate | limit | share of it | what the limit is |\n|---|---:|---:|---:|---|\n",
    );
    for line in measured {
        let unit = line.unit;
        let _ = match &line.limit {
            Some((limit, what)) => writeln!(
                out,
                "| {} | {:.2} {unit} | {limit:.2} {unit} | {:.0} % | {what} |",
                line.name,
                line.rate,
                line.rate / limit * 100.0
            ),
            None => writeln!(out, "| {} | {:.2} {unit} | | | |", line.name, line.rate),
        };
    }
    out
}

/// Measures loops.
pub struct Timer {
    effort: Effort,
}

impl Timer {
    /// Rate of something that processes `amount` (bytes or operations) at each call, in 10^9 a second.
    pub fn giga(&self, amount: usize, mut work: impl FnMut()) -> f64 {
        let begin = Instant::now();
        work();
        let once = begin.elapsed().as_secs_f64().max(1e-9);
        let calls = (self.effort.seconds / f64::from(self.effort.repetitions) / once)
            .clamp(1.0, 1e9) as u64;
        let best = (0..self.effort.repetitions).map(|_| {
            let begin = Instant::now();
            for _ in 0..calls {
                work();
            }
            begin.elapsed().as_secs_f64() / calls as f64
        });
        amount as f64 / best.fold(f64::INFINITY, f64::min) / 1e9
    }

    /// The same in 10^6 a second.
    pub fn mega(&self, amount: usize, work: impl FnMut()) -> f64 {
        self.giga(amount, work) * 1e3
    }
}
