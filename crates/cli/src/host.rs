//! Which machine and process this is, and whether the holder of a lock is provably gone (Linux).

use std::fs;

use strongroom_repository::format::{Id, Lock};
use strongroom_repository::lock::{Host, Identity};

use crate::environment::Environment;

/// This machine and this process, for the locks of a repository.
///
/// A process is named `linux-1:MACHINE:BOOT:PID-NAMESPACE:START`. The start time tells it from a later one with the same
/// number. The machine is a hash of what its firmware and its installation say; it is empty where either is not to be
/// read (only root may), and nothing is concluded about reboots then: two clones of one image are not one machine.
#[derive(Debug)]
pub struct ThisHost {
    identity: Identity,
}

/// The pid name space that Linux starts with: its inode number is fixed. Containers have others.
const FIRST_PID_NAMESPACE: &str = "pid:[4026531836]";

impl ThisHost {
    /// Looks once; the answers do not change while a process lives.
    pub fn new(environment: &Environment) -> Self {
        let pid = std::process::id();
        let process = match (boot(), pid_namespace(), start_of("self")) {
            (Some(boot), Some(namespace), Some(start)) => {
                let machine = machine().unwrap_or_default();
                format!("linux-1:{machine}:{boot}:{namespace}:{start}")
            }
            _ => String::new(),
        };
        Self {
            identity: Identity {
                hostname: environment.hostname.clone(),
                username: environment.username.clone(),
                uid: environment.uid,
                gid: environment.gid,
                pid,
                process,
            },
        }
    }
}

impl Host for ThisHost {
    fn identity(&self) -> Identity {
        self.identity.clone()
    }

    fn is_dead(&self, lock: &Lock) -> bool {
        let Some(holder) = ProcessName::parse(&lock.process) else {
            return false;
        };
        let Some(own) = ProcessName::parse(&self.identity.process) else {
            return false;
        };
        if holder.boot != own.boot {
            // The same machine has started anew since: nothing of before runs any more.
            let first = |name: &ProcessName<'_>| name.namespace == FIRST_PID_NAMESPACE;
            return !holder.machine.is_empty()
                && holder.machine == own.machine
                && lock.hostname == self.identity.hostname
                && first(&holder)
                && first(&own);
        }
        if holder.namespace != own.namespace {
            return false;
        }
        match process_state(lock.pid) {
            ProcessState::Gone => true,
            ProcessState::Started(start) => start != holder.start,
            ProcessState::Unknown => false,
        }
    }
}

struct ProcessName<'a> {
    machine: &'a str,
    boot: &'a str,
    namespace: &'a str,
    start: &'a str,
}

impl<'a> ProcessName<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (namespace, start) = text.rsplit_once(':')?;
        let mut parts = namespace.splitn(4, ':');
        if parts.next()? != "linux-1" {
            return None;
        }
        let (machine, boot, namespace) = (parts.next()?, parts.next()?, parts.next()?);
        let complete = !boot.is_empty() && !namespace.is_empty() && !start.is_empty();
        complete.then_some(Self {
            machine,
            boot,
            namespace,
            start,
        })
    }
}

enum ProcessState {
    Gone,
    Started(String),
    Unknown,
}

/// `/proc` may hide other users' processes (`hidepid`), so a missing folder there proves nothing; the kernel is asked.
fn process_state(pid: i64) -> ProcessState {
    let known = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    let Some(pid) = known else {
        return ProcessState::Unknown;
    };
    match rustix::process::test_kill_process(pid) {
        Err(rustix::io::Errno::SRCH) => ProcessState::Gone,
        _ => match start_of(&pid.as_raw_nonzero().to_string()) {
            Some(start) => ProcessState::Started(start),
            None => ProcessState::Unknown,
        },
    }
}

fn boot() -> Option<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned())
}

fn pid_namespace() -> Option<String> {
    let link = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(link.to_str()?.to_owned())
}

/// Ticks since boot at which a process began: field 22 of `stat`, counted behind the name, which may hold anything.
fn start_of(process: &str) -> Option<String> {
    let text = fs::read(format!("/proc/{process}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split(' ').nth(19)?.to_owned())
}

fn machine() -> Option<String> {
    let firmware = fs::read("/sys/class/dmi/id/product_uuid").ok()?;
    let installation = fs::read("/etc/machine-id").ok()?;
    let hash = Id::of(&[firmware, installation].concat()).to_hex();
    hash.get(..16).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use strongroom_repository::format::{Lock, Time};
    use strongroom_repository::lock::Host;

    use super::{ProcessName, ThisHost};
    use crate::environment::Environment;

    fn lock_of(host: &ThisHost, pid: u32, process: &str) -> Lock {
        let identity = host.identity();
        Lock {
            time: Time::utc(jiff::Timestamp::UNIX_EPOCH),
            exclusive: false,
            hostname: identity.hostname,
            username: identity.username,
            pid: i64::from(pid),
            uid: identity.uid,
            gid: identity.gid,
            process: process.to_owned(),
        }
    }

    /// Taking a living process for dead lets a prune delete what its backup is about to refer to.
    #[test]
    fn t06_only_a_process_that_is_gone_is_dead() {
        let host = ThisHost::new(&Environment::of(&[]));
        let own = host.identity();
        assert!(!host.is_dead(&lock_of(&host, own.pid, &own.process)));
        assert!(!host.is_dead(&lock_of(&host, own.pid, "")));
        assert!(!host.is_dead(&lock_of(&host, own.pid, "linux-2:what:ever")));

        let mut child = std::process::Command::new("true").spawn().unwrap();
        let gone = child.id();
        child.wait().unwrap();
        assert!(host.is_dead(&lock_of(&host, gone, &own.process)));
        // restic writes no process: its lock may be of another container, so its number proves nothing.
        assert!(!host.is_dead(&lock_of(&host, gone, "")));

        let name = ProcessName::parse(&own.process).unwrap();
        let elsewhere = own.process.replace(name.namespace, "pid:[1]");
        assert!(!host.is_dead(&lock_of(&host, gone, &elsewhere)));
        let other_start = own.process.replace(&format!(":{}", name.start), ":1");
        assert!(host.is_dead(&lock_of(&host, own.pid, &other_start)));
        let no_machine = format!("linux-1::another-boot:{}:1", name.namespace);
        assert!(!host.is_dead(&lock_of(&host, gone, &no_machine)));
    }
}
