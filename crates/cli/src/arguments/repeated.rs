//! Global options that may be given several times, before and behind the name of the command.

use std::ffi::OsStr;
use std::sync::{Arc, Mutex, PoisonError};

use clap::builder::TypedValueParser;
use clap::{Arg, Command};

/// All values of an option, in the order in which they were typed.
///
/// clap gives a command either the values before its name or those behind it, and drops the others without a word: of
/// `-r a backup -r b` nobody would have backed up to `a`. So the values are kept as they are read.
#[derive(Debug)]
pub(super) struct Repeated<T>(Arc<Mutex<Vec<T>>>);

/// Reads values and keeps them.
#[derive(Debug, Clone)]
pub(super) struct Keeping<P: TypedValueParser> {
    parser: P,
    kept: Arc<Mutex<Vec<P::Value>>>,
}

impl<T: Clone + Send + Sync> Repeated<T> {
    /// The values, and the parser that fills them.
    pub(super) fn new<P: TypedValueParser<Value = T>>(parser: P) -> (Self, Keeping<P>) {
        let kept = Arc::new(Mutex::new(Vec::new()));
        (Self(Arc::clone(&kept)), Keeping { parser, kept })
    }

    /// What was typed.
    pub(super) fn take(self) -> Vec<T> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<P: TypedValueParser<Value: Clone + Send + Sync>> TypedValueParser for Keeping<P> {
    type Value = P::Value;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        let value = self.parser.parse_ref(command, argument, value)?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(value.clone());
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use crate::arguments::Arguments;

    /// A destination that is dropped from the command line gets no backup, and nobody is told.
    #[test]
    fn values_before_and_behind_the_command_are_all_kept_in_their_order() {
        let words = "strongroom -r a -o x=1 --repo=b backup -r c -p one -o y=2 . -p two";
        let words: Vec<OsString> = words.split(' ').map(OsString::from).collect();
        let global = Arguments::read(&words).unwrap().global;
        assert_eq!(global.repo, ["a", "b", "c"]);
        assert_eq!(global.option, ["x=1", "y=2"]);
        assert_eq!(
            global.password_file,
            ["one", "two"].map(std::path::PathBuf::from)
        );
    }
}
