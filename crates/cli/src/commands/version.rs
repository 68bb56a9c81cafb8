//! `strongroom version`.

use clap::Args;
use serde_json::json;

use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;

/// Print the version
#[derive(Debug, Args)]
pub struct Arguments {}

/// Runs the command.
pub fn run(_arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let (version, os, arch) = (
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
    );
    if context.output.is_json() {
        context.output.json(&json!({
            "message_type": "version", "program": "strongroom", "version": version,
            "os": os, "arch": arch, "repository_versions": [1, 2],
        }))?;
    } else {
        context
            .output
            .result(format_args!("strongroom {version} on {os}/{arch}"))?;
    }
    Ok(ExitCode::Success)
}
