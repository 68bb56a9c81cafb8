//! Which snapshots there are: looked up again now and then, so that new ones appear while the repository is mounted.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use strongroom_repository::format::Id;
use strongroom_repository::index::Index;
use strongroom_repository::progress::Silent;
use strongroom_repository::{FileKind, Repository};

use crate::layout::{Folder, Rules, build};
use crate::options::Options;
use crate::reports::Reports;

/// The repository as it was at one moment.
pub struct View {
    /// The topmost folder.
    pub folders: Folder,
    /// Where the blobs lie.
    pub index: Arc<Index>,
}

/// The view of now.
pub struct Views {
    repository: Repository,
    options: Options,
    current: RwLock<Arc<View>>,
    /// Held while somebody looks for changes.
    seen: tokio::sync::Mutex<Seen>,
}

struct Seen {
    /// When somebody last looked.
    at: Timestamp,
    snapshots: HashSet<Id>,
}

impl Views {
    /// Reads the snapshots and the index.
    pub async fn open(
        repository: Repository,
        options: Options,
        reports: &Reports,
    ) -> strongroom_repository::Result<Self> {
        let at = options.clock.now();
        let (view, snapshots) = load(&repository, &options, reports).await?;
        Ok(Self {
            repository,
            options,
            current: RwLock::new(Arc::new(view)),
            seen: tokio::sync::Mutex::new(Seen { at, snapshots }),
        })
    }

    /// What was seen last.
    pub fn current(&self) -> Arc<View> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    /// The view of now, as far as it is allowed to look again. Where that fails, the last one stays.
    pub async fn look(&self, reports: &Reports) -> Arc<View> {
        // Somebody who is looking already will be done when they are done.
        if let Ok(mut seen) = self.seen.try_lock()
            && self.is_due(&mut seen)
        {
            let known = &seen.snapshots;
            let listed = self.repository.list(FileKind::Snapshot).await;
            let changed = listed.map(|files| {
                files.len() != known.len() || !files.iter().all(|file| known.contains(&file.id))
            });
            match changed {
                Ok(false) => {}
                Ok(true) => self.reload(&mut seen, reports).await,
                Err(error) => reports.warning(&format!("look for new snapshots: {error}")),
            }
        }
        self.current()
    }

    /// An index that is newer than this one, if there is one and it is allowed to look: without a lock, a prune may have
    /// moved what the old one names.
    pub async fn newer_index(&self, old: &Arc<Index>, reports: &Reports) -> Option<Arc<Index>> {
        let mut seen = self.seen.lock().await;
        if Arc::ptr_eq(&self.current().index, old) && self.is_due(&mut seen) {
            self.reload(&mut seen, reports).await;
        }
        let index = Arc::clone(&self.current().index);
        (!Arc::ptr_eq(&index, old)).then_some(index)
    }

    async fn reload(&self, seen: &mut Seen, reports: &Reports) {
        match load(&self.repository, &self.options, reports).await {
            Ok((view, snapshots)) => {
                seen.snapshots = snapshots;
                let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
                *current = Arc::new(view);
            }
            Err(error) => reports.warning(&format!("load new snapshots: {error}")),
        }
    }

    /// A clock that was put back counts as time gone by, or nothing would be seen for as long as it went back.
    fn is_due(&self, seen: &mut Seen) -> bool {
        let now = self.options.clock.now();
        let passed = now.duration_since(seen.at);
        let due =
            Duration::try_from(passed).map_or(true, |passed| passed >= self.options.reload_after);
        if due {
            seen.at = now;
        }
        due
    }
}

/// Snapshots first and the index after, so that the index knows all that they need.
async fn load(
    repository: &Repository,
    options: &Options,
    reports: &Reports,
) -> strongroom_repository::Result<(View, HashSet<Id>)> {
    let (snapshots, unreadable) = repository.load_snapshots_tolerant(&Silent).await?;
    let (index, lost) = repository.open_index_tolerant(&Silent).await?;
    for (_, error) in &unreadable {
        reports.warning(&format!(
            "{error}; `latest` is not shown, since it may be this one"
        ));
    }
    for (_, error) in &lost {
        reports.warning(&format!("{error}; what only it names cannot be read"));
    }
    let ids = snapshots.iter().map(|file| file.id);
    let ids = ids.chain(unreadable.iter().map(|(id, _)| *id)).collect();
    let rules = Rules {
        paths: &options.path_templates,
        times: &options.time_template,
        now: options.clock.now(),
        latest: unreadable.is_empty(),
    };
    let mut shown = options.filter.choose(snapshots);
    if let Some(only) = &options.only {
        shown.retain(|file| only.contains(&file.id));
    }
    let view = View {
        folders: build(&shown, &rules),
        index: Arc::new(index),
    };
    Ok((view, ids))
}
