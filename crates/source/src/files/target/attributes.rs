//! Owner, mode, times and extended attributes of an entry, in the order in which they do not undo each other.

use rustix::fs::{FileType, Gid, Mode, Timespec, Timestamps, Uid};
use rustix::io::Errno;
use strongroom_repository::format::{Node, Time};
use strongroom_repository::restore::{Attributes, TimePolicy, Withheld};

use super::extended;
use super::object::Object;
use super::owners::Owners;

/// What is being done, and what the system said.
pub(super) type Refusal = (&'static str, Errno);

/// The attributes of a node for an entry.
pub(super) struct Setting<'a> {
    pub(super) object: &'a Object<'a>,
    pub(super) node: &'a Node,
    pub(super) attributes: &'a Attributes,
    pub(super) owners: &'a Owners,
    pub(super) privileged: bool,
    pub(super) origin: Origin,
}

/// Where an entry comes from that gets attributes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// It was there before.
    Found,
    /// We have just made it; it has no attributes but inherited ones.
    Made,
    /// The same, and it has no name yet, so that nobody else has had it in his hands.
    Unnamed,
}

impl Setting<'_> {
    /// Sets everything: the owner first, since a change of owner takes set-user-id bits and capabilities away; then
    /// extended attributes, which need a right to write that the mode may take away; then the mode; times last.
    pub(super) fn apply(&self) -> Result<Withheld, Refusal> {
        let mut withheld = Withheld::default();
        let owned = self.set_owner()?;
        withheld.owner = owned.asked && !(owned.user && owned.group);
        let changed = extended::Change {
            object: self.object,
            wanted: &self.node.extended_attributes,
            filter: &self.attributes.extended,
            fresh: self.origin != Origin::Found,
            privileged: self.privileged,
        }
        .apply()
        .map_err(|errno| ("set extended attributes of", errno))?;
        withheld.extended_attributes = changed.withheld;
        let mode = self.mode(owned);
        // Most files have the mode with which they were made, which was looked at then.
        let has_mode = self.origin == Origin::Unnamed
            && !owned.changed
            && !changed.any
            && self.object.mode() == mode;
        if self.object.kind() != FileType::Symlink && !has_mode {
            self.object
                .chmod(mode)
                .map_err(|errno| ("set the mode of", errno))?;
        }
        if self.attributes.times == TimePolicy::Snapshot {
            self.object
                .set_times(&Timestamps {
                    last_access: timespec(self.node.atime),
                    last_modification: timespec(self.node.mtime),
                })
                .map_err(|errno| ("set the times of", errno))?;
        }
        Ok(withheld)
    }

    fn set_owner(&self) -> Result<Owned, Refusal> {
        let stat = self.object.stat();
        let Some((uid, gid)) = self.owners.wanted(self.node, self.attributes.owner) else {
            return Ok(Owned {
                user: stat.st_uid == self.node.uid,
                group: stat.st_gid == self.node.gid,
                asked: false,
                changed: false,
            });
        };
        let mut owned = Owned {
            user: stat.st_uid == uid,
            group: stat.st_gid == gid,
            asked: true,
            changed: false,
        };
        if owned.user && owned.group {
            return Ok(owned);
        }
        owned.changed = true;
        // All ones means "no change" to the system.
        let user = (uid != u32::MAX).then(|| Uid::from_raw(uid));
        let group = (gid != u32::MAX).then(|| Gid::from_raw(gid));
        match self.object.chown(user, group) {
            Ok(()) => {
                return Ok(Owned {
                    user: true,
                    group: true,
                    ..owned
                });
            }
            Err(Errno::PERM) if !self.privileged => {}
            Err(errno) => return Err(("set the owner of", errno)),
        }
        // A user may give his file to a group that he is in.
        if owned.user && !owned.group {
            return Ok(owned);
        }
        owned.group = owned.group || self.object.chown(None, group).is_ok();
        Ok(owned)
    }

    /// The permissions of the node. A file that is not its owner's does not get the right to act as its owner.
    fn mode(&self, owned: Owned) -> Mode {
        let mut mode = Mode::from_bits_truncate(self.node.mode.unix_permissions());
        if self.object.kind() == FileType::RegularFile {
            if !owned.user {
                mode.remove(Mode::SUID);
            }
            if !owned.group {
                mode.remove(Mode::SGID);
            }
        }
        mode
    }
}

/// Whether an entry has the user and the group that it should have.
#[derive(Clone, Copy)]
struct Owned {
    user: bool,
    group: bool,
    asked: bool,
    /// A change was tried.
    changed: bool,
}

fn timespec(time: Time) -> Timespec {
    Timespec {
        tv_sec: time.unix_seconds(),
        tv_nsec: time.nanosecond().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_keep_their_fraction() {
        let time = Time::utc(jiff::Timestamp::new(-2, 250_000_000).unwrap());
        let spec = timespec(time);
        assert_eq!((spec.tv_sec, spec.tv_nsec), (-2, 250_000_000));
    }
}
