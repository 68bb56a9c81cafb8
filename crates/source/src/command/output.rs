//! The output of a running program.

use std::ffi::OsString;
use std::io::{PipeWriter, Read};
use std::os::unix::process::CommandExt;
use std::process::{ChildStderr, ChildStdout, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use strongroom_repository::backup::{Content, EntryError};
use strongroom_repository::format::Node;

use super::process::{Process, error};
use super::{Invocation, OnStderr};
use crate::stream::empty;

/// Reads the standard output of a program; its standard error is passed on by a thread.
pub(super) struct Output {
    program: OsString,
    process: Arc<Process>,
    stdout: ChildStdout,
    is_empty: bool,
    stderr: Option<Stderr>,
}

impl Output {
    /// Starts the program, without input, as the leader of a process group.
    pub fn start(invocation: &Invocation) -> Result<Self, EntryError> {
        let program = &invocation.program;
        let failed = |during, message: String| error(program, during, message);
        let mut child = std::process::Command::new(program)
            .args(&invocation.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| failed("start", error.to_string()))?;
        let pipes = child.stdout.take().zip(child.stderr.take());
        let process =
            Process::new(child).ok_or_else(|| failed("start", "no process number".to_owned()))?;
        let (stdout, stderr) = pipes.ok_or_else(|| failed("start", "no output".to_owned()))?;
        let stderr = Stderr::pass_on(stderr, Arc::clone(&invocation.on_stderr))
            .map_err(|error| failed("read the errors of", error.to_string()))?;
        Ok(Self {
            program: program.clone(),
            process: Arc::new(process),
            stdout,
            is_empty: true,
            stderr: Some(stderr),
        })
    }

    /// The running program.
    pub fn process(&self) -> Arc<Process> {
        Arc::clone(&self.process)
    }
}

impl Read for Output {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.stdout.read(buffer)?;
        self.is_empty &= length == 0;
        Ok(length)
    }
}

impl Content for Output {
    fn refresh(&self, _: &mut Node) -> Result<(), EntryError> {
        Ok(())
    }

    fn finish(&mut self) -> Result<(), EntryError> {
        let ended = self.process.wait();
        drop(self.stderr.take());
        ended.map_err(|message| error(&self.program, "run", message))?;
        if self.is_empty {
            return Err(empty(self.program.as_encoded_bytes().to_vec()));
        }
        Ok(())
    }
}

impl Drop for Output {
    /// A program that has been waited for is no longer there; any other was given up.
    fn drop(&mut self) {
        self.process.end();
    }
}

/// Passes standard error on until its end, or until this is dropped: a child of the program that lives on may keep the
/// pipe open for ever.
struct Stderr {
    stop: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl Stderr {
    fn pass_on(pipe: ChildStderr, on_stderr: OnStderr) -> std::io::Result<Self> {
        let (stopped, stop) = std::io::pipe()?;
        let thread = std::thread::Builder::new()
            .name("command-stderr".to_owned())
            .spawn(move || pass_on(pipe, &stopped, &on_stderr))?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Stderr {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the callback has been reported by its thread.
            let _ = thread.join();
        }
    }
}

/// What is in the pipe when the stop comes is still passed on.
fn pass_on(mut pipe: ChildStderr, stopped: &std::io::PipeReader, on_stderr: &OnStderr) {
    let mut buffer = [0; 8192];
    loop {
        let mut ready = [
            PollFd::new(&pipe, PollFlags::IN),
            PollFd::new(stopped, PollFlags::IN),
        ];
        if retry_on_intr(|| poll(&mut ready, None)).is_err() {
            return;
        }
        let [has_data, _] = ready.map(|descriptor| !descriptor.revents().is_empty());
        if !has_data {
            return;
        }
        match pipe.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(length) => on_stderr(buffer.get(..length).unwrap_or_default()),
        }
    }
}
