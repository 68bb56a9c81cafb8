//! Other programs that a storage runs, ended with everything that they have started.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::ErrorKind;
use crate::failure::Failure;

/// A program in a process group of its own, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    group: Option<Pid>,
}

impl Process {
    /// Starts a program with pipes to its standard input and output; standard error is ours, where a person reads it.
    pub(crate) fn start(
        program: &str,
        arguments: &[String],
    ) -> Result<(Self, ChildStdin, ChildStdout), Failure> {
        let failed = |why: String| {
            let message = format!("start the program {program:?}: {why}");
            Failure::new(ErrorKind::Unsupported, message)
        };
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| failed(e.to_string()))?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let group = id.and_then(Pid::from_raw);
        match (child.stdin.take(), child.stdout.take()) {
            (Some(stdin), Some(stdout)) => Ok((Self { child, group }, stdin, stdout)),
            _ => Err(failed("it has no pipes".to_owned())),
        }
    }

    /// How it ended, where it has or does so soon.
    pub(crate) async fn ended(&mut self, soon: Duration) -> Option<String> {
        let status = tokio::time::timeout(soon, self.child.wait()).await;
        Some(status.ok()?.ok()?.to_string())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Until it has been waited for, the number is still its own.
        if let (Some(group), Ok(None)) = (self.group, self.child.try_wait()) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
