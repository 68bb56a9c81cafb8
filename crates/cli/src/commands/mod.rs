//! One file a command: its arguments, whose doc comments are the help, and what it does.

pub mod backup;
pub mod cache;
pub mod cat;
pub mod check;
pub mod copy;
pub mod diff;
pub mod dump;
pub mod find;
pub mod forget;
pub mod generate;
pub mod init;
pub mod key;
pub mod list;
pub mod ls;
pub mod mirror;
pub mod mount;
pub mod parity;
pub mod pin;
pub mod prune;
pub mod repair;
pub mod restore;
pub mod rewrite;
pub mod serve_rest;
pub mod sign;
pub mod snapshots;
pub mod stats;
pub mod storage;
pub mod tag;
pub mod undelete;
pub mod unlock;
pub mod version;

use clap::Subcommand;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;

/// Every command.
#[derive(Debug, Subcommand)]
pub enum Command {
    Init(init::Arguments),
    Backup(Box<backup::Arguments>),
    Snapshots(snapshots::Arguments),
    Ls(ls::Arguments),
    Find(find::Arguments),
    Diff(diff::Arguments),
    Restore(Box<restore::Arguments>),
    Dump(dump::Arguments),
    Mount(mount::Arguments),
    Check(check::Arguments),
    Stats(stats::Arguments),
    Forget(Box<forget::Arguments>),
    Undelete(undelete::Arguments),
    Prune(prune::Arguments),
    Repair(repair::Arguments),
    Copy(copy::Arguments),
    Mirror(mirror::Arguments),
    Tag(tag::Arguments),
    Pin(pin::PinArguments),
    Unpin(pin::UnpinArguments),
    Rewrite(Box<rewrite::Arguments>),
    Key(key::Arguments),
    Sign(sign::Arguments),
    Unlock(unlock::Arguments),
    Parity(parity::Arguments),
    Storage(storage::Arguments),
    ServeRest(serve_rest::Arguments),
    Cache(cache::Arguments),
    Cat(cat::Arguments),
    List(list::Arguments),
    Generate(generate::Arguments),
    Version(version::Arguments),
}

impl Command {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<ExitCode> {
        if context.global.repo.len() > 1 && !self.takes_several() {
            let message = "several repositories were named, and this command works on one";
            return Err(Error::usage(message).hint(
                "`backup` and `init` take several -r/--repo; run any other command once for each",
            ));
        }
        match self {
            Self::Init(arguments) => init::run(arguments, context).await,
            Self::Backup(arguments) => backup::run(*arguments, context).await,
            Self::Snapshots(arguments) => snapshots::run(arguments, context).await,
            Self::Ls(arguments) => ls::run(arguments, context).await,
            Self::Find(arguments) => find::run(arguments, context).await,
            Self::Diff(arguments) => diff::run(arguments, context).await,
            Self::Restore(arguments) => restore::run(*arguments, context).await,
            Self::Dump(arguments) => dump::run(arguments, context).await,
            Self::Mount(arguments) => mount::run(arguments, context).await,
            Self::Check(arguments) => check::run(arguments, context).await,
            Self::Stats(arguments) => stats::run(arguments, context).await,
            Self::Forget(arguments) => forget::run(*arguments, context).await,
            Self::Undelete(arguments) => undelete::run(arguments, context).await,
            Self::Prune(arguments) => prune::run(arguments, context).await,
            Self::Repair(arguments) => repair::run(arguments, context).await,
            Self::Copy(arguments) => copy::run(arguments, context).await,
            Self::Mirror(arguments) => mirror::run(arguments, context).await,
            Self::Tag(arguments) => tag::run(arguments, context).await,
            Self::Pin(arguments) => pin::pin(arguments, context).await,
            Self::Unpin(arguments) => pin::unpin(arguments, context).await,
            Self::Rewrite(arguments) => rewrite::run(*arguments, context).await,
            Self::Key(arguments) => key::run(arguments, context).await,
            Self::Sign(arguments) => sign::run(arguments, context).await,
            Self::Unlock(arguments) => unlock::run(arguments, context).await,
            Self::Parity(arguments) => parity::run(arguments, context).await,
            Self::Storage(arguments) => storage::run(arguments, context).await,
            Self::ServeRest(arguments) => serve_rest::run(arguments, context).await,
            Self::Cache(arguments) => cache::run(arguments, context).await,
            Self::Cat(arguments) => cat::run(arguments, context).await,
            Self::List(arguments) => list::run(arguments, context).await,
            Self::Generate(arguments) => generate::run(arguments, context),
            Self::Version(arguments) => version::run(arguments, context),
        }
    }

    /// It publishes and removes no snapshot, so it needs no key to sign with. What is not listed here gets one.
    pub fn only_reads(&self) -> bool {
        matches!(
            self,
            Self::Snapshots(_)
                | Self::Ls(_)
                | Self::Find(_)
                | Self::Diff(_)
                | Self::Restore(_)
                | Self::Dump(_)
                | Self::Mount(_)
                | Self::Check(_)
                | Self::Mirror(_)
                | Self::Stats(_)
                | Self::Key(_)
                | Self::Unlock(_)
                | Self::Storage(_)
                | Self::ServeRest(_)
                | Self::Cache(_)
                | Self::Cat(_)
                | Self::List(_)
                | Self::Generate(_)
                | Self::Version(_)
        )
    }

    /// It works on all repositories of `--repo`.
    fn takes_several(&self) -> bool {
        matches!(self, Self::Backup(_) | Self::Init(_))
    }

    /// What is safe after Ctrl-C, and what to do next.
    pub fn when_interrupted(&self) -> &'static str {
        match self {
            Self::Backup(_) => {
                "no snapshot was made; what was stored so far stays and is not sent again when you run the same command"
            }
            Self::Restore(_) => {
                "the repository is unchanged; files that were finished are whole: run the same command to go on"
            }
            Self::Prune(_) | Self::Forget(_) => {
                "no data that a snapshot needs was removed; run the same command to go on"
            }
            Self::Repair(_) => {
                "nothing that could be read before is lost; run the same command to go on"
            }
            Self::Copy(_) => {
                "both repositories are sound; snapshots that were finished stay: run the same command to go on"
            }
            Self::Mirror(_) => {
                "the mirror is sound, and the repository as it was; run the same command to go on"
            }
            Self::Rewrite(_) => {
                "every snapshot is there in its old or its new form; run the same command to go on"
            }
            Self::Undelete(_) => {
                "every snapshot is back or still in the trash; run the same command to go on"
            }
            Self::Tag(_) | Self::Pin(_) | Self::Unpin(_) => {
                "snapshots changed so far stay changed; run the same command to go on"
            }
            Self::Parity(_) => {
                "the repository is as it was, and each group of parity is whole: run the same command to go on"
            }
            _ => "the repository is sound; run the command again",
        }
    }
}

/// How a command ends that passed over damage: what it showed is not all there is.
fn damage(errors: u64) -> Result<()> {
    match errors {
        0 => Ok(()),
        number => Err(Error::new(
            ExitCode::DamageFound,
            format!(
                "the result is incomplete: {} on the way",
                crate::output::figures::count(number, "error")
            ),
        )
        .hint("run `strongroom check` to see all damage and which files it touches")),
    }
}
