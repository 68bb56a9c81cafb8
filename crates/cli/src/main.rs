//! `strongroom`: the command line. It alone prints and reads the environment, the home folder and the terminal.

mod arguments;
mod cache;
mod commands;
mod confirm;
mod context;
mod environment;
mod error;
mod exit;
mod export;
mod hint;
mod host;
mod identifier;
mod index;
mod locking;
mod open;
mod output;
mod parity;
mod password;
mod patterns;
mod select;
mod settings;
mod signal;
mod signing;
mod storages;

use std::ffi::OsString;
use std::sync::{Arc, OnceLock};

use clap::error::ErrorKind;
use tokio_util::sync::CancellationToken;

use arguments::Arguments;
use context::Context;
use environment::Environment;
use error::{Error, Result};
use exit::ExitCode;
use output::{Output, Style};
use signing::Signing;
use strongroom_kernel::LargePages;

#[global_allocator]
static MEMORY: LargePages = LargePages;

fn main() -> std::process::ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    let environment = Environment::read();
    let code = match Arguments::read(&words) {
        Ok(arguments) => execute(arguments, environment),
        Err(error) => refuse(&error, &words),
    };
    std::process::ExitCode::from(code.number())
}

/// Runs the command and tells how it ended.
fn execute(arguments: Arguments, environment: Environment) -> ExitCode {
    let global = arguments.global;
    let output = Arc::new(Output::new(Style {
        json: global.json,
        quiet: global.quiet,
        verbosity: global.verbosity(),
        colour: !global.no_color && environment.colour(environment.stderr_is_terminal),
        live: environment.stderr_is_terminal && !global.json,
        line_by_line: environment.stdout_is_terminal,
    }));
    let context = Context {
        environment,
        global,
        output: Arc::clone(&output),
        cancel: CancellationToken::new(),
        signing: Signing::new(!arguments.command.only_reads()),
        storage_settings: OnceLock::new(),
    };
    let safe_after_interrupt = arguments.command.when_interrupted();
    let result = run(arguments.command, &context).and_then(|code| output.flush().map(|()| code));
    match result {
        Ok(code) => code,
        Err(mut error) => {
            // What was found before the failure is still a result.
            let _ = output.flush();
            if error.code == ExitCode::Interrupted {
                error.message = "interrupted".to_owned();
                error
                    .hint
                    .get_or_insert_with(|| safe_after_interrupt.to_owned());
            }
            output.error(&error);
            error.code
        }
    }
}

fn run(command: commands::Command, context: &Context) -> Result<ExitCode> {
    context.limit_code_path()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::file(&e, "start the runtime"))?;
    let result = runtime.block_on(async {
        signal::watch(context.cancel.clone(), Arc::clone(&context.output))?;
        let ended = command.run(context).await;
        context.remember_signed();
        ended
    });
    // A thread that still waits for a key press or a slow disk must not hold the program.
    runtime.shutdown_background();
    result
}

/// Help and version are results; everything else that clap says is wrong usage.
fn refuse(error: &clap::Error, words: &[OsString]) -> ExitCode {
    let help = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    if help {
        let output = Output::new(Style::default());
        let text = error.render().to_string();
        let shown = output.result(text.trim_end()).and_then(|()| output.flush());
        return match shown {
            Ok(()) => ExitCode::Success,
            Err(error) => error.code,
        };
    }
    if words
        .iter()
        .take_while(|w| *w != "--")
        .any(|w| w == "--json")
    {
        let output = Output::new(Style {
            json: true,
            ..Style::default()
        });
        let text = error.render().to_string();
        output.error(&Error::usage(text.trim_start_matches("error: ").trim_end()));
    } else {
        // clap chooses the colours by the terminal and NO_COLOR itself; a failure has nowhere to be told.
        let _ = error.print();
    }
    ExitCode::Usage
}
