//! A running program that is never left behind.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, waitid,
};
use strongroom_repository::backup::EntryError;

/// How long a program may take to end by itself once it was asked to.
const GRACE: Duration = Duration::from_secs(5);

/// A child that leads a process group of its own.
pub(super) struct Process {
    pid: Pid,
    state: Mutex<State>,
}

struct State {
    child: Child,
    /// Set once it is reaped: from then on its number may belong to another process.
    status: Option<ExitStatus>,
    /// It was ended from here.
    ended: bool,
}

impl Process {
    /// Takes over a child that was started as the leader of a process group.
    pub fn new(child: Child) -> Option<Self> {
        let pid = Pid::from_raw(i32::try_from(child.id()).ok()?)?;
        Some(Self {
            pid,
            state: Mutex::new(State {
                child,
                status: None,
                ended: false,
            }),
        })
    }

    /// Waits for the program to end by itself; `Err` says why its output is not whole.
    pub fn wait(&self) -> Result<(), String> {
        // Waits without reaping: the number stays its own, so that it can still be ended meanwhile.
        let exited = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let _ = retry_on_intr(|| waitid(WaitId::Pid(self.pid), exited));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let status = state.reap().map_err(|error| error.to_string())?;
        match (state.ended, status.code(), status.signal()) {
            (true, ..) => Err("interrupted".to_owned()),
            (_, Some(0), _) => Ok(()),
            (_, Some(code), _) => Err(format!("exit status {code}")),
            (_, None, Some(signal)) => Err(format!("killed by signal {signal}")),
            (_, None, None) => Err(status.to_string()),
        }
    }

    /// Ends the program with all of its group, and reaps it. It is asked first; what is left after the grace is killed.
    pub fn end(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.status.is_some() {
            return;
        }
        state.ended = true;
        // Errors mean that there is nobody left to end.
        let _ = kill_process_group(self.pid, Signal::TERM);
        self.wait_for_grace();
        // The leader is not reaped yet, so the number of the group cannot belong to another.
        let _ = kill_process_group(self.pid, Signal::KILL);
        let _ = state.reap();
    }

    fn wait_for_grace(&self) {
        let Ok(descriptor) = pidfd_open(self.pid, PidfdFlags::empty()) else {
            return;
        };
        let grace = Timespec {
            tv_sec: GRACE.as_secs().try_into().unwrap_or(0),
            tv_nsec: 0,
        };
        let mut ended = [PollFd::new(&descriptor, PollFlags::IN)];
        let _ = retry_on_intr(|| poll(&mut ended, Some(&grace)));
    }
}

impl State {
    fn reap(&mut self) -> std::io::Result<ExitStatus> {
        let status = self.child.wait()?;
        self.status = Some(status);
        Ok(status)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// An error that names the program, not its arguments.
pub(super) fn error(program: &OsStr, during: &'static str, message: String) -> EntryError {
    EntryError {
        path: program.as_bytes().to_vec(),
        during,
        message,
        vanished: false,
    }
}
