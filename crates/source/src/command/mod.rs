//! What a program writes to its standard output, stored as one file.

mod output;
mod process;

use std::ffi::OsString;
use std::sync::{Arc, Mutex, PoisonError};

use strongroom_repository::backup::{Content, EntryError, Handle, Source};
use strongroom_repository::format::Time;

use crate::stream::Stream;
use output::Output;
use process::Process;

pub use crate::stream::InvalidName;

/// Takes what the program writes to its standard error, as it comes.
pub type OnStderr = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// A program to run.
#[derive(Clone)]
pub struct Invocation {
    /// Looked up in the search path if it has no slash. No shell is involved.
    pub program: OsString,
    /// Its arguments; they never appear in errors, since they may hold a password.
    pub arguments: Vec<OsString>,
    /// Called with what it writes to standard error.
    pub on_stderr: OnStderr,
}

/// One file with the output of a program, which decides by its exit status whether the output is whole.
///
/// The program starts when the file is opened. It runs in a process group of its own; the group is ended and the program
/// reaped when the file is dropped before its end, or on [`Source::interrupt`].
pub struct Command {
    stream: Arc<Stream>,
    process: Arc<Mutex<Progress>>,
}

/// How far the program is.
enum Progress {
    NotStarted,
    Interrupted,
    Started(Arc<Process>),
}

impl Command {
    /// Stores the output under a name that may have folders; `time` is the time of the file.
    pub fn new(file_name: &[u8], time: Time, invocation: Invocation) -> Result<Self, InvalidName> {
        let process = Arc::new(Mutex::new(Progress::NotStarted));
        let shared = Arc::clone(&process);
        let open = Box::new(move || {
            let output = start(&shared, &invocation)?;
            Ok(Box::new(output) as Box<dyn Content>)
        });
        Ok(Self {
            stream: Stream::new(file_name, time, open)?,
            process,
        })
    }
}

fn start(progress: &Mutex<Progress>, invocation: &Invocation) -> Result<Output, EntryError> {
    let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
    if matches!(*progress, Progress::Interrupted) {
        return Err(process::error(
            &invocation.program,
            "run",
            "interrupted".to_owned(),
        ));
    }
    let output = Output::start(invocation)?;
    *progress = Progress::Started(output.process());
    Ok(output)
}

impl Source for Command {
    fn paths(&self) -> Vec<String> {
        self.stream.paths()
    }

    fn root(&self) -> Box<dyn Handle> {
        self.stream.root()
    }

    fn all_or_nothing(&self) -> bool {
        true
    }

    fn interrupt(&self) {
        let mut progress = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *progress, Progress::Interrupted) {
            Progress::Started(process) => process.end(),
            Progress::NotStarted | Progress::Interrupted => {}
        }
    }
}
