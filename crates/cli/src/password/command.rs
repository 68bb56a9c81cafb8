//! A password from a command.

use std::process::Stdio;

use secrecy::SecretString;
use zeroize::Zeroize;

use crate::context::Context;
use crate::error::{Error, Result};

/// Runs the command and takes what it prints, without the white space around it.
///
/// The line is split into words as a shell does, and no shell runs: `$`, `;`, `|` have no meaning. Standard input and
/// error are the terminal's, so that the command may ask; its exit status counts. There is no time-out, since it may be
/// waiting for a person, but Ctrl-C ends it.
pub async fn run(line: &str, context: &Context) -> Result<SecretString> {
    // The line itself may hold a secret, so no message repeats more of it than the program's name.
    let words = shell_words::split(line)
        .map_err(|_| Error::usage("the password command has a quote without its end"))?;
    let Some((program, arguments)) = words.split_first() else {
        return Err(Error::usage("the password command is empty"));
    };
    let failed = |why: String| {
        Error::failed(format!(
            "get the password from the command {program:?}: {why}"
        ))
        .hint("run the command by hand: it has to print the password and end with status 0")
    };
    let child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::inherit())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| failed(e.to_string()))?;
    let output = tokio::select! {
        () = context.cancel.cancelled() => return Err(Error::interrupted().hint("nothing was changed")),
        output = child.wait_with_output() => output.map_err(|e| failed(e.to_string()))?,
    };
    let mut printed = output.stdout;
    if !output.status.success() {
        printed.zeroize();
        return Err(failed(format!("it ended with {}", output.status)));
    }
    let secret = std::str::from_utf8(&printed)
        .map(|text| SecretString::from(text.trim()))
        .map_err(|_| failed("what it printed is not UTF-8".to_owned()));
    printed.zeroize();
    secret
}
