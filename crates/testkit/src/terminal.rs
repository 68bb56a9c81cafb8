//! A program that believes it is at a terminal: for prompts, confirmations and progress.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::Ran;

/// How long a program may stay silent while a test waits for its text. Long enough for any machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running program on a terminal of its own, made by `script` of util-linux.
#[derive(Debug)]
pub struct Terminal {
    command: String,
    child: Child,
    keyboard: Option<ChildStdin>,
    screen: Receiver<Vec<u8>>,
    seen: Vec<u8>,
    read_up_to: usize,
}

impl Terminal {
    /// Starts the command on a terminal. Its standard streams are replaced; environment and directory are kept.
    pub fn start(command: &Command) -> Self {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let line = words.map(quoted).collect::<Vec<_>>().join(" ");
        let mut script = Command::new("script");
        script.args([
            "--quiet",
            "--return",
            "--flush",
            "--command",
            &line,
            "/dev/null",
        ]);
        script
            .env_clear()
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh");
        script.envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        if let Some(directory) = command.get_current_dir() {
            script.current_dir(directory);
        }
        script
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = script
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start script of util-linux: {e}"));
        let (keyboard, mut output) = (child.stdin.take(), child.stdout.take().expect("a pipe"));
        let (sender, screen) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = output.read(&mut buffer) {
                if sender.send(buffer[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            command: line,
            child,
            keyboard,
            screen,
            seen: Vec::new(),
            read_up_to: 0,
        }
    }

    /// Waits until the text is on the screen, behind what was waited for before.
    ///
    /// # Panics
    /// Where the program ends or stays silent instead; shows all that it wrote.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        loop {
            let unread = &self.seen[self.read_up_to..];
            if let Some(at) = unread
                .windows(text.len())
                .position(|window| window == text.as_bytes())
            {
                self.read_up_to += at + text.len();
                return;
            }
            match self.screen.recv_timeout(PATIENCE) {
                Ok(bytes) => self.seen.extend(bytes),
                Err(e) => {
                    let seen = String::from_utf8_lossy(&self.seen);
                    let why = if e == RecvTimeoutError::Timeout {
                        "is silent"
                    } else {
                        "has ended"
                    };
                    panic!(
                        "{} {why} and did not write {text:?}. It wrote:\n{seen}",
                        self.command
                    );
                }
            }
        }
    }

    /// Types a line and the enter key.
    pub fn type_line(&mut self, line: &str) {
        self.press(format!("{line}\n").as_bytes());
    }

    /// Presses keys; `\x03` is Ctrl-C.
    pub fn press(&mut self, keys: &[u8]) {
        let keyboard = self.keyboard.as_mut().expect("a keyboard");
        keyboard
            .write_all(keys)
            .and_then(|()| keyboard.flush())
            .expect("typing");
    }

    /// Waits for the end. What was on the screen, both output streams together, is the standard output.
    pub fn finish(mut self) -> Ran {
        while let Ok(bytes) = self.screen.recv_timeout(PATIENCE) {
            self.seen.extend(bytes);
        }
        drop(self.keyboard.take());
        let status = self.child.wait().expect("waiting for script");
        let output = std::process::Output {
            status,
            stdout: std::mem::take(&mut self.seen),
            stderr: Vec::new(),
        };
        Ran::from_output(self.command.clone(), output)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A word as the shell takes it literally.
fn quoted(word: &OsStr) -> String {
    format!("'{}'", word.to_str().expect("UTF-8").replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::Terminal;

    #[test]
    fn a_question_gets_its_answer_and_the_exit_code_comes_back() {
        let asks =
            "test -t 0 && test -t 1 && printf 'sure? ' && read a && echo \"it's $a\" && exit 26";
        let mut terminal = Terminal::start(Command::new("sh").args(["-c", asks]));
        terminal.wait_for("sure? ");
        terminal.type_line("yes");
        terminal.wait_for("it's yes");
        assert_eq!(terminal.finish().code, 26);
    }

    #[test]
    fn control_c_arrives() {
        let waits = "trap 'exit 130' INT; echo ready; while :; do sleep 0.05; done";
        let mut terminal = Terminal::start(Command::new("sh").args(["-c", waits]));
        terminal.wait_for("ready");
        terminal.press(b"\x03");
        assert_eq!(terminal.finish().code, 130);
    }

    #[test]
    #[should_panic(expected = "did not write \"never\"")]
    fn a_missing_prompt_fails_the_test() {
        Terminal::start(Command::new("sh").args(["-c", "echo other"])).wait_for("never");
    }
}
