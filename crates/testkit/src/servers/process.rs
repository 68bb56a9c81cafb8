//! A server's process.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process_group};

/// A process that serves until this is dropped, or until the test's own process is gone. What it says on standard error is
/// kept for the messages of a test that fails.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl ServerProcess {
    /// Starts it and waits for the line on standard error that says where it listens: the first of which `ready` makes
    /// something.
    ///
    /// # Panics
    /// Where the program is missing, or ends before it says so.
    pub fn start<T>(command: &mut Command, ready: impl Fn(&str) -> Option<T>) -> (Self, T) {
        Self::attempt(command, ready).unwrap_or_else(|why| panic!("{why}"))
    }

    /// As before, for a program that may have a reason to end.
    ///
    /// # Errors
    /// What it said before it ended.
    ///
    /// # Panics
    /// Where the program is missing.
    pub fn attempt<T>(
        command: &mut Command,
        ready: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T), String> {
        let program = command.get_program().to_owned();
        let mut guarded = Command::new("setpriv");
        guarded
            .args(["--pdeathsig", "KILL"])
            .arg(&program)
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => guarded.env(name, value),
                None => guarded.env_remove(name),
            };
        }
        guarded
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = guarded.spawn().unwrap_or_else(|e| {
            panic!("cannot start {program:?} ({e}); run scripts/install-test-packages as root")
        });
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let said = Arc::new(Mutex::new(String::new()));
        let found = loop {
            let Some(Ok(line)) = lines.next() else {
                let _ = child.wait();
                let said = said.lock().unwrap();
                return Err(format!(
                    "{program:?} ended before it listened; scripts/install-test-packages installs what is missing: {said}"
                ));
            };
            said.lock().unwrap().push_str(&format!("{line}\n"));
            if let Some(found) = ready(&line) {
                break found;
            }
        };
        let rest = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                rest.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        Ok((Self { child, said }, found))
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}
