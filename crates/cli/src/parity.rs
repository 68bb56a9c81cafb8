//! Parity beside other commands: kept up by those that write, and offered where something is damaged.

use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::parity::{self, ParityMemberKind, ParityOptions};
use strongroom_repository::{ErrorKind, Repository};

use crate::context::Context;
use crate::output::figures;
use crate::output::meter::Activity;

impl Context {
    /// Brings parity up to date after a command has changed the repository. What the command did stands whatever comes of
    /// it, so a failure is a warning: the next command that writes tries again.
    pub async fn keep_parity(&self, repository: &Repository, access: Access, lock: &Lock) {
        if access == Access::Read || self.cancel.is_cancelled() {
            return;
        }
        let options = ParityOptions {
            exclusive: access == Access::Exclusive,
            ..ParityOptions::default()
        };
        let meter = self.meter(Activity::Other);
        let kept = repository
            .keep_parity(&options, lock, meter.progress(), &self.cancel)
            .await;
        drop(meter);
        match kept {
            Ok(Some(report)) if report.groups_made > 0 => self.output.detail(
                1,
                format_args!(
                    "parity: protected {} with {}",
                    figures::count(report.files_protected, "file"),
                    figures::size(report.bytes_written)
                ),
            ),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Cancelled => {
                self.output.warning(
                    "parity is not up to date; `strongroom parity create` goes on with it",
                );
            }
            Err(error) => self.output.warning(&format!(
                "parity is not up to date, so what is new is not protected: {error}"
            )),
        }
    }

    /// Says what is wrong with the parity of a repository, as far as listings tell.
    pub async fn note_parity(&self, repository: &Repository) {
        let Ok(status) = parity::status(&**repository.storage()).await else {
            return;
        };
        let unreadable = status.unreadable.len() as u64;
        for (number, what) in [
            (unreadable, "of parity cannot be read and protect nothing"),
            (status.groups_weakened, "of parity lack some of it"),
        ] {
            if number > 0 {
                let groups = figures::count(number, "group");
                self.output.note(format_args!(
                    "{groups} {what}: `strongroom parity create` makes them anew"
                ));
            }
        }
        let missing = status.missing.len() as u64;
        if missing > 0 {
            self.output.note(format_args!(
                "parity misses {} that it protects: `strongroom parity status` says what",
                figures::count(missing, "file")
            ));
        }
    }

    /// What to do about damage, where parity may mend it.
    pub async fn parity_hint(&self, repository: &Repository) -> Option<&'static str> {
        let status = parity::status(&**repository.storage()).await.ok()?;
        (status.groups > 0).then_some(
            "this repository has parity: `strongroom repair files --read-data` brings back what it can, before anything else",
        )
    }

    /// Warns before data goes that a snapshot may need which was lost and not forgotten.
    pub async fn warn_of_lost_snapshots(&self, repository: &Repository) {
        let Ok(status) = parity::status(&**repository.storage()).await else {
            return;
        };
        let missing = status.missing.iter();
        let lost = missing.filter(|(kind, _)| *kind == ParityMemberKind::Snapshot);
        let lost = lost.count() as u64;
        if lost > 0 {
            self.output.warning(&format!(
                "parity misses {} that it protects and that strongroom did not remove: if another program did not either, \
                 `strongroom repair files --missing` has to bring back what is gone first, or its data goes, too",
                figures::count(lost, "snapshot")
            ));
        }
    }
}
