//! A password typed at the terminal, not shown.

use std::fs::File;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::{ExposeSecret, SecretString};

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
    let first = hidden(context, &terminal, format!("{new}password for {what}: ")).await?;
    if purpose == Purpose::New {
        let second = hidden(context, &terminal, "the same again: ".to_owned()).await?;
        if first.expose_secret() != second.expose_secret() {
            return Err(Error::failed(
                "the two passwords differ; nothing was changed",
            ));
        }
    }
    Ok(first)
}

async fn hidden(context: &Context, terminal: &File, prompt: String) -> Result<SecretString> {
    let before = tcgetattr(terminal).ok();
    let typed = tokio::task::spawn_blocking(move || {
        rpassword::prompt_password(prompt).map(SecretString::from)
    });
    tokio::select! {
        () = context.cancel.cancelled() => {
            restore(terminal, before.as_ref());
            Err(Error::interrupted().hint("nothing was changed"))
        }
        typed = typed => typed
            .map_err(|e| Error::failed(format!("read the password: {e}")))?
            .map_err(|e| Error::file(&e, "read the password from the terminal")),
    }
}

/// The thread that reads goes on waiting after Ctrl-C, so it cannot turn the echo on again.
fn restore(terminal: &File, before: Option<&Termios>) {
    if let Some(before) = before {
        // Without the terminal there is nothing to restore.
        let _ = tcsetattr(terminal, OptionalActions::Now, before);
    }
}

fn none_given(what: &str) -> Error {
    Error::usage(format!(
        "no password was given for {what}, and there is no terminal to ask at"
    ))
    .hint("give --password-file or --password-command, or set STRONGROOM_PASSWORD, STRONGROOM_PASSWORD_FILE or STRONGROOM_PASSWORD_COMMAND")
}
