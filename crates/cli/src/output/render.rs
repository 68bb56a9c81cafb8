//! Draws the state of an operation: a bar on a terminal, a line now and then in a log, `status` messages as JSON.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value, json};
use strongroom_repository::progress::{Amount, Phase};

use super::meter::{Activity, Pace, State};
use super::{Output, escape, figures};

enum Canvas {
    Terminal(ProgressBar),
    Json,
    Log,
}

/// What the drawing thread holds.
pub(super) struct Renderer {
    output: Arc<Output>,
    canvas: Canvas,
    speed: Speed,
}

impl Renderer {
    /// `None` where nothing is to be shown.
    pub(super) fn new(output: &Arc<Output>, activity: Activity, is_alone: bool) -> Option<Self> {
        let style = output.style();
        let canvas = match style {
            _ if style.json && activity == Activity::Other => return None,
            _ if style.json => Canvas::Json,
            _ if style.quiet => return None,
            _ if style.live && is_alone => Canvas::Terminal(bar()),
            _ => Canvas::Log,
        };
        if let Canvas::Terminal(bar) = &canvas {
            output.set_bar(Some(bar.clone()));
        }
        Some(Self {
            output: Arc::clone(output),
            canvas,
            speed: Speed::default(),
        })
    }

    pub(super) fn interval(&self, pace: Pace) -> Duration {
        match self.canvas {
            Canvas::Terminal(_) => pace.live,
            Canvas::Json => pace.json,
            Canvas::Log => pace.log,
        }
    }

    pub(super) fn show(&mut self, state: &State) {
        match &self.canvas {
            Canvas::Terminal(bar) => {
                let current = state.current();
                let mut text = self.speed.line(state);
                if !current.is_empty() {
                    text.push('\n');
                    text.push_str(&escape::name(&current));
                }
                bar.set_message(text);
            }
            Canvas::Json => {
                let status = match state.activity {
                    Activity::Restore => restore_status(state),
                    _ => backup_status(state),
                };
                // A reader that has gone is noticed when the report is written.
                let _ = self.output.json(&status).and_then(|()| self.output.flush());
            }
            Canvas::Log => {
                let line = self.speed.line(state);
                match &state.about {
                    Some(about) => self.output.note(format_args!("{line} ({about})")),
                    None => self.output.note(line),
                }
            }
        }
    }

