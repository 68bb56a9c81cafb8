//! Whose an entry shall be on this machine.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use strongroom_repository::format::Node;
use strongroom_repository::restore::OwnerPolicy;

/// Numbers of users and groups by name, asked for once.
#[derive(Default)]
pub(super) struct Owners {
    users: Mutex<HashMap<String, Option<u32>>>,
    groups: Mutex<HashMap<String, Option<u32>>>,
}

impl Owners {
    /// User and group that the policy wants; `None` where it wants no change.
    pub(super) fn wanted(&self, node: &Node, policy: OwnerPolicy) -> Option<(u32, u32)> {
        match policy {
            OwnerPolicy::Id => Some((node.uid, node.gid)),
            OwnerPolicy::None => None,
            OwnerPolicy::Fixed { uid, gid } => {
                Some((uid.unwrap_or(node.uid), gid.unwrap_or(node.gid)))
            }
            OwnerPolicy::Name => {
                let user = known(&self.users, &node.user, |name| {
                    Some(nix::unistd::User::from_name(name).ok()??.uid.as_raw())
                });
                let group = known(&self.groups, &node.group, |name| {
                    Some(nix::unistd::Group::from_name(name).ok()??.gid.as_raw())
                });
                Some((user.unwrap_or(node.uid), group.unwrap_or(node.gid)))
            }
        }
    }
}

fn known(
    cache: &Mutex<HashMap<String, Option<u32>>>,
    name: &str,
    look_up: impl FnOnce(&str) -> Option<u32>,
) -> Option<u32> {
    if name.is_empty() || name.contains('\0') {
        return None;
    }
    let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(id) = cache.get(name) {
        return *id;
    }
    let id = look_up(name);
    cache.insert(name.to_owned(), id);
    id
}
