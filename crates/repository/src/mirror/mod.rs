//! Keeping a second storage the same as that of a repository, file by file.
//!
//! Nothing is decrypted: the mirror has the same files under the same names, opens with the same passwords, and is a whole
//! repository of its own when the first one is gone. That is the difference from a copy, which moves snapshots between
//! repositories of different keys.
//!
//! - At every moment the mirror is a repository in which every snapshot can be restored: files come in the order in which
//!   a backup publishes them, and go in the opposite one ([`part`]).
//! - Damage does not spread. A file that is named by its content is hashed on the way; one that is not what its name says is
//!   not copied, and a whole one on the mirror stays.
//! - Loss does not spread by itself. What the mirror has and the repository has not stays unless its removal is asked
//!   for; nothing is removed where something could not be copied, and no plan removes every snapshot.
//! - Locks are no part of it: each of the two has its own. Files that are not a repository's are left alone in both.

mod execute;
mod part;
mod plan;
mod same;

pub use execute::{MirrorReport, NotMirrored};
pub use plan::{MirrorFigures, MirrorOptions, MirrorPlan, Removal};
pub use same::Mirror;
