//! A password typed at the terminal, not shown.

use std::fs::File;
use std::io::{Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::Purpose;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::escape;

/// Asks for the password; twice for a new one.
pub async fn ask(context: &Context, purpose: Purpose, what: &str) -> Result<SecretString> {
    let environment = &context.environment;
    // With `--stdin` standard input is data while a person may still sit at the terminal.
    if !environment.stdin_is_terminal && !environment.stderr_is_terminal {
        return Err(none_given(what));
    }
    let Ok(terminal) = File::options().read(true).write(true).open("/dev/tty") else {
        return Err(none_given(what));
    };
    let new = if purpose == Purpose::New { "new " } else { "" };
    let what = escape::text(what).into_owned();
    // The echo is off before the first question and until after the last: what is typed early is not shown either.
    let _hidden = NoEcho::on(&terminal)
        .map_err(|e| Error::file(&e.into(), "turn the terminal's echo off"))?;
    let first = typed(context, &terminal, format!("{new}password for {what}: ")).await?;
    if purpose == Purpose::New {
        let second = typed(context, &terminal, "the same again: ".to_owned()).await?;
        if first.expose_secret() != second.expose_secret() {
            return Err(Error::failed(
                "the two passwords differ; nothing was changed",
            ));
        }
    }
    Ok(first)
}

async fn typed(context: &Context, terminal: &File, prompt: String) -> Result<SecretString> {
    let reading = |e: &std::io::Error| Error::file(e, "read the password from the terminal");
    let terminal = terminal.try_clone().map_err(|e| reading(&e))?;
    let line = tokio::task::spawn_blocking(move || read_line(terminal, &prompt));
    let line = tokio::select! {
        () = context.cancel.cancelled() => {
            return Err(Error::interrupted().hint("nothing was changed"));
        }
        line = line => line.map_err(|e| Error::failed(format!("read the password: {e}")))?,
    };
    let line = line.map_err(|e| reading(&e))?;
    std::str::from_utf8(&line)
        .map(SecretString::from)
        .map_err(|_| Error::usage("the password that was typed is not UTF-8"))
}

/// The terminal hands over a line at a time; one longer than it takes (4 096 bytes) is no password.
fn read_line(mut terminal: File, prompt: &str) -> std::io::Result<Zeroizing<Vec<u8>>> {
    terminal.write_all(prompt.as_bytes())?;
    let mut line = Zeroizing::new(Vec::with_capacity(4096));
    let mut byte = [0];
    loop {
        match terminal.read(&mut byte)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ if byte == *b"\n" => return Ok(line),
            _ => line.extend_from_slice(&byte),
        }
    }
}

/// Turns the echo off, and on again at the end, also when the question is given up after Ctrl-C.
struct NoEcho<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> NoEcho<'a> {
    fn on(terminal: &'a File) -> rustix::io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        hidden.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(terminal, OptionalActions::Now, &hidden)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for NoEcho<'_> {
    fn drop(&mut self) {
        // Without the terminal there is nothing to restore.
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

fn none_given(what: &str) -> Error {
    Error::usage(format!(
        "no password was given for {what}, and there is no terminal to ask at"
    ))
    .hint("give --password-file or --password-command, or set STRONGROOM_PASSWORD, STRONGROOM_PASSWORD_FILE or STRONGROOM_PASSWORD_COMMAND")
}
