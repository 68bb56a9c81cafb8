//! The next step after an error, by its kind.

use strongroom_repository::ErrorKind;
use strongroom_storage::ErrorKind as StorageErrorKind;

/// What to do about an error of the engine.
pub fn repository(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::NoRepository => {
            "check the address given by -r/--repo; `strongroom init` makes a new repository there"
        }
        ErrorKind::RepositoryExists => {
            "use the repository as it is, or choose another address; nothing was changed"
        }
        ErrorKind::UnsupportedVersion => {
            "a newer version of strongroom may know this format; nothing was changed"
        }
        ErrorKind::WrongPassword => {
            "check the password, and which of --password-file, --password-command, STRONGROOM_PASSWORD… supplies it"
        }
        ErrorKind::Locked => {
            "wait until the other process is done, or let --retry-lock 10m wait for it; \
             `strongroom unlock` removes locks of processes that are gone"
        }
        ErrorKind::LockLost => {
            "this process was stopped for too long or its lock was removed, so it ended before changing anything more; \
             run the command again"
        }
        ErrorKind::Damaged => {
            "run `strongroom check --read-data` to see all damage and which files it touches; change nothing before that"
        }
        ErrorKind::NotFound => {
            "`strongroom snapshots` lists the snapshots, `strongroom ls SNAPSHOT` the files in one"
        }
        ErrorKind::Ambiguous => "give more digits of the identifier",
        ErrorKind::Source => "check that the source exists and that this user may read it",
        ErrorKind::Target => "check that the target exists and that this user may write there",
        ErrorKind::NoSpace => {
            "free some space and run the command again; what was stored so far is used"
        }
        ErrorKind::Unsupported => {
            "a server of restic's protocol holds restic's files and no others; \
             reach the same files by another kind of storage, or go without"
        }
        ErrorKind::Signature => {
            "find out who changed the repository before trusting it: nothing here was changed by this command"
        }
        ErrorKind::Internal => "this is a bug in strongroom; please report it with this message",
        _ => return None,
    })
}

/// What to do about an error of a storage.
pub fn storage(kind: StorageErrorKind) -> Option<&'static str> {
    Some(match kind {
        StorageErrorKind::NotFound => "check the address given by -r/--repo",
        StorageErrorKind::PermissionDenied => {
            "check that this user may read and write the repository's files"
        }
        StorageErrorKind::ReadOnly => {
            "the storage can only be read; commands that read work all the same, others need it writable"
        }
        StorageErrorKind::NoSpace => {
            "free some space and run the command again; what was stored so far is used"
        }
        StorageErrorKind::Unauthenticated => {
            "check the user, password or key for the storage, renew them where they have expired, and run the command \
             again: what was stored so far is used"
        }
        StorageErrorKind::Untrusted => {
            "find out whether the server has a new certificate or key, or whether somebody else answers in its place; \
             --cacert FILE names the authority of a server's own certificate"
        }
        StorageErrorKind::Unreachable => {
            "check the address and the connection, and run the command again: what was stored so far is used"
        }
        StorageErrorKind::TimedOut => {
            "check the connection, or raise the limit that the message names, with -o NAME=DURATION; then run the command \
             again: what was stored so far is used"
        }
        StorageErrorKind::Throttled => {
            "run the command again later, or with fewer requests: -o limit.requests=NUMBER; what was stored so far is used"
        }
        StorageErrorKind::Io | StorageErrorKind::AlreadyExists => {
            "check the address given by -r/--repo, and what the system's log says of that file system"
        }
        StorageErrorKind::Mismatch | StorageErrorKind::RangeOutside => {
            "run `strongroom check` to see what is damaged; change nothing before that"
        }
        _ => return None,
    })
}
