//! What a command does with what a verification finds.

use serde_json::json;
use strongroom_repository::Repository;
use strongroom_repository::check::Severity;
use strongroom_repository::format::Id;
use strongroom_repository::signature::{
    SignatureFinding, SignatureFindingKind, SignatureOptions, SignatureReport,
};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::figures;
use crate::output::meter::Activity;

/// Warnings of things that do not concern the command; the rest is counted.
const WARNINGS_MAX: usize = 8;

/// The snapshots that a command has chosen, and how.
#[derive(Debug, Clone, Copy)]
pub struct Selected<'a> {
    /// Which.
    pub ids: &'a [Id],
    /// The newest was asked for, so one that is hidden matters.
    pub is_latest: bool,
    /// Files come out of it: tampering is refused, not only told.
    pub strict: bool,
}

impl Context {
    /// Verifies the signatures of a repository, where keys were given; remembers what was seen.
    pub async fn verify_signatures(
        &self,
        repository: &Repository,
    ) -> Result<Option<SignatureReport>> {
        let keys = self.keys_where_required()?;
        if keys.is_empty() {
            return Ok(None);
        }
        let id = repository.config().id;
        let remembered = self.remembered(&id)?;
        let options = SignatureOptions {
            keys,
            remembered: remembered.clone(),
        };
        let meter = self.meter(Activity::Other);
        let verifying = repository.verify_signatures(&options, meter.progress(), &self.cancel);
        let report = verifying.await?;
        drop(meter);
        let is_missing = |finding: &SignatureFinding| match finding.kind {
            SignatureFindingKind::RolledBack { missing } => Some(missing),
            _ => None,
        };
        let missing: Vec<_> = report.findings.iter().filter_map(is_missing).collect();
        let covered = remembered.iter().filter(|link| !missing.contains(link));
        let covered: Vec<_> = covered.copied().collect();
        self.remember(&id, &report.heads, &covered);
        Ok(Some(report))
    }

    /// Verifies chosen snapshots before anything is done with them.
    pub async fn verify_selected(
        &self,
        repository: &Repository,
        selected: Selected<'_>,
    ) -> Result<Option<SignatureReport>> {
        let Some(report) = self.verify_signatures(repository).await? else {
            return Ok(None);
        };
        let concerns = |finding: &&SignatureFinding| {
            let mut ids = selected.ids.iter();
            ids.any(|id| finding.concerns(id, selected.is_latest))
        };
        let (ours, others): (Vec<_>, Vec<_>) = report.findings.iter().partition(concerns);
        let is_refused = |finding: &SignatureFinding| {
            self.requires_signatures() || (selected.strict && finding.severity() == Severity::Error)
        };
        let (refused, ours): (Vec<_>, Vec<_>) =
            ours.into_iter().partition(|finding| is_refused(finding));
        let others = others
            .into_iter()
            .filter(|finding| finding.severity() == Severity::Error);
        let told = ours.into_iter().chain(others);
        // The first of what is refused is the error itself.
        let told: Vec<_> = refused.iter().skip(1).copied().chain(told).collect();
        for finding in told.iter().take(WARNINGS_MAX) {
            self.output.warning(&finding.message);
        }
        if let Some(more) = told
            .len()
            .checked_sub(WARNINGS_MAX)
            .filter(|more| *more > 0)
        {
            let more = figures::count(more as u64, "more finding");
            self.output
                .warning(&format!("… and {more} about signatures"));
        }
        match refused.first() {
            None => Ok(Some(report)),
            Some(first) => Err(refuse(&first.message, refused.len())),
        }
    }
}

/// The error that ends a command because of signatures.
fn refuse(message: &str, number: usize) -> Error {
    let more = match number {
        0 | 1 => String::new(),
        _ => format!(" (and {} more)", number.saturating_sub(1)),
    };
    Error::new(ExitCode::SignatureWrong, format!("{message}{more}")).hint(
        "`strongroom sign verify` shows all of it; find out who changed the repository before trusting it. \
         Without --verify-key and --require-signatures nothing is verified",
    )
}

/// Says who has published the snapshot that files are restored from, where that was verified.
pub fn tell_vouch(id: &Id, report: &SignatureReport, context: &Context) -> Result<()> {
    let vouch = report.vouches.get(id);
    let output = &context.output;
    if output.is_json() {
        return output.json(&json!({
            "message_type": "signatures", "snapshot": id, "signed": vouch.is_some(),
            "key": vouch.map(|vouch| vouch.key),
            "stated": vouch.map(|vouch| vouch.time.to_string()),
            "statements": report.statements,
            "findings": report.findings.iter().map(|f| &f.message).collect::<Vec<_>>(),
        }));
    }
    if let Some(vouch) = vouch {
        output.note(format_args!(
            "signatures: snapshot {} is signed with key {}, stated {}",
            id.short(),
            vouch.key.short(),
            vouch.time
        ));
    }
    Ok(())
}

/// Shows all findings of a report, and the figures.
pub fn tell(report: &SignatureReport, context: &Context) -> Result<()> {
    let output = &context.output;
    let required = context.requires_signatures();
    for finding in &report.findings {
        let is_error = required || finding.severity() == Severity::Error;
        let severity = if is_error { "error" } else { "warning" };
        match output.is_json() {
            true => output.json(&json!({
                "message_type": "signature_finding", "finding": finding.word(),
                "severity": severity, "message": finding.message,
                "snapshot": finding.snapshot(), "file": finding.file(),
            }))?,
            false if is_error => output.result(format_args!(
                "{severity}: {}",
                crate::output::escape::text(&finding.message)
            ))?,
            false => output.warning(&finding.message),
        }
    }
    for (id, vouch) in &report.vouches {
        let (snapshot, key, time) = (id.short(), vouch.key.short(), vouch.time);
        output.detail(1, format_args!("snapshot {snapshot}: key {key}, {time}"));
    }
    if output.is_json() {
        return output.json(&json!({
            "message_type": "signatures", "signed": report.signed.len(),
            "unsigned": report.unsigned().count(), "statements": report.statements,
            "errors": report.tampering().count(),
            "heads": report.heads.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }));
    }
    output.report(format_args!(
        "verified {}: {} of {} signed",
        figures::count(report.statements, "statement"),
        report.signed.len(),
        figures::count(report.present.len() as u64, "snapshot"),
    ))
}

/// How a command ends that has verified everything.
pub fn result(report: &SignatureReport, context: &Context) -> Result<ExitCode> {
    let number = match context.requires_signatures() {
        true => report.findings.len(),
        false => report.tampering().count(),
    };
    let first = report.tampering().next().or(report.findings.first());
    match first.filter(|_| number > 0) {
        None => Ok(ExitCode::Success),
        Some(first) => Err(refuse(&first.message, number).hint(
            "find out who changed the repository before trusting it; nothing was changed by this command. \
             `strongroom sign accept` states that the present snapshots are as they should be",
        )),
    }
}
