//! From an address to a storage, with what the command line and the surroundings say about storages.

use std::sync::Arc;
use std::time::Duration;

use strongroom_storage::{
    Behaviour, Location, OpenSettings, Options, RetryObserver, Storage, StorageError, open,
};

use crate::arguments::GlobalArguments;
use crate::context::Context;
use crate::error::{Error, Result};

/// A pause that somebody who watches would take for a standstill.
const LONG: Duration = Duration::from_secs(5);

/// What was set about storages: read when the first is opened, and shared by all of a command, so that limits of speed
/// hold for them together.
#[derive(Debug)]
pub struct StorageSettings {
    options: Options,
    behaviour: Behaviour,
}

impl Context {
    /// The place that an address names, and the storage there. Nothing is asked of it yet.
    pub fn storage_at(&self, address: &str) -> Result<(Location, Arc<dyn Storage>)> {
        let location = Location::parse(address)
            .map_err(|e| Error::usage(format!("the address of the repository: {e}")))?;
        let set = match self.storage_settings.get() {
            Some(set) => set,
            None => {
                let set = StorageSettings::new(&self.global)?;
                self.storage_settings.get_or_init(|| set)
            }
        };
        let settings = OpenSettings {
            options: &set.options,
            surroundings: &self.environment.surroundings(),
            behaviour: set.behaviour.clone(),
            observer: self.retry_observer(),
        };
        let opened = open(&location, &settings).map_err(|e| Error::usage(e.to_string()))?;
        for warning in &opened.warnings {
            self.output.warning(warning);
        }
        Ok((location, opened.storage))
    }

    /// Says what is tried again: to everybody where it takes long, otherwise to those who asked for more.
    fn retry_observer(&self) -> RetryObserver {
        let output = Arc::clone(&self.output);
        Arc::new(move |error: &StorageError, pause: Duration| {
            let seconds = pause.as_secs_f64();
            let line = format!("{error}; trying again in {seconds:.1} s");
            match pause >= LONG {
                true => output.warning(&line),
                false => output.detail(1, line),
            }
        })
    }
}

impl StorageSettings {
    /// From `--option` and the flags that are other names for options, which come first so that an option wins.
    fn new(global: &GlobalArguments) -> Result<Self> {
        let usage = |e: strongroom_storage::OptionError| Error::usage(e.to_string());
        let files = [
            ("http.ca-file", &global.cacert),
            ("http.client-certificate", &global.tls_client_cert),
        ];
        let mut set = Options::default();
        for (key, file) in files {
            if let Some(path) = file {
                let path = path.to_str().ok_or_else(|| {
                    Error::usage(format!("the name of the file for {key} is not valid UTF-8"))
                })?;
                set.set(key, path).map_err(usage)?;
            }
        }
        if global.insecure_tls {
            set.set("http.insecure-tls", "true").map_err(usage)?;
        }
        let kib = |kib: u64| format!("{kib}KiB/s");
        let rates = [
            ("limit.upload", global.limit_upload.map(kib)),
            ("limit.download", global.limit_download.map(kib)),
            ("limit.bandwidth", global.max_bandwidth.clone()),
        ];
        for (key, rate) in rates {
            if let Some(rate) = rate {
                set.set(key, rate).map_err(usage)?;
            }
        }
        set.add(global.option.iter().map(String::as_str))
            .map_err(usage)?;
        Ok(Self {
            behaviour: Behaviour::new(&set).map_err(usage)?,
            options: set,
        })
    }
}
