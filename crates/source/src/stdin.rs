//! Whatever comes in through a reader, standard input as a rule, stored as one file.

use std::io::Read;
use std::sync::Arc;

use strongroom_repository::backup::{Content, EntryError, Handle, Source};
use strongroom_repository::format::{Node, Time};

use crate::stream::{Stream, empty};

pub use crate::stream::InvalidName;

/// One file with what a reader yields.
pub struct Stdin {
    stream: Arc<Stream>,
}

impl Stdin {
    /// The name that restic uses by default, too.
    pub const DEFAULT_FILE_NAME: &str = "stdin";

    /// Stores `reader` under a name that may have folders; `time` is the time of the file.
    ///
    /// A reader without a single byte is an error, since most likely the program before the pipe has failed. Restic
    /// says the same.
    pub fn new(
        file_name: &[u8],
        time: Time,
        reader: Box<dyn Read + Send>,
    ) -> Result<Self, InvalidName> {
        let path = file_name.to_vec();
        let open = Box::new(move || {
            let content = Input {
                path,
                reader,
                is_empty: true,
            };
            Ok(Box::new(content) as Box<dyn Content>)
        });
        Ok(Self {
            stream: Stream::new(file_name, time, open)?,
        })
    }
}

impl Source for Stdin {
    fn paths(&self) -> Vec<String> {
        self.stream.paths()
    }

    fn root(&self) -> Box<dyn Handle> {
        self.stream.root()
    }

    fn all_or_nothing(&self) -> bool {
        true
    }
}

struct Input {
    path: Vec<u8>,
    reader: Box<dyn Read + Send>,
    is_empty: bool,
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.is_empty &= length == 0;
        Ok(length)
    }
}

impl Content for Input {
    fn refresh(&self, _: &mut Node) -> Result<(), EntryError> {
        Ok(())
    }

    fn finish(&mut self) -> Result<(), EntryError> {
        if self.is_empty {
            Err(empty(self.path.clone()))
        } else {
            Ok(())
        }
    }
}
