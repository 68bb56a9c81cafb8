//! What each block consists of.

use std::path::Path;

use anyhow::Result;

use crate::corpus::Corpus;
use crate::forged::{Forged, ONCE};
use crate::phases::Block;
use crate::session::Session;
use crate::tools::Operation;

/// Takes a tool through a block.
pub fn run(block: Block, session: &Session, corpus: &Corpus, forged: &Forged) -> Result<()> {
    match block {
        Block::Small => small(session, corpus),
        Block::Large => large(session, corpus),
        Block::Image => image(session),
        Block::Prune => prune(session),
        Block::Snapshots => snapshots(session, forged),
        Block::Blobs => blobs(session, forged),
        Block::Opening => opening(session, forged),
    }
}

fn backup<'a>(source: &'a str, snapshot: &'a str) -> Operation<'a> {
    Operation::Backup { source, snapshot }
}

fn small(session: &Session, corpus: &Corpus) -> Result<()> {
    session.prepare(&Operation::Init)?;
    session.step("first-small", &backup("src", "src1"))?;
    session.step("unchanged-small", &backup("src", "src2"))?;
    if session.wants("changed-small") || session.wants("find") {
        corpus.churn()?;
        let measured = session.step("changed-small", &backup("src", "src3"));
        corpus.undo_churn()?;
        measured?;
    }
    session.measure_restore("restore-small", "src1", Path::new("src"), true)?;
    session.measure_restore("restore-tenth", "src1", &corpus.a_tenth(), false)?;
    session.measure_restore("restore-one", "src1", &corpus.one_file(), false)?;
    session.measure("check-small", &Operation::Check)?;
    session.measure("check-data-small", &Operation::CheckData)?;
    let pattern = "file000?23*";
    session.measure("find", &Operation::Find { pattern })?;
    let point = session.place().root.join("mounted");
    session.measure("mount", &Operation::Mount { point: &point })?;
    Ok(())
}

fn large(session: &Session, corpus: &Corpus) -> Result<()> {
    session.prepare(&Operation::Init)?;
    session.step("first-random", &backup("big/random", "random1"))?;
    session.step("first-pages", &backup("big/pages", "pages1"))?;
    session.step("known-large", &backup("big", "big1"))?;
    session.measure("unchanged-large", &backup("big", "big2"))?;
    if session.wants("changed-large") {
        corpus.churn()?;
        let measured = session.measure("changed-large", &backup("big", "big3"));
        corpus.undo_churn()?;
        measured?;
    }
    session.measure_restore("restore-large", "big1", Path::new("big"), true)?;
    session.measure("check-data-large", &Operation::CheckData)?;
    Ok(())
}

fn image(session: &Session) -> Result<()> {
    session.prepare(&Operation::Init)?;
    session.step("first-image", &backup("vm", "vm1"))?;
    session.measure("shifted-image", &backup("vm2", "vm2"))?;
    Ok(())
}

/// What is to go lies between what is to stay: every second small file goes, or all but these.
fn prune(session: &Session) -> Result<()> {
    session.prepare(&Operation::Init)?;
    for (source, snapshot) in [
        ("src", "src1"),
        ("big/random", "random1"),
        ("half", "half1"),
    ] {
        session.prepare(&backup(source, snapshot))?;
    }
    session.save_state()?;
    let half = Operation::Prune {
        forget: &["src1"],
        keep: &["random1", "half1"],
    };
    session.measure("prune-half", &half)?;
    session.return_to_state()?;
    let most = Operation::Prune {
        forget: &["src1", "random1"],
        keep: &["half1"],
    };
    if session.measure("prune-most", &most)? {
        session.check_restore("prune-most", "half1", Path::new("half"))?;
    }
    Ok(())
}

fn snapshots(session: &Session, forged: &Forged) -> Result<()> {
    if !session.tool().has_restic_format() {
        return Ok(());
    }
    session.take_over(&forged.snapshots()?)?;
    // Once before, so that each tool has its cache.
    session.prepare(&Operation::List)?;
    session.measure("list-snapshots", &Operation::List)?;
    Ok(())
}

fn blobs(session: &Session, forged: &Forged) -> Result<()> {
    if !session.tool().has_restic_format() {
        return Ok(());
    }
    session.take_over(&forged.blobs(Block::Blobs)?)?;
    session.step("ten-cold", &backup("ten", "ten1"))?;
    session.measure("ten-warm", &backup("ten", "ten2"))?;
    session.measure("list-warm", &Operation::List)?;
    session.measure("find-blobs", &Operation::Find { pattern: "file*" })?;
    session.measure("check-blobs", &Operation::Check)?;
    session.measure("prune-dry-run", &Operation::PruneDryRun)?;
    Ok(())
}

/// What opening costs, with the least work behind it that needs the index: one file comes back.
fn opening(session: &Session, forged: &Forged) -> Result<()> {
    if !session.tool().has_restic_format() {
        return Ok(());
    }
    session.take_over(&forged.blobs(Block::Opening)?)?;
    for phase in ["open-cold", "open-warm"] {
        session.measure_restore(phase, ONCE, Path::new(ONCE), true)?;
    }
    Ok(())
}
