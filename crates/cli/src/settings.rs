//! How new data is stored, from the options and the environment.

use strongroom_kernel::{CodePath, UnknownCodePath};
use strongroom_repository::compression::Level;
use strongroom_repository::repository::Settings;

use crate::arguments::{CompressionArgument, GlobalArguments};
use crate::context::Context;
use crate::error::{Error, Result};

impl Context {
    /// Compression and the size of packs.
    pub fn settings(&self) -> Result<Settings> {
        let compression = match self.global.compression {
            Some(given) => Some(given),
            None => self.setting_value("COMPRESSION")?,
        };
        let pack_size_mib = match self.global.pack_size {
            Some(given) => given,
            None => self.pack_size_of_environment()?,
        };
        let default = Settings::default();
        Ok(Settings {
            compression: match compression {
                Some(CompressionArgument::Off) => Level::Off,
                Some(CompressionArgument::Max) => Level::Max,
                Some(CompressionArgument::Auto) | None => Level::Auto,
            },
            pack_size_bytes: match pack_size_mib {
                0 => default.pack_size_bytes,
                mib => mib << 20,
            },
        })
    }

    /// Lets the process use no wider instructions than `STRONGROOM_CPU` says. For tests and benchmarks; docs/performance.md.
    pub fn limit_code_path(&self) -> Result<()> {
        let Some(text) = self.environment.variable("STRONGROOM_CPU") else {
            return Ok(());
        };
        let path = text.to_str().and_then(|text| text.parse().ok());
        let path: CodePath = path.ok_or_else(|| {
            let text = text.to_string_lossy();
            Error::usage(format!("STRONGROOM_CPU is {text:?}, {UnknownCodePath}"))
        })?;
        path.allow_up_to();
        Ok(())
    }

    /// In MiB; zero where it is not set, as in restic.
    fn pack_size_of_environment(&self) -> Result<u32> {
        let Some(text) = self.environment.setting_text("PACK_SIZE") else {
            return Ok(0);
        };
        let size = text.parse().ok();
        size.filter(|mib| *mib == 0 || GlobalArguments::PACK_SIZES_MIB.contains(mib))
            .ok_or_else(|| Error::usage("STRONGROOM_PACK_SIZE has to be a number from 4 to 128"))
    }

    fn setting_value<T: clap::ValueEnum>(&self, name: &str) -> Result<Option<T>> {
        let Some(text) = self.environment.setting_text(name) else {
            return Ok(None);
        };
        T::from_str(text, true)
            .map(Some)
            .map_err(|_| Error::usage(format!("STRONGROOM_{name} cannot be {text:?}")))
    }
}
