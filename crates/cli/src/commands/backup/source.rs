//! What is read: files and directories, standard input, or a command.

use std::path::PathBuf;
use std::sync::Arc;

use strongroom_repository::backup::Source;
use strongroom_source::command::{Command, Invocation};
use strongroom_source::files::{self, Files, FilesError, Marker};
use strongroom_source::stdin::{InvalidName, Stdin};

use super::files_from::Paths;
use super::input::Input;
use super::{Arguments, Plan, Symlinks, files_from};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::open::Named;
use crate::output::escape;

/// What the arguments name, before anything was looked at.
pub(super) enum Wanted {
    /// Files and directories.
    Files(Paths),
    /// Standard input, or what a command prints.
    Stream,
}

impl Plan {
    /// Reads the lists of what to back up; finds out whether anything was named.
    pub(super) fn wanted(&self, context: &Context) -> Result<Wanted> {
        let arguments = &self.arguments;
        if arguments.stdin || arguments.stdin_from_command {
            return Ok(Wanted::Stream);
        }
        let paths = files_from::collect(arguments, context)?;
        if paths.paths.is_empty() && paths.unmatched.is_empty() {
            return Err(Error::usage("nothing to back up was named")
                .hint("name files or directories, such as `strongroom backup .`, or give --files-from FILE"));
        }
        Ok(Wanted::Files(paths))
    }

    /// The source that is to be read.
    pub(super) fn source(
        &self,
        wanted: &Wanted,
        named: &[&Named],
        context: &Context,
    ) -> Result<Arc<dyn Source>> {
        match wanted {
            Wanted::Stream => self.stream(context),
            Wanted::Files(paths) => {
                let mut options = self.options(named, context)?;
                options.unmatched.clone_from(&paths.unmatched);
                let files = Files::new(&paths.paths, options)
                    .map_err(|error| from_files_at(error, &paths.paths))?;
                Ok(Arc::new(files))
            }
        }
    }

    fn options(&self, named: &[&Named], context: &Context) -> Result<files::Options> {
        let arguments = &self.arguments;
        let environment = &context.environment;
        let root = environment.working_directory.clone().ok_or_else(|| {
            Error::usage("the working directory does not exist any more")
                .hint("change to another one")
        })?;
        let mut options = files::Options::new(root, environment.time_zone.clone());
        options.with_atime = arguments.with_atime;
        options.markers = markers(arguments)?;
        options.larger_than_bytes = arguments.exclude_larger_than;
        options.one_file_system = arguments.one_file_system;
        options.symlinks = match arguments.symlinks {
            Symlinks::ArchiveLink => files::Symlinks::ArchiveLink,
            Symlinks::Skip => files::Symlinks::Skip,
            Symlinks::Follow => files::Symlinks::Follow,
        };
        options.own = own(named, context);
        if !self.excludes.set.is_empty() {
            let excludes = self.excludes.set.clone();
            options.select = Some(Arc::new(move |path: &[u8]| !excludes.is_match(path)));
        }
        Ok(options)
    }

    fn stream(&self, context: &Context) -> Result<Arc<dyn Source>> {
        let arguments = &self.arguments;
        let name = arguments.stdin_filename.as_bytes();
        let named = |e: InvalidName| Error::usage(format!("--stdin-filename: {e}"));
        if arguments.stdin {
            let input = Box::new(Input::start(&context.cancel));
            return Ok(Arc::new(Stdin::new(name, self.time, input).map_err(named)?));
        }
        let Some((program, rest)) = arguments.paths.split_first() else {
            return Err(Error::usage("--stdin-from-command needs a command")
                .hint("write it behind --, such as: strongroom backup --stdin-from-command -- pg_dump shop"));
        };
        let output = Arc::clone(&context.output);
        let invocation = Invocation {
            program: program.clone(),
            arguments: rest.to_vec(),
            on_stderr: Arc::new(move |text: &[u8]| output.foreign(text)),
        };
        let command = Command::new(name, self.time, invocation).map_err(named)?;
        Ok(Arc::new(command))
    }
}

fn markers(arguments: &Arguments) -> Result<Vec<Marker>> {
    let named = arguments.exclude_if_present.iter();
    let mut markers = named
        .map(|text| Marker::parse(text).map_err(from_files))
        .collect::<Result<Vec<_>>>()?;
    markers.extend(arguments.exclude_caches.then(Marker::cache_directory));
    Ok(markers)
}

/// The repository and the cache grow while they are read; what is in them is worth nothing in a backup.
fn own(named: &[&Named], context: &Context) -> Vec<PathBuf> {
    let repositories = named.iter().filter_map(|named| named.directory());
    let places = repositories
        .map(PathBuf::from)
        .chain(context.cache_directory());
    let absolute = |path: PathBuf| match &context.environment.working_directory {
        Some(root) => root.join(path),
        None => path,
    };
    places.map(absolute).collect()
}

/// Names what was asked for where the error does not.
fn from_files_at(error: FilesError, paths: &[Vec<u8>]) -> Error {
    let names: Vec<_> = paths.iter().map(|path| escape::name(path)).collect();
    let none_exists = matches!(error, FilesError::NoneExists);
    let mut error = from_files(error);
    if none_exists {
        error.message = format!("{}: {}", error.message, names.join(", "));
    }
    error
}

fn from_files(error: FilesError) -> Error {
    let code = match error {
        FilesError::NoneExists | FilesError::Unreadable { .. } => ExitCode::SourceUnavailable,
        _ => ExitCode::Usage,
    };
    let hint = match code {
        ExitCode::SourceUnavailable => {
            "check the paths, and that this user may read them; no snapshot was made"
        }
        _ => "`strongroom backup --help` tells how to name what to back up",
    };
    Error::new(code, error.to_string()).hint(hint)
}
