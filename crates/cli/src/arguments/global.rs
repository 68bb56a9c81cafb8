//! Options that every command takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};

use super::values;

/// Options that every command takes, before or behind its name.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArguments {
    /// Address of the repository: a path, sftp://user@host/path, s3:https://host/bucket/path, rest:https://host:8000/path and
    /// other kinds; several for `backup` and `init` [env: STRONGROOM_REPOSITORY]
    #[arg(
        short,
        long,
        global = true,
        value_name = "URL",
        conflicts_with = "repository_file"
    )]
    pub repo: Vec<String>,

    /// File that holds the address of the repository [env: STRONGROOM_REPOSITORY_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    pub repository_file: Option<PathBuf>,

    /// File that holds the password; one for all repositories, or one for each in their order [env: STRONGROOM_PASSWORD_FILE]
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        conflicts_with = "password_command"
    )]
    pub password_file: Vec<PathBuf>,

    /// Command that prints the password; run without a shell [env: STRONGROOM_PASSWORD_COMMAND]
    #[arg(long, global = true, value_name = "COMMAND")]
    pub password_command: Option<String>,

    /// Key to try first [env: STRONGROOM_KEY_HINT]
    #[arg(long, global = true, value_name = "ID")]
    pub key_hint: Option<String>,

    /// Use the empty password, which protects nothing
    #[arg(long, global = true)]
    pub insecure_no_password: bool,

    /// Print results and errors alone
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// Print more: figures with -v, every file with -vv
    #[arg(
        short, long, global = true, value_name = "LEVEL", action = ArgAction::Append,
        num_args = 0..=1, require_equals = true, default_missing_value = "1", conflicts_with = "quiet"
    )]
    pub verbose: Vec<u8>,

    /// Print JSON in restic's shapes
    #[arg(long, global = true)]
    pub json: bool,

    /// Do not ask before something is removed or overwritten [env: STRONGROOM_YES]
    #[arg(long, global = true)]
    pub yes: bool,

    /// Never use colours [env: NO_COLOR]
    #[arg(long, global = true)]
    pub no_color: bool,

    /// Do not keep a local cache
    #[arg(long, global = true)]
    pub no_cache: bool,

    /// Folder of the local cache [env: STRONGROOM_CACHE_DIR]
    #[arg(long, global = true, value_name = "DIRECTORY")]
    pub cache_dir: Option<PathBuf>,

    /// Remove caches that were not used for 30 days
    #[arg(long, global = true)]
    pub cleanup_cache: bool,

    /// Take no lock for reading or a dry run, as where the storage cannot be written
    #[arg(long, global = true)]
    pub no_lock: bool,

    /// Wait up to this long for a lock, such as 10m or 2h
    #[arg(long, global = true, value_name = "DURATION", value_parser = values::duration)]
    pub retry_lock: Option<Duration>,

    /// Key to sign what is published and removed with; see `strongroom sign` [env: STRONGROOM_SIGN_KEY_FILE]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Signatures")]
    pub sign_key: Option<PathBuf>,

    /// Public key to verify snapshots with; may be given several times [env: STRONGROOM_VERIFY_KEY_FILE]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Signatures")]
    pub verify_key: Vec<PathBuf>,

    /// Take nothing that is not signed [env: STRONGROOM_REQUIRE_SIGNATURES]
    #[arg(long, global = true, help_heading = "Signatures")]
    pub require_signatures: bool,

    /// How what is written is compressed [env: STRONGROOM_COMPRESSION]
    #[arg(long, global = true, value_name = "MODE")]
    pub compression: Option<CompressionArgument>,

    /// Size to fill packs to, in MiB, 4 to 128 [env: STRONGROOM_PACK_SIZE]
    #[arg(long, global = true, value_name = "MIB", value_parser = clap::value_parser!(u32).range(4..=128))]
    pub pack_size: Option<u32>,

    /// Set something about storages, such as rest.connections=8; may be given several times
    #[arg(
        short,
        long,
        global = true,
        value_name = "KEY=VALUE",
        help_heading = "Storages"
    )]
    pub option: Vec<String>,

    /// Send at most so many KiB a second
    #[arg(long, global = true, value_name = "KIB", help_heading = "Storages", value_parser = clap::value_parser!(u64).range(1..=1 << 32))]
    pub limit_upload: Option<u64>,

    /// Receive at most so many KiB a second
    #[arg(long, global = true, value_name = "KIB", help_heading = "Storages", value_parser = clap::value_parser!(u64).range(1..=1 << 32))]
    pub limit_download: Option<u64>,

    /// Send and receive at most so much a second together, such as 10MiB/s or 80Mbit/s
    #[arg(long, global = true, value_name = "RATE", help_heading = "Storages")]
    pub max_bandwidth: Option<String>,

    /// File with the certificate authorities to trust, in place of the system's [env: STRONGROOM_CACERT]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Storages")]
    pub cacert: Option<PathBuf>,

    /// File with a certificate and its private key to show to servers [env: STRONGROOM_TLS_CLIENT_CERT]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Storages")]
    pub tls_client_cert: Option<PathBuf>,

    /// Accept any certificate of a server, also that of an attacker
    #[arg(long, global = true, help_heading = "Storages")]
    pub insecure_tls: bool,
}

/// How hard to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompressionArgument {
    /// Where it gains something
    Auto,
    /// Never
    Off,
    /// As small as it gets, slowly
    Max,
}

impl GlobalArguments {
    /// Sizes that packs may be filled to.
    pub const PACK_SIZES_MIB: std::ops::RangeInclusive<u32> = 4..=128;

    /// How often `--verbose` was given, or its levels added up.
    pub fn verbosity(&self) -> u8 {
        self.verbose
            .iter()
            .fold(0, |sum, level| sum.saturating_add(*level))
    }
}
