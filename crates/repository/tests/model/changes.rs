//! What puts another snapshot in place of one: tags, pins, and rewrites that leave files out.

use std::time::Duration;

use strongroom_repository::Result;
use strongroom_repository::clock::Clock;
use strongroom_repository::lock::Lock;
use strongroom_repository::pattern::PatternSet;
use strongroom_repository::pin::{Pin, plan_pin, plan_unpin};
use strongroom_repository::progress::Silent;
use strongroom_repository::repository::SnapshotFile;
use strongroom_repository::rewrite::{DropMetadata, RewriteOptions, plan_rewrite};
use strongroom_repository::tag::{TagChange, TagPlan, plan_tags};
use tokio_util::sync::CancellationToken;

use crate::actions::{Job, picked};
use crate::expected::number_of;

impl Job {
    async fn one(&self, pick: usize) -> Result<Vec<SnapshotFile>> {
        let snapshots = self.repository().load_snapshots(&Silent).await?;
        Ok(picked(&snapshots, pick).cloned().into_iter().collect())
    }

    async fn change_tags(&self, lock: &Lock, plan: TagPlan) -> Result<()> {
        self.touch(plan.changes.iter().map(|change| change.old.id));
        let cancel = CancellationToken::new();
        let done = plan.execute(self.repository(), lock, &Silent, &cancel);
        done.await.map(drop)
    }

    pub async fn tag(&self, lock: &Lock, pick: usize, tag: &str) -> Result<()> {
        let plan = plan_tags(self.one(pick).await?, &TagChange::Set(vec![tag.to_owned()]))?;
        self.change_tags(lock, plan).await
    }

    pub async fn pin(&self, lock: &Lock, pick: usize, days: Option<u64>) -> Result<()> {
        let now = self.process.machine.clock.now();
        let pin = Pin {
            until: days.map(|days| now + Duration::from_secs(days * 24 * 3600)),
            ..Pin::default()
        };
        let plan = plan_pin(self.one(pick).await?, &pin);
        self.change_tags(lock, plan).await
    }

    pub async fn unpin(&self, lock: &Lock, pick: usize) -> Result<()> {
        let plan = plan_unpin(self.one(pick).await?);
        self.change_tags(lock, plan).await
    }

    /// From now on the backup may be there without what has this name, too.
    pub async fn rewrite(
        &self,
        lock: &Lock,
        pick: usize,
        without: &str,
        forget: bool,
    ) -> Result<()> {
        let (repository, cancel) = (self.repository(), CancellationToken::new());
        let insensitive: [&str; 0] = [];
        let options = RewriteOptions {
            exclude: PatternSet::parse([without], insensitive).unwrap(),
            drop: DropMetadata::default(),
            new_host: None,
            new_time: None,
            snapshot_summary: false,
            forget,
        };
        let (files, now) = (self.one(pick).await?, self.process.machine.clock.now());
        let plan = plan_rewrite(repository, files, options, now, &Silent, &cancel).await?;
        for old in plan.changes.iter().map(|change| &change.old) {
            let number = number_of(&old.snapshot).expect("all snapshots are of the model");
            self.expected.lock().unwrap().may_lack(number, without);
        }
        if forget {
            self.touch(plan.changes.iter().map(|change| change.old.id));
        }
        let done = plan.execute(repository, lock, &Silent, &cancel).await;
        done.map(drop)
    }
}
