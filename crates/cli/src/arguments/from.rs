//! The second repository of `copy` and `init --copy-chunker-params`.

use std::path::PathBuf;

use clap::Args;

/// The repository to read from, with its password.
#[derive(Debug, Clone, Default, Args)]
pub struct FromArguments {
    /// Address of the repository to read from [env: STRONGROOM_FROM_REPOSITORY]
    #[arg(
        help_heading = "Source repository",
        long,
        value_name = "URL",
        conflicts_with = "from_repository_file"
    )]
    pub from_repo: Option<String>,

    /// File that holds that address [env: STRONGROOM_FROM_REPOSITORY_FILE]
    #[arg(help_heading = "Source repository", long, value_name = "FILE")]
    pub from_repository_file: Option<PathBuf>,

    #[command(flatten)]
    pub password: FromPasswordArguments,
}

/// What opens the repository to read from.
#[derive(Debug, Clone, Default, Args)]
pub struct FromPasswordArguments {
    /// File that holds its password [env: STRONGROOM_FROM_PASSWORD_FILE]
    #[arg(
        help_heading = "Source repository",
        long,
        value_name = "FILE",
        conflicts_with = "from_password_command"
    )]
    pub from_password_file: Option<PathBuf>,

    /// Command that prints its password [env: STRONGROOM_FROM_PASSWORD_COMMAND]
    #[arg(help_heading = "Source repository", long, value_name = "COMMAND")]
    pub from_password_command: Option<String>,

    /// Key of it to try first [env: STRONGROOM_FROM_KEY_HINT]
    #[arg(help_heading = "Source repository", long, value_name = "ID")]
    pub from_key_hint: Option<String>,

    /// Its password is the empty one
    #[arg(help_heading = "Source repository", long)]
    pub from_insecure_no_password: bool,
}