    /// Takes the bar away; says the last figures as JSON for those who add them up.
    pub(super) fn clear(&mut self, _state: &State) {
        if let Canvas::Terminal(bar) = &self.canvas {
            self.output.set_bar(None);
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    // The template is a constant without fields that could be wrong; the default style would do as well.
    bar.set_style(
        ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    bar
}

/// Bytes a second, smoothed over a few seconds.
#[derive(Default)]
struct Speed {
    last: Option<(Instant, u64)>,
    bytes_per_second: f64,
    /// How much of the average is measured; the rest is the zero that it began with.
    measured: f64,
}

impl Speed {
    fn update(&mut self, bytes: u64) -> f64 {
        const SMOOTHING_S: f64 = 5.0;
        let now = Instant::now();
        if let Some((then, before)) = self.last {
            let elapsed = now.duration_since(then).as_secs_f64();
            if bytes < before {
                // Another phase began.
                (self.bytes_per_second, self.measured) = (0.0, 0.0);
            } else if elapsed > 0.0 {
                let momentary = (bytes - before) as f64 / elapsed;
                let weight = match self.bytes_per_second > 0.0 {
                    true => 1.0 - (-elapsed / SMOOTHING_S).exp(),
                    false => 1.0,
                };
                self.bytes_per_second += weight * (momentary - self.bytes_per_second);
                self.measured += weight * (1.0 - self.measured);
            }
        }
        self.last = Some((now, bytes));
        match self.measured > 0.0 {
            true => self.bytes_per_second / self.measured,
            false => 0.0,
        }
    }

    /// `[0:12] 45.00%  backing up: 123 / 456 files, 1.2 GiB / 2.6 GiB, 55 MiB/s, 0:20 left, 2 errors`
    fn line(&mut self, state: &State) -> String {
        let (total, done) = (state.total(), state.done());
        let speed = self.update(done.bytes);
        let elapsed = figures::seconds(state.started.elapsed().as_secs());
        let known = state.is_total_known();
        let mut parts = amounts(done, total);
        if speed >= 1.0 {
            parts.push(format!("{}/s", figures::size(speed as u64)));
            let left = total.bytes.saturating_sub(done.bytes) as f64 / speed;
            if known && done.bytes > 0 && left < 1e7 {
                parts.push(format!("{} left", figures::seconds(left as u64)));
            }
        }
        let errors = state.errors.load(Relaxed);
        if errors > 0 {
            parts.push(figures::count(errors, "error"));
        }
        let share = match known.then(|| share(done, total)).flatten() {
            Some(share) => format!(" {:.2}%", 100.0 * share),
            None => String::new(),
        };
        let phase = state.phase().map_or("working", |(phase, _)| words(phase));
        format!("[{elapsed}]{share} {phase}: {}", parts.join(", "))
    }
}

/// The parts that count in this phase, each with its total where one is known.
fn amounts(done: Amount, total: Amount) -> Vec<String> {
    let of = |done: String, total: u64, show: &dyn Fn(u64) -> String| match total {
        0 => done,
        total => format!("{done} / {}", show(total)),
    };
    let plain = |n: u64| n.to_string();
    let mut parts = Vec::new();
    if done.files > 0 || total.files > 0 {
        parts.push(of(done.files.to_string(), total.files, &plain) + " files");
    }
    // Where files are counted, items are the same with directories and links: a second number says nothing more.
    if parts.is_empty() && (done.items > 0 || total.items > 0) {
        parts.push(of(done.items.to_string(), total.items, &plain));
    }
    if done.bytes > 0 || total.bytes > 0 {
        parts.push(of(figures::size(done.bytes), total.bytes, &figures::size));
    }
    parts
}

fn share(done: Amount, total: Amount) -> Option<f64> {
    [
        (done.bytes, total.bytes),
        (done.items, total.items),
        (done.files, total.files),
    ]
    .into_iter()
    .find(|(_, total)| *total > 0)
    .map(|(done, total)| figures::fraction(done, total))
}

fn words(phase: Phase) -> &'static str {
    match phase {
        Phase::LoadIndex => "loading the index",
        Phase::LoadSnapshots => "loading snapshots",
        Phase::VerifySignatures => "verifying signatures",
        Phase::Scan => "scanning",
        Phase::Backup => "backing up",
        Phase::ReadTrees => "reading trees",
        Phase::CheckPacks => "checking packs",
        Phase::ReadData => "reading data",
        Phase::PlanRestore => "comparing with the target",
        Phase::Restore => "restoring",
        Phase::Verify => "verifying",
        Phase::Copy => "copying",
        Phase::Repack => "repacking",
        Phase::WriteIndex => "writing the index",
        Phase::DeletePacks => "removing packs",
        Phase::DeleteFiles => "removing files",
        _ => "working",
    }
}

/// restic's `status` of a backup. As there, what is zero is left out.
fn backup_status(state: &State) -> Value {
    let (total, done) = (state.total(), state.done());
    let elapsed = state.started.elapsed().as_secs();
    let percent = match total.bytes {
        0 => 0.0,
        _ => figures::fraction(done.bytes, total.bytes),
    };
    let remaining = match percent > 0.0 && state.is_total_known() {
        true => (elapsed as f64 * (1.0 - percent) / percent) as u64,
        false => 0,
    };
    let mut status = message(percent);
    put(&mut status, "seconds_elapsed", elapsed);
    put(&mut status, "seconds_remaining", remaining);
    put(&mut status, "total_files", total.files);
    put(&mut status, "files_done", done.files);
    put(&mut status, "total_bytes", total.bytes);
    put(&mut status, "bytes_done", done.bytes);
    put(&mut status, "error_count", state.errors.load(Relaxed));
    let current = state.current();
    if !current.is_empty() {
        let current = String::from_utf8_lossy(&current);
        status.insert("current_files".to_owned(), json!([current]));
    }
    Value::Object(status)
}

/// restic's `status` of a restore.
fn restore_status(state: &State) -> Value {
    let (total, done, skipped) = (state.total(), state.done(), state.skipped());
    let percent = match total.bytes {
        0 => 0.0,
        _ => figures::fraction(done.bytes, total.bytes),
    };
    let mut status = message(percent);
    put(
        &mut status,
        "seconds_elapsed",
        state.started.elapsed().as_secs(),
    );
    put(&mut status, "total_files", total.files);
    put(&mut status, "files_restored", done.files);
    put(&mut status, "files_skipped", skipped.files);
    put(&mut status, "files_deleted", state.deleted());
    put(&mut status, "total_bytes", total.bytes);
    put(&mut status, "bytes_restored", done.bytes);
    put(&mut status, "bytes_skipped", skipped.bytes);
    Value::Object(status)
}

fn message(percent_done: f64) -> Map<String, Value> {
    let mut status = Map::new();
    status.insert("message_type".to_owned(), json!("status"));
    status.insert("percent_done".to_owned(), json!(percent_done));
    status
}

fn put(status: &mut Map<String, Value>, name: &str, value: u64) {
    if value > 0 {
        status.insert(name.to_owned(), json!(value));
    }
}
