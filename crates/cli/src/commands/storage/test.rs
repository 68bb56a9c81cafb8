//! `strongroom storage test`: what a storage really does.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use strongroom_storage::Probe;
use strongroom_storage::probe::{
    LARGEST_BYTES, Leftovers, ProbeReport, ProbeSettings, Tried, Verdict,
};

use crate::arguments::values;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::table::Table;
use crate::output::{escape, figures};

/// Try out what a storage really does, and show how long it takes
///
/// Writes, reads, lists, replaces and removes files of its own, several at once too, and compares what comes back with what
/// a storage has to keep. No other file is touched. The files lie in a folder strongroom-test-…, or, on a server that takes
/// only restic's names, among the packs, and are removed at the end, also after Ctrl-C.
///
/// Ends with 21 where the storage does not keep what it promises.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Address of the storage [default: that of -r/--repo]
    #[arg(value_name = "URL")]
    pub url: Option<String>,

    /// Size of the large file, at most 1G [default: 16M, and none where nothing can be removed]
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub size: Option<u64>,

    /// Make the storage where it does not exist; it stays
    #[arg(long)]
    pub create: bool,
}

/// Runs the command.
pub async fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode> {
    if arguments.size.is_some_and(|size| size > LARGEST_BYTES) {
        return Err(Error::usage("--size is at most 1G"));
    }
    let storage = match &arguments.url {
        Some(url) => context.storage_at(url)?.1,
        None => Arc::clone(&context.named()?.storage),
    };
    if arguments.create {
        storage.create().await?;
    }
    let location = storage.location();
    let settings = ProbeSettings {
        size_bytes: arguments.size,
    };
    let probe = Probe::new(storage, settings)?;
    let told = |tried: &Tried| {
        let step = words(tried);
        context.output.detail(1, format_args!("tried: {step}"));
    };
    let report = tokio::select! {
        () = context.cancel.cancelled() => None,
        report = probe.run(told) => Some(report),
    };
    let left = probe.clean_up().await;
    warn_of(&left, context);
    let Some(report) = report else {
        return Err(Error::interrupted().hint(match left.paths.is_empty() {
            true => "what the test had written is removed",
            false => "what the test had written is named above",
        }));
    };
    match context.output.is_json() {
        true => context.output.json(&summary(&location, &report, &left))?,
        false => show(&location, &report, context)?,
    }
    end(&location, report)
}

/// What lies there for good is never left without a word.
fn warn_of(left: &Leftovers, context: &Context) {
    const SHOWN: usize = 5;
    let Some(why) = &left.why else {
        return;
    };
    let number = figures::count(left.paths.len() as u64, "file");
    let mut names: Vec<&str> = left.paths.iter().map(|path| path.as_str()).collect();
    if names.len() > SHOWN {
        names.truncate(SHOWN);
        names.push("…");
    }
    context.output.warning(&format!(
        "{number} of this test could not be removed ({}): {}",
        why.message,
        names.join(", ")
    ));
}

fn show(location: &str, report: &ProbeReport, context: &Context) -> Result<()> {
    let output = &context.output;
    output.result(escape::text(location))?;
    let mut steps = Table::new(["Step", "Result", "Time", "Speed", ""]);
    for tried in &report.tried {
        let (result, said) = match &tried.verdict {
            Verdict::Good => ("good", None),
            Verdict::Refused(said) => ("refused", Some(said.clone())),
            Verdict::Broken(said) => ("BROKEN", Some(said.clone())),
            Verdict::Failed(error) => ("failed", Some(error.message.clone())),
            Verdict::LeftOut(said) => ("left out", Some(said.clone())),
            _ => ("", None),
        };
        let said = said.or_else(|| tried.note.clone()).unwrap_or_default();
        let is_tried = !matches!(tried.verdict, Verdict::LeftOut(_));
        steps.row([
            words(tried),
            result.to_owned(),
            if is_tried {
                time(tried.elapsed)
            } else {
                String::new()
            },
            speed(tried),
            escape::text(&said).to_string(),
        ]);
    }
    output.lines(&steps.lines())?;
    let mut found = Table::new(["Capability", "Declared", "Observed"]);
    for one in &report.found {
        let name = one.ability.name().to_owned();
        found.row([name, word(one.declared), word(one.observed)]);
    }
    let plain = [
        ("connections", report.connections.to_string()),
        ("local", word(Some(report.local))),
        ("must_be_created", word(Some(report.must_be_created))),
    ];
    for (name, declared) in plain {
        found.row([name.to_owned(), declared, word(None)]);
    }
    output.lines(&found.lines())
}

fn words(tried: &Tried) -> String {
    tried.step.name().replace('_', " ")
}

fn word(known: Option<bool>) -> String {
    let word = match known {
        Some(true) => "yes",
        Some(false) => "no",
        None => "-",
    };
    word.to_owned()
}

fn time(elapsed: Duration) -> String {
    match elapsed.as_secs_f64() {
        seconds if seconds >= 10.0 => format!("{seconds:.1} s"),
        seconds if seconds >= 1.0 => format!("{seconds:.2} s"),
        seconds => format!("{:.1} ms", seconds * 1000.0),
    }
}

/// Small files say nothing about speed.
fn speed(tried: &Tried) -> String {
    const TELLING: u64 = 256 << 10;
    let seconds = tried.elapsed.as_secs_f64();
    match tried.bytes >= TELLING && seconds > 0.0 {
        true => format!("{}/s", figures::size((tried.bytes as f64 / seconds) as u64)),
        false => String::new(),
    }
}

fn summary(location: &str, report: &ProbeReport, left: &Leftovers) -> Value {
    let step = |tried: &Tried| {
        let said = match &tried.verdict {
            Verdict::Refused(said) | Verdict::Broken(said) | Verdict::LeftOut(said) => Some(said),
            Verdict::Failed(error) => Some(&error.message),
            _ => tried.note.as_ref(),
        };
        json!({
            "step": tried.step.name(), "result": tried.verdict.name(),
            "seconds": tried.elapsed.as_secs_f64(), "bytes": tried.bytes, "said": said,
        })
    };
    let found = report.found.iter().map(|one| {
        json!({ "name": one.ability.name(), "declared": one.declared, "observed": one.observed })
    });
    let is_good = report.broken().next().is_none()
        && !report
            .tried
            .iter()
            .any(|tried| matches!(tried.verdict, Verdict::Failed(_)));
    json!({
        "message_type": "summary",
        "storage": location,
        "outcome": if is_good { "success" } else { "failed" },
        "steps": report.tried.iter().map(step).collect::<Vec<_>>(),
        "capabilities": found.collect::<Vec<_>>(),
        "connections": report.connections,
        "local": report.local,
        "must_be_created": report.must_be_created,
        "clock_ahead_seconds": report.clock_ahead_s,
        "left_over": left.paths.iter().map(|path| path.as_str()).collect::<Vec<_>>(),
    })
}

fn end(location: &str, report: ProbeReport) -> Result<ExitCode> {
    let lies: Vec<String> = report.broken().map(|(_, what)| what.to_owned()).collect();
    if let Some(error) = report.into_failure() {
        return Err(error.into());
    }
    if lies.is_empty() {
        return Ok(ExitCode::Success);
    }
    Err(Error::new(
        ExitCode::DamageFound,
        format!("{location} does not keep what a storage promises: it {}", lies.join("; it ")),
    )
    .hint("what is backed up there may be lost; use another storage, or another way to reach this one"))
}
