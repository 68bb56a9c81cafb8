//! Retention: which snapshots a policy keeps, why, and the removal of the others.
//!
//! A policy is a union of rules: a snapshot that one rule keeps is kept, and says which. The meaning of each rule is
//! restic's (its manual, "Removing snapshots according to a policy").

mod apply;
mod calendar;
mod duration;
mod pinned;
mod plan;
mod policy;
mod received;

pub use apply::{Kept, Retention, apply_policy};
pub use calendar::Calendar;
pub use duration::Duration;
pub use plan::{ForgetGroup, ForgetOptions, ForgetPlan, plan_forget, plan_forget_named};
pub use policy::{Count, Period, Policy, Reason};
pub use received::AgeBy;
