//! What a restore would write.

use std::collections::HashSet;

use super::{Scan, Stats};
use crate::Result;
use crate::format::NodeKind;
use crate::progress::Amount;
use crate::walk::{Found, walk_union};

impl Scan<'_> {
    pub(super) async fn restore_size(&self) -> Result<Stats> {
        let mut stats = Stats::default();
        // Files with several names are restored once for each snapshot.
        let mut linked: HashSet<(u32, u64, u64)> = HashSet::new();
        walk_union(
            self.repository,
            self.index,
            self.trees,
            self.cancel,
            &mut |what, members| {
                let node = match what {
                    Found::Entry(entry) => &entry.node,
                    Found::Damage(damage) => {
                        self.damaged(&damage.path, &damage.error);
                        return false;
                    }
                };
                let snapshots = members.len() as u64;
                stats.total_file_count = stats.total_file_count.saturating_add(snapshots);
                let alone = node.links == 1 || node.inode == 0 || node.kind == NodeKind::Dir;
                let times = match alone {
                    true => snapshots,
                    false => {
                        let first =
                            |member: &&u32| linked.insert((**member, node.inode, node.device_id));
                        members.iter().filter(first).count() as u64
                    }
                };
                let bytes = node.size_bytes.saturating_mul(times);
                stats.total_size_bytes = stats.total_size_bytes.saturating_add(bytes);
                self.progress.advance(Amount {
                    files: snapshots,
                    bytes,
                    items: 0,
                });
                true
            },
        )
        .await?;
        Ok(stats)
    }
}
