//! What every command is given.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use crate::arguments::GlobalArguments;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::output::meter::{Activity, Meter, Pace};
use crate::signing::Signing;
use crate::storages::StorageSettings;

/// The surroundings, the global options, the streams, and the token that Ctrl-C cancels.
pub struct Context {
    pub environment: Environment,
    pub global: GlobalArguments,
    pub output: Arc<Output>,
    pub cancel: CancellationToken,
    pub signing: Signing,
    pub storage_settings: OnceLock<StorageSettings>,
}

impl Context {
    /// Shows an operation while it runs.
    pub fn meter(&self, activity: Activity) -> Meter {
        let frames = self.environment.setting_text("PROGRESS_FPS");
        let frames = frames.and_then(|text| text.parse().ok());
        Meter::start(&self.output, activity, Pace::new(frames))
    }

    /// Shows one of several operations that run at the same time.
    pub fn meter_about(&self, about: String) -> Meter {
        let frames = self.environment.setting_text("PROGRESS_FPS");
        let frames = frames.and_then(|text| text.parse().ok());
        Meter::start_about(&self.output, Pace::new(frames), about)
    }

    /// Ends with exit code 130 where the user has asked to stop.
    pub fn check_cancelled(&self) -> Result<()> {
        match self.cancel.is_cancelled() {
            true => Err(Error::interrupted()),
            false => Ok(()),
        }
    }
}
