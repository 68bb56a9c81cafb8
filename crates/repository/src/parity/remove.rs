//! Removing all parity, in two steps.

use tokio_util::sync::CancellationToken;

use crate::format::parity::ParityName;
use crate::lock::Lock;
use crate::own_files::OwnFolder;
use crate::progress::{Amount, Phase, Progress};
use crate::repository::Repository;
use crate::{Error, Result};

/// The files that would be removed.
#[derive(Debug, Clone, Default)]
pub struct ParityRemoval {
    /// Descriptors first, so that no group is ever there without its parity.
    names: Vec<String>,
    /// Their bytes.
    pub bytes: u64,
}

impl ParityRemoval {
    /// How many files it removes.
    pub fn files(&self) -> u64 {
        self.names.len() as u64
    }
}

impl Repository {
    /// Finds all files of parity. What has a name that is not one of parity's is left alone.
    ///
    /// # Errors
    /// The storage's.
    pub async fn plan_parity_removal(&self) -> Result<ParityRemoval> {
        let mut removal = ParityRemoval::default();
        let mut parity = Vec::new();
        for file in self.list_own(OwnFolder::Parity).await? {
            match ParityName::parse(&file.name) {
                Some(ParityName::Group(_)) => removal.names.push(file.name),
                Some(ParityName::Parity(_)) => parity.push(file.name),
                None => continue,
            }
            removal.bytes = removal.bytes.saturating_add(file.size_bytes);
        }
        removal.names.append(&mut parity);
        Ok(removal)
    }

    /// Removes what the plan names, under an exclusive lock. What is protected is not touched.
    ///
    /// # Errors
    /// [`ErrorKind::LockLost`](crate::ErrorKind::LockLost), [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled), the
    /// storage's.
    pub async fn remove_parity(
        &self,
        plan: &ParityRemoval,
        lock: &Lock,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<()> {
        progress.begin(Phase::DeleteFiles);
        progress.add_total(Amount {
            items: plan.files(),
            ..Amount::default()
        });
        progress.total_known();
        for name in &plan.names {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            lock.verify().await?;
            self.delete_own(OwnFolder::Parity, name).await?;
            progress.advance(Amount {
                items: 1,
                ..Amount::default()
            });
        }
        Ok(())
    }
}
