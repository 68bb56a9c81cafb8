//! Repairs. Where the storage keeps its promises there is nothing to repair, and nothing may be found damaged.

use strongroom_repository::Result;
use strongroom_repository::clock::Clock;
use strongroom_repository::lock::Lock;
use strongroom_repository::parity::ParityOptions;
use strongroom_repository::progress::Silent;
use strongroom_repository::repair::{IndexRepairOptions, PacksToRepair, SnapshotsRepairOptions};
use tokio_util::sync::CancellationToken;

use crate::actions::Job;
use crate::expected::number_of;

const PERCENT: u8 = 30;

impl Job {
    /// What a plan found, where it should have found nothing. Who has lost the lock may find anything.
    async fn suspicious(&self, lock: &Lock, is_clean: bool, what: String) -> Option<String> {
        let is_wrong = self.honest && !is_clean && lock.verify().await.is_ok();
        is_wrong.then(|| format!("there is nothing to repair, and yet {what}"))
    }

    pub async fn repair_index(&self, lock: &Lock) -> Result<Option<String>> {
        let (repository, cancel) = (self.repository(), CancellationToken::new());
        let options = IndexRepairOptions {
            read_all_packs: true,
        };
        let plan = repository.plan_repair_index(options, &Silent, &cancel);
        let plan = plan.await?;
        // Packs that an operation which was killed has left are found.
        let is_clean = plan.missing.is_empty()
            && plan.redescribed.is_empty()
            && plan.unreadable_indexes.is_empty()
            && plan.unreadable_packs.is_empty()
            && plan.blobs_lost == 0;
        let found = self.suspicious(lock, is_clean, format!("{plan:#?}")).await;
        let now = self.process.machine.clock.now();
        let repaired = repository.repair_index(plan, now, lock, &Silent, &cancel);
        repaired.await?;
        Ok(found)
    }

    pub async fn repair_packs(&self, lock: &Lock) -> Result<Option<String>> {
        let (repository, cancel) = (self.repository(), CancellationToken::new());
        let which = PacksToRepair::ReadAll;
        let plan = repository.plan_repair_packs(&which, 10, &Silent, &cancel);
        let plan = plan.await?;
        let is_clean = plan.is_nothing() && plan.lost.is_empty();
        let found = self.suspicious(lock, is_clean, format!("{plan:#?}")).await;
        let now = self.process.machine.clock.now();
        let repaired = repository.repair_packs(plan, now, lock, &Silent, &cancel);
        repaired.await?;
        Ok(found)
    }

    pub async fn repair_snapshots(&self, lock: &Lock) -> Result<Option<String>> {
        let (repository, cancel) = (self.repository(), CancellationToken::new());
        let options = SnapshotsRepairOptions {
            forget: true,
            ..SnapshotsRepairOptions::default()
        };
        let plan = repository.plan_repair_snapshots(&options, &Silent, &cancel);
        let plan = plan.await?;
        let is_clean = plan.is_nothing();
        let found = self.suspicious(lock, is_clean, format!("{plan:#?}")).await;
        // What it makes lacks something, and says so.
        for old in plan.snapshots.iter().map(|repair| &repair.old.snapshot) {
            let number = number_of(old).expect("all snapshots are of the model");
            self.expected.lock().unwrap().give_up(number);
        }
        let now = self.process.machine.clock.now();
        let repaired = repository.repair_snapshots(plan, now, lock, &Silent, &cancel);
        repaired.await?;
        Ok(found)
    }

    /// A descriptor that cannot be read protects nothing.
    pub async fn parity(&self, lock: &Lock, exclusive: bool) -> Result<Option<String>> {
        let (repository, cancel) = (self.repository(), CancellationToken::new());
        let options = ParityOptions {
            percent: Some(PERCENT),
            exclusive,
            accept_missing: false,
        };
        let plan = repository.plan_parity(&options, &cancel).await?;
        let is_clean = plan.unreadable().is_empty();
        let found = self.suspicious(lock, is_clean, format!("{plan:#?}")).await;
        let made = repository.make_parity(&plan, lock, &Silent, &cancel);
        made.await?;
        Ok(found)
    }
}
