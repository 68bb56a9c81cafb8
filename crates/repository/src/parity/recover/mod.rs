//! Bringing damaged and lost files back: [`plan`] says for each what can be done, [`RecoverPlan::execute`] does it.
//!
//! It works on a storage alone: where `config` or the keys are lost, no password opens anything. What is brought back is
//! proved by its name. `config` has no such name; the descriptor holds its hash, and a `config` that is there is replaced
//! only if the caller knows that it is not readable.
//!
//! *Damaged* is a file with other bytes than its name says. It is always brought back; its damaged bytes are copied to the
//! quarantine before. *Missing* is a member that is not there and that no descriptor marks as removed. It may have been
//! removed by another program, so it is brought back only if an index needs it (a pack), if nothing can be read without it
//! (`config`, or any key where there is none), or if the caller asks for all.

mod execute;
mod health;
mod lane;
mod plan;
mod rebuild;

pub use execute::RecoverReport;
pub use plan::{
    Condition, Needed, RecoverItem, RecoverOptions, RecoverPlan, Verdict, needed, plan,
};
