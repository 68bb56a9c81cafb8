//! Names of users and groups, looked up once each.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use nix::unistd::{Gid, Group, Uid, User};

/// Names by number. One that has no name, or whose name cannot be found out, has the empty one.
#[derive(Default)]
pub(super) struct Owners {
    users: RwLock<HashMap<u32, String>>,
    groups: RwLock<HashMap<u32, String>>,
}

impl Owners {
    /// A user's name.
    pub fn user(&self, number: u32) -> String {
        cached(&self.users, number, || {
            User::from_uid(Uid::from_raw(number))
                .ok()
                .flatten()
                .map(|user| user.name)
        })
    }

    /// A group's name.
    pub fn group(&self, number: u32) -> String {
        cached(&self.groups, number, || {
            Group::from_gid(Gid::from_raw(number))
                .ok()
                .flatten()
                .map(|group| group.name)
        })
    }
}

fn cached(
    names: &RwLock<HashMap<u32, String>>,
    number: u32,
    look_up: impl Fn() -> Option<String>,
) -> String {
    if let Some(name) = names
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&number)
    {
        return name.clone();
    }
    let name = look_up().unwrap_or_default();
    names
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(number, name.clone());
    name
}
