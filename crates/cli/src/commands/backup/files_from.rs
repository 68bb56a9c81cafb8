//! What to back up, read from files.

use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use strongroom_source::files_from;

use super::Arguments;
use crate::context::Context;
use crate::error::{Error, Result};

/// The paths that were named, on the command line first, and the patterns that match nothing; raw bytes.
#[derive(Debug, Default)]
pub struct Paths {
    pub paths: Vec<Vec<u8>>,
    pub unmatched: Vec<Vec<u8>>,
}

/// Everything that the arguments name.
pub fn collect(arguments: &Arguments, context: &Context) -> Result<Paths> {
    let mut found = Paths::default();
    let named = arguments.paths.iter().map(|path| path.as_bytes().to_vec());
    found.paths.extend(named);
    let root = context.environment.working_directory.as_deref();
    for file in &arguments.files_from {
        let root = root.unwrap_or(Path::new("/"));
        let matched = files_from::patterns(open(file)?, root).map_err(|e| wrong(file, &e))?;
        found.paths.extend(matched.paths);
        found.unmatched.extend(matched.unmatched);
    }
    for file in &arguments.files_from_verbatim {
        let listed = files_from::verbatim(open(file)?).map_err(|e| wrong(file, &e))?;
        found.paths.extend(listed);
    }
    for file in &arguments.files_from_raw {
        let listed = files_from::raw(open(file)?).map_err(|e| wrong(file, &e))?;
        found.paths.extend(listed);
    }
    Ok(found)
}

fn open(file: &Path) -> Result<Box<dyn Read>> {
    if file == Path::new("-") {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    match File::open(file) {
        Ok(file) => Ok(Box::new(file)),
        Err(error) => Err(wrong(file, &error)),
    }
}

fn wrong(file: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::usage(format!("{}: {error}", file.display()))
}
