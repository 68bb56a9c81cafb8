//! One test process: started, limited, and ended with all that it has started.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Success.
    Passed,
    /// Anything else.
    Failed,
    /// It was ended, since it took too long.
    Late,
}

/// The length of a step of the clock.
const STEP: Duration = Duration::from_millis(50);

/// Limits the memory of this process and of all that it starts from now on: a change may make a loop that takes whatever there is.
pub fn limit_memory(bytes: u64) -> Result<()> {
    setrlimit(Resource::RLIMIT_AS, bytes, bytes).context("limit the memory")
}

/// Runs a command; returns how it ended and after how many milliseconds.
///
/// Time is counted in steps that this process saw: while the whole machine, or both processes, stand still, no time passes.
pub fn run(command: &mut Command, limit_ms: u64) -> Result<(End, u64)> {
    let child = command.process_group(0).spawn().context("start a test")?;
    let group = Pid::from_raw(i32::try_from(child.id()).context("a process without a number")?);
    let begun = std::time::Instant::now();
    let (end, steps) = wait(child, limit_ms.div_ceil(STEP.as_millis() as u64), group)?;
    // What it has started and left behind.
    let _ = killpg(group, Signal::SIGKILL);
    let stepped = STEP.as_millis() as u64 * steps;
    let short = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok((
        end,
        short.min(stepped.saturating_add(STEP.as_millis() as u64)),
    ))
}

fn wait(mut child: Child, limit_steps: u64, group: Pid) -> Result<(End, u64)> {
    let (sender, receiver) = channel::<std::io::Result<ExitStatus>>();
    let waiter = std::thread::spawn(move || {
        let _ = sender.send(child.wait());
    });
    let mut steps = 0;
    let end = loop {
        match receiver.recv_timeout(STEP) {
            Ok(status) if status.as_ref().is_ok_and(ExitStatus::success) => break End::Passed,
            Ok(status) => {
                status.context("wait for a test")?;
                break End::Failed;
            }
            Err(RecvTimeoutError::Timeout) if steps < limit_steps => steps += 1,
            Err(_) => {
                let _ = killpg(group, Signal::SIGKILL);
                break End::Late;
            }
        }
    };
    let _ = waiter.join();
    Ok((end, steps))
}
