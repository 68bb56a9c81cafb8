//! Other programs that a storage runs, ended with everything that they have started.

use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::io::retry_on_intr;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::oneshot;

use crate::ErrorKind;
use crate::failure::Failure;

/// A program in a process group of its own. The group ends when this is dropped, and when the program does: what it has
/// started would keep the pipes open, and whoever reads from them would wait for an answer that nobody gives.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    group: Option<Arc<Group>>,
    /// Is told when the program has ended.
    watched: Option<oneshot::Receiver<()>>,
}

/// A process group. Its number is the program's own until somebody has waited for that, which happens only after the group has been ended here:
/// no signal goes to a stranger who got the number later.
#[derive(Debug)]
struct Group {
    number: Pid,
    has_ended: Mutex<bool>,
}

impl Group {
    fn end(&self) {
        let mut has_ended = self
            .has_ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut *has_ended, true) {
            let _ = kill_process_group(self.number, Signal::KILL);
        }
    }
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
        let group = id.and_then(Pid::from_raw).map(|number| {
            let has_ended = Mutex::new(false);
            Arc::new(Group { number, has_ended })
        });
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let process = Self {
            child,
            watched: group.clone().and_then(end_with_program),
            group,
        };
        match (stdin, stdout) {
            (Some(stdin), Some(stdout)) => Ok((process, stdin, stdout)),
            _ => Err(failed("it has no pipes".to_owned())),
        }
    }

    /// How it ended, where it has or does so soon.
    pub(crate) async fn ended(&mut self, soon: Duration) -> Option<String> {
        let status = tokio::time::timeout(soon, async {
            if let Some(watched) = &mut self.watched {
                let _ = watched.await;
                self.watched = None;
            }
            self.child.wait().await
        });
        Some(status.await.ok()?.ok()?.to_string())
    }
}

/// Ends the group when the program ends, and tells. Without a thread to be had, the limits of time have to do.
fn end_with_program(group: Arc<Group>) -> Option<oneshot::Receiver<()>> {
    let (tell, watched) = oneshot::channel();
    let wait = move || {
        // Leaves its status to be taken.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        if retry_on_intr(|| waitid(WaitId::Pid(group.number), options)).is_ok() {
            group.end();
        }
        let _ = tell.send(());
    };
    let thread = std::thread::Builder::new().name("program".to_owned());
    thread.spawn(wait).ok().map(|_| watched)
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(group) = &self.group {
            group.end();
        }
    }
}
