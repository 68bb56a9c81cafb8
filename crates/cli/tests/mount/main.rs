//! `strongroom mount`: whoever looks at a backup through it must see what was backed up, or an error.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../vault/mod.rs"]
mod vault;

mod content;
mod damage;
mod ending;
mod layout;
mod mounted;
mod signed;
mod unprivileged;
mod work;
