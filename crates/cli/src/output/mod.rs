//! What the user sees. Results go to standard output, everything else to standard error.

pub mod affected;
mod counters;
mod entries;
pub mod escape;
pub mod figures;
pub mod meter;
pub mod node;
mod render;
pub mod snapshot;
pub mod table;

use std::fmt::Display;
use std::io::{BufWriter, Stdout, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::json;

use crate::error::{Error, Result};

/// How much is said, and in which form.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// JSON for programs in place of text for people.
    pub json: bool,
    /// Only results that were asked for, and errors.
    pub quiet: bool,
    /// 0, 1 (figures) or 2 (every entry).
    pub verbosity: u8,
    /// Colours on standard error.
    pub colour: bool,
    /// A progress bar may be drawn on standard error.
    pub live: bool,
    /// Standard output is looked at by a person, so every line is shown at once.
    pub line_by_line: bool,
}

/// The two streams. A line is never torn by another thread or by the progress bar.
pub struct Output {
    style: Style,
    stdout: Mutex<BufWriter<Stdout>>,
    bar: Mutex<Option<ProgressBar>>,
}

impl Output {
    /// Results are buffered; [`Self::flush`] comes last.
    pub fn new(style: Style) -> Self {
        Self {
            style,
            stdout: Mutex::new(BufWriter::with_capacity(64 * 1024, std::io::stdout())),
            bar: Mutex::new(None),
        }
    }

    /// How much is said, and in which form.
    pub fn style(&self) -> Style {
        self.style
    }

    /// JSON is wanted.
    pub fn is_json(&self) -> bool {
        self.style.json
    }

    /// A line of what the command was asked for. Not silenced by `--quiet`.
    pub fn result(&self, line: impl Display) -> Result<()> {
        let mut done = Ok(());
        self.beside_the_bar(|| {
            let mut stdout = lock(&self.stdout);
            done = writeln!(stdout, "{line}").and_then(|()| match self.style.line_by_line {
                true => stdout.flush(),
                false => Ok(()),
            });
        });
        done.map_err(|e| Error::standard_output(&e))
    }

    /// Several lines of what the command was asked for.
    pub fn lines(&self, lines: &[String]) -> Result<()> {
        lines.iter().try_for_each(|line| self.result(line))
    }

    /// A line of the report of what was done, for people: nothing with `--quiet` or `--json`.
    pub fn report(&self, line: impl Display) -> Result<()> {
        if self.style.quiet || self.style.json {
            return Ok(());
        }
        self.result(line)
    }

    /// A value as one line of JSON.
    pub fn json(&self, value: &impl Serialize) -> Result<()> {
        let line = serde_json::to_string(value)
            .map_err(|e| Error::failed(format!("write a result as JSON: {e}")))?;
        self.result(line)
    }

    /// Raw bytes of a result, such as a file's content.
    pub fn bytes(&self, bytes: &[u8]) -> Result<()> {
        self.write_raw(bytes)
            .map_err(|e| Error::standard_output(&e))
    }

    /// The same for writers.
    pub fn write_raw(&self, bytes: &[u8]) -> std::io::Result<()> {
        lock(&self.stdout).write_all(bytes)
    }

    /// Puts everything out. Whoever reports success calls it before.
    pub fn flush(&self) -> Result<()> {
        lock(&self.stdout)
            .flush()
            .map_err(|e| Error::standard_output(&e))
    }

    /// Something good to know, on standard error: nothing with `--quiet` or `--json`.
    pub fn note(&self, line: impl Display) {
        if !self.style.quiet && !self.style.json {
            self.aside(line);
        }
    }

    /// Something for those who asked with `--verbose`.
    pub fn detail(&self, level: u8, line: impl Display) {
        if self.style.verbosity >= level {
            self.note(line);
        }
    }

    /// Something the user should know; not silenced by `--quiet`.
    pub fn warning(&self, message: &str) {
        if self.style.json {
            self.aside(json!({"message_type": "warning", "message": message}));
        } else {
            let label = self.coloured("warning:", "1;33");
            self.aside(format_args!("{label} {}", escape::text(message)));
        }
    }

    /// The error that ends the program: what failed, where, and the next step.
    pub fn error(&self, error: &Error) {
        if error.silent {
            return;
        }
        if self.style.json {
            let mut value = json!({
                "message_type": "exit_error",
                "code": error.code.number(),
                "message": error.message,
                "name": error.code.name(),
            });
            if let (Some(hint), Some(object)) = (&error.hint, value.as_object_mut()) {
                object.insert("hint".to_owned(), json!(hint));
            }
            self.aside(value);
            return;
        }
        let label = self.coloured("error:", "1;31");
        self.aside(format_args!("{label} {}", escape::text(&error.message)));
        if let Some(hint) = &error.hint {
            let label = self.coloured("hint:", "1;36");
            self.aside(format_args!("{label} {hint}"));
        }
    }

    /// A line on standard error. A failure there has nowhere to be told and is ignored.
    pub fn aside(&self, line: impl Display) {
        self.beside_the_bar(|| {
            let _ = writeln!(std::io::stderr().lock(), "{line}");
        });
    }

    /// What a program that we run says on its standard error, whole lines or not.
    pub fn foreign(&self, text: &[u8]) {
        let text = String::from_utf8_lossy(text);
        for line in text.lines() {
            self.aside(escape::text(line));
        }
    }

    /// Puts a bar on the last lines of the terminal, or takes it away.
    fn set_bar(&self, bar: Option<ProgressBar>) {
        *lock(&self.bar) = bar;
    }

    fn beside_the_bar(&self, write: impl FnOnce()) {
        let bar = lock(&self.bar);
        match bar.as_ref() {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn coloured(&self, text: &str, code: &str) -> String {
        match self.style.colour {
            true => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }
}

/// A panic elsewhere is no reason to stop talking.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
