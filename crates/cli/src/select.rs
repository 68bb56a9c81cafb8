//! Which snapshots a command means.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use jiff::Timestamp;
use strongroom_repository::Repository;
use strongroom_repository::format::Id;
use strongroom_repository::signature::SignatureReport;
use strongroom_repository::snapshots::{
    SnapshotFile, SnapshotFilter, SnapshotName, SnapshotReference, select_all, select_named,
    select_one,
};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::figures;
use crate::output::meter::Activity;
use crate::signing;

/// A snapshot and the path inside it that was named; `/` for all of it.
pub struct Selected {
    pub file: SnapshotFile,
    pub path: Vec<u8>,
    /// What the verification of the signatures found, where there was a key.
    pub signatures: Option<SignatureReport>,
}

/// Several snapshots, and how many could not be read and so not be asked whether they belong to them.
pub struct Chosen {
    pub files: Vec<SnapshotFile>,
    unreadable: u64,
}

impl Chosen {
    /// How a command ends that has done its work on what could be read.
    pub fn exit(&self) -> Result<ExitCode> {
        match self.unreadable {
            0 => Ok(ExitCode::Success),
            number => Err(Error::new(
                ExitCode::DamageFound,
                format!("{} cannot be read", figures::count(number, "snapshot")),
            )
            .hint("run `strongroom check` to see all damage")),
        }
    }
}

/// The snapshot that `latest`, an identifier's beginning, or either with `:PATH`, stands for.
pub async fn one(
    context: &Context,
    repository: &Repository,
    reference: &OsStr,
    filter: &SnapshotFilter,
) -> Result<Selected> {
    let reference = SnapshotReference::parse(reference.as_bytes())?;
    let now = Timestamp::now();
    let file = {
        let meter = context.meter(Activity::Other);
        select_one(repository, &reference.name, filter, now, meter.progress()).await?
    };
    let selected = signing::Selected {
        ids: &[file.id],
        is_latest: matches!(reference.name, SnapshotName::Latest),
        strict: true,
    };
    let signatures = context.verify_selected(repository, selected).await?;
    Ok(Selected {
        file,
        path: reference.path,
        signatures,
    })
}

/// The snapshots that are named, in that order; all that pass the filter where none is named, oldest first. Their signatures
/// are verified where a key was given.
pub async fn many(
    context: &Context,
    repository: &Repository,
    names: &[String],
    filter: &SnapshotFilter,
) -> Result<Chosen> {
    let chosen = many_unverified(context, repository, names, filter).await?;
    let ids: Vec<Id> = chosen.files.iter().map(|file| file.id).collect();
    let selected = signing::Selected {
        ids: &ids,
        is_latest: names.iter().any(|name| name == "latest"),
        strict: false,
    };
    context.verify_selected(repository, selected).await?;
    Ok(chosen)
}

/// Verifies all that pass the filter, where a key was given; returns them then.
pub async fn verify_all(
    context: &Context,
    repository: &Repository,
    filter: &SnapshotFilter,
) -> Result<Vec<Id>> {
    match context.keys_where_required()?.is_empty() {
        true => Ok(Vec::new()),
        false => {
            let chosen = many(context, repository, &[], filter).await?;
            Ok(chosen.files.iter().map(|file| file.id).collect())
        }
    }
}

/// Like [`many`], whoever has signed what.
pub async fn many_unverified(
    context: &Context,
    repository: &Repository,
    names: &[String],
    filter: &SnapshotFilter,
) -> Result<Chosen> {
    let meter = context.meter(Activity::Other);
    if !names.is_empty() {
        let names = names.iter().map(|name| name.parse());
        let names = names.collect::<std::result::Result<Vec<SnapshotName>, _>>()?;
        let now = Timestamp::now();
        let files = select_named(repository, &names, filter, now, meter.progress()).await?;
        return Ok(Chosen {
            files,
            unreadable: 0,
        });
    }
    let (files, unreadable) = select_all(repository, filter, meter.progress()).await?;
    drop(meter);
    for (_, error) in &unreadable {
        context.output.warning(&error.to_string());
    }
    Ok(Chosen {
        files,
        unreadable: unreadable.len() as u64,
    })
}

/// Every snapshot that can be read, oldest first; the others are warned of.
pub async fn all(context: &Context, repository: &Repository) -> Result<Vec<SnapshotFile>> {
    let chosen = many_unverified(context, repository, &[], &SnapshotFilter::default()).await?;
    Ok(chosen.files)
}
