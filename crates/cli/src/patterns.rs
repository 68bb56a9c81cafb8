//! Patterns from the command line and from files, compiled.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use strongroom_repository::pattern::{PatternSet, parse_pattern_file};

use crate::arguments::ExcludeArguments;
use crate::context::Context;
use crate::error::{Error, Result};

/// Compiled patterns, and those that a snapshot records.
pub struct Patterns {
    /// What the engine matches with.
    pub set: PatternSet,
    /// As restic does: the case-sensitive ones, those of files among them.
    pub recorded: Vec<String>,
}

/// What `--exclude` and its relatives say.
pub fn exclude(arguments: &ExcludeArguments, context: &Context) -> Result<Patterns> {
    collect(
        &arguments.exclude,
        &arguments.exclude_file,
        &arguments.iexclude,
        &arguments.iexclude_file,
        context,
    )
}

/// Patterns with files of more, both that regard case and that do not.
pub fn collect(
    patterns: &[OsString],
    files: &[PathBuf],
    any_case: &[OsString],
    any_case_files: &[PathBuf],
    context: &Context,
) -> Result<Patterns> {
    let with_files = |patterns: &[OsString], files: &[PathBuf]| -> Result<Vec<Vec<u8>>> {
        let mut all: Vec<Vec<u8>> = patterns.iter().map(|p| p.as_bytes().to_vec()).collect();
        for file in files {
            all.extend(read(file, context)?);
        }
        Ok(all)
    };
    let sensitive = with_files(patterns, files)?;
    let insensitive = with_files(any_case, any_case_files)?;
    Ok(Patterns {
        set: PatternSet::parse(&sensitive, &insensitive)?,
        recorded: sensitive
            .iter()
            .map(|pattern| String::from_utf8_lossy(pattern).into_owned())
            .collect(),
    })
}

fn read(path: &Path, context: &Context) -> Result<Vec<Vec<u8>>> {
    let content = std::fs::read(path)
        .map_err(|e| Error::usage(format!("read patterns from {}: {e}", path.display())))?;
    let variable = |name: &[u8]| {
        let value = context.environment.variable(OsStr::from_bytes(name));
        value.map(|value| value.to_owned().into_vec())
    };
    Ok(parse_pattern_file(&content, &variable))
}
