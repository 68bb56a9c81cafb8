//! Which changes each test reaches: every test is run once as it is, and the copy notes what is passed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};

use crate::chosen;
use crate::process::{self, End};
use crate::suite::Test;

/// Runs each test once, `workers` at a time; returns those that passed, with their times and what they reach. A test that fails without
/// a change would notice everything, and is left out and named. One that takes longer than `longest_ms` is ended: what it had reached
/// until then is known of it.
pub fn measure(
    tests: Vec<Test>,
    folder: &Path,
    scratch: &Path,
    workers: usize,
    longest_ms: u64,
) -> Result<Vec<Test>> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers.max(1))
            .map(|worker| {
                let (next, done, tests) = (&next, &done, &tests);
                scope.spawn(move || -> Result<()> {
                    let scratch = scratch.join(format!("reach-{worker}"));
                    while let Some(test) = tests.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if let Some(test) = one(test, folder, &scratch, longest_ms)? {
                            done.lock()
                                .unwrap_or_else(std::sync::PoisonError::into_inner)
                                .push(test);
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        handles.into_iter().try_for_each(|handle| {
            handle
                .join()
                .unwrap_or_else(|_| anyhow::bail!("a worker panicked"))
        })
    })?;
    let mut tests = done
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    tests.sort_by_key(|test| (test.time_ms, test.title()));
    Ok(tests)
}

fn one(test: &Test, folder: &Path, scratch: &Path, longest_ms: u64) -> Result<Option<Test>> {
    let _ = std::fs::remove_dir_all(scratch);
    std::fs::create_dir_all(scratch)?;
    let noted = scratch.join("reached");
    let mut command = test.command(folder, scratch);
    command
        .env(chosen::REACHED, &noted)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let (end, time_ms) = process::run(&mut command, longest_ms)?;
    let text = match std::fs::read_to_string(&noted) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        text => text.context("read what was reached")?,
    };
    let reached: BTreeSet<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
    let _ = std::fs::remove_dir_all(scratch);
    if end == End::Failed {
        eprintln!("fails without a change, and is left out: {}", test.title());
        return Ok(None);
    }
    // Never run where tests of this length are not.
    let longer_ms = longest_ms.saturating_add(1);
    Ok(Some(Test {
        time_ms: if end == End::Late { longer_ms } else { time_ms },
        reached: reached.into_iter().collect(),
        ..test.clone()
    }))
}
