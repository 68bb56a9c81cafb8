use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Commands, Operation, Place, Tool, restic};

/// Our own program.
pub struct Strongroom {
    program: PathBuf,
}

impl Strongroom {
    /// The executable to measure.
    pub fn new(program: &Path) -> Self {
        Self {
            program: program.to_owned(),
        }
    }
}

impl Tool for Strongroom {
    fn name(&self) -> &'static str {
        "strongroom"
    }

    fn settings(&self) -> &'static str {
        "as it comes: zstd level 3, what was compressed is decompressed and compared, cache on"
    }

    fn version(&self) -> Vec<OsString> {
        vec![self.program.clone().into(), "version".into()]
    }

    fn environment(&self, place: &Place) -> Vec<(&'static str, OsString)> {
        let mut environment = vec![
            ("STRONGROOM_REPOSITORY", place.repository().into()),
            ("STRONGROOM_PASSWORD_FILE", place.password_file().into()),
            ("STRONGROOM_CACHE_DIR", place.cache().into()),
            ("STRONGROOM_STATE_DIR", place.home().into()),
            ("STRONGROOM_YES", "1".into()),
        ];
        if place.portable {
            environment.push(("STRONGROOM_CPU", "portable".into()));
        }
        environment
    }

    fn commands(&self, operation: &Operation, _place: &Place) -> Option<Commands> {
        restic::commands(self.program.as_os_str(), operation)
    }

    fn has_restic_format(&self) -> bool {
        true
    }
}
