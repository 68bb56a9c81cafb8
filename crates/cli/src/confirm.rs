//! The question before something is removed or overwritten.

use std::ffi::OsStr;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::escape;

/// Asks whether to go on with `action` ("remove 3 snapshots"), whose plan the user has been shown.
///
/// `--yes` or `STRONGROOM_YES=1` is a yes given in advance; the variable is there for programs that were written to
/// drive restic, which asks nothing. Without either and without a terminal the answer is no (exit code 26).
pub async fn confirm(context: &Context, action: &str) -> Result<()> {
    if is_yes(context) {
        return Ok(());
    }
    let environment = &context.environment;
    if context.global.json || !environment.stdin_is_terminal || !environment.stderr_is_terminal {
        return Err(Error::refused(format!(
            "to {action} needs a confirmation and there is no terminal to ask at; nothing was changed"
        ))
        .hint("add --yes, or set STRONGROOM_YES=1, if that is what is wanted"));
    }
    context.output.flush()?;
    context.output.aside(format_args!(
        "{}? [y/N]",
        escape::text(&capitalised(action))
    ));
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    });
    let answer = tokio::select! {
        () = context.cancel.cancelled() => return Err(Error::interrupted().hint("nothing was changed")),
        answer = answer => answer,
    };
    let answer = answer
        .map_err(|e| Error::failed(format!("read the answer: {e}")))?
        .map_err(|e| Error::file(&e, "read the answer"))?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Error::refused("not confirmed; nothing was changed")),
    }
}

/// A yes was given in advance.
pub fn is_yes(context: &Context) -> bool {
    let variable = context.environment.variable("STRONGROOM_YES");
    let no = ["0", "no", "false"].map(OsStr::new);
    context.global.yes || variable.is_some_and(|value| !no.contains(&value))
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
