//! A program that has ended, and what it left.

use std::ffi::OsStr;
use std::fmt;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

/// A finished run of a program.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The command as a person would type it, without its environment.
    pub command: String,
    /// Exit code; 128 + number where a signal ended it, as shells say it.
    pub code: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

impl Ran {
    /// Runs the command to its end with `stdin` as its input.
    ///
    /// # Panics
    /// Where the program cannot be started.
    pub fn run(command: &mut Command, stdin: &[u8]) -> Self {
        let typed = typed(command);
        let mut child = command
            .stdin(if stdin.is_empty() {
                Stdio::null()
            } else {
                Stdio::piped()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {typed}: {e}"));
        let pipe = child.stdin.take();
        let output = std::thread::scope(|scope| {
            // A program may end without reading all of its input; that is its affair.
            scope.spawn(move || pipe.map(|mut pipe| pipe.write_all(stdin)));
            child
                .wait_with_output()
                .unwrap_or_else(|e| panic!("waiting for {typed}: {e}"))
        });
        Self::from_output(typed, output)
    }

    /// Takes the output of a child that the test started itself.
    pub fn from_output(command: impl Into<String>, output: std::process::Output) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let code = output
            .status
            .code()
            .or_else(|| output.status.signal().map(|n| 128 + n))
            .unwrap_or(-1);
        Self {
            command: command.into(),
            code,
            stdout: output.stdout,
            stderr: output.stderr,
        }
    }

    /// Panics with the whole output where the exit code is another.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert!(self.code == code, "expected exit code {code}\n{self}");
        self
    }

    /// Panics with the whole output where the program failed.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.expect_code(0)
    }

    /// Standard output as text; what is no UTF-8 is replaced.
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text; what is no UTF-8 is replaced.
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Standard output as one JSON value.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|e| panic!("standard output is not JSON: {e}\n{self}"))
    }

    /// Standard output as JSON values, one a line.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let parse = |line: &str| {
            serde_json::from_str(line)
                .unwrap_or_else(|e| panic!("a line is not JSON: {e}\n{line}\n{self}"))
        };
        self.stdout_text()
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(parse)
            .collect()
    }

    /// The last JSON value whose `message_type` is this one.
    #[track_caller]
    pub fn json_message(&self, message_type: &str) -> Value {
        let found = self
            .json_lines()
            .into_iter()
            .rfind(|v| v["message_type"] == message_type);
        found.unwrap_or_else(|| panic!("no message of type {message_type:?}\n{self}"))
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ {}\nexit code {}", self.command, self.code)?;
        writeln!(f, "--- standard output\n{}", shortened(&self.stdout_text()))?;
        writeln!(
            f,
            "--- standard error\n{}---",
            shortened(&self.stderr_text())
        )
    }
}

/// The first and last parts of a long text, so that the message of a failed test stays readable.
fn shortened(text: &str) -> String {
    const KEEP_LINES: usize = 100;
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() <= 2 * KEEP_LINES {
        return text.to_owned();
    }
    let left_out = lines.len() - 2 * KEEP_LINES;
    let (head, tail) = (&lines[..KEEP_LINES], &lines[lines.len() - KEEP_LINES..]);
    format!(
        "{}\n… {left_out} lines left out …\n{}\n",
        head.join("\n"),
        tail.join("\n")
    )
}

/// The command line without its environment, where passwords are.
fn typed(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::Ran;

    #[test]
    fn input_output_and_exit_code_arrive() {
        let ran = Ran::run(
            Command::new("sh").args(["-c", "cat; echo oops >&2; exit 7"]),
            b"{\"a\":1}\n",
        );
        assert_eq!((ran.code, ran.stderr_text().as_str()), (7, "oops\n"));
        assert_eq!(ran.json_lines()[0]["a"], 1);
    }

    #[test]
    fn a_signal_is_told_as_shells_tell_it() {
        assert_eq!(
            Ran::run(Command::new("sh").args(["-c", "kill -9 $$"]), b"").code,
            137
        );
    }

    #[test]
    #[should_panic(expected = "expected exit code 0")]
    fn a_failed_program_fails_the_test() {
        Ran::run(&mut Command::new("false"), b"").ok();
    }
}
