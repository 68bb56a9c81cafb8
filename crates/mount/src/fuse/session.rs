//! From mounting to unmounting.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use fuser::{BackgroundSession, Config, MountOption, Session, SessionACL};
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};
use strongroom_repository::Repository;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::attributes::Surroundings;
use super::filesystem::Mount;
use crate::browser::Browser;
use crate::error::{Error, ErrorKind, Result};
use crate::mountpoint;
use crate::options::Options;

/// A repository that is mounted. Dropping it unmounts.
#[derive(Debug)]
pub struct Mounted {
    session: BackgroundSession,
    ended: oneshot::Receiver<()>,
    mountpoint: PathBuf,
}

/// How an unmounting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmounted {
    /// Nobody used it.
    Free,
    /// Somebody did: the folder is free, but what they hold open cannot be read any more once this process ends.
    InUse,
}

/// Mounts a repository, which can be looked at once this returns. Needs a runtime for as long as it is mounted.
///
/// # Errors
/// Those of [`crate::check_mountpoint`], [`ErrorKind::NoFuse`], [`ErrorKind::System`], [`ErrorKind::Repository`].
pub async fn mount(repository: Repository, options: &Options) -> Result<Mounted> {
    let mountpoint = mountpoint::check(&options.mountpoint)?;
    let surroundings = Surroundings {
        uid: rustix::process::getuid().as_raw(),
        gid: rustix::process::getgid().as_raw(),
        mounted: SystemTime::from(options.clock.now()),
        owner_root: options.owner_root,
    };
    let location = repository.location();
    let browser = Browser::open(repository, options).await?;
    let (sender, ended) = oneshot::channel();
    let filesystem = Mount::new(browser, surroundings, Handle::current(), sender);
    let config = config(options, &location);
    let place = mountpoint.clone();
    // The kernel asks and is answered before this returns.
    let starting = move || Session::new(filesystem, place, &config)?.spawn();
    let started = tokio::task::spawn_blocking(starting).await;
    let session = started
        .map_err(io::Error::other)
        .and_then(|started| started)
        .map_err(|error| refused(&mountpoint, &error))?;
    Ok(Mounted {
        session,
        ended,
        mountpoint,
    })
}

fn config(options: &Options, location: &str) -> Config {
    let mut config = Config::default();
    // A comma would begin another option for the program that mounts for ordinary users.
    let name = location.replace([',', '\\'], "_");
    config.mount_options = vec![
        MountOption::RO,
        MountOption::NoDev,
        MountOption::NoSuid,
        MountOption::FSName(format!("strongroom:{name}")),
    ];
    if options.allow_other {
        config.acl = SessionACL::All;
        if options.default_permissions {
            config.mount_options.push(MountOption::DefaultPermissions);
        }
    }
    config
}

fn refused(mountpoint: &Path, error: &io::Error) -> Error {
    let device = Path::new("/dev/fuse");
    let shown = mountpoint.display();
    let (kind, what) = match error.kind() {
        _ if !device.exists() => (ErrorKind::NoFuse, "the system has no /dev/fuse".to_owned()),
        io::ErrorKind::NotFound => (
            ErrorKind::NoFuse,
            "only root can mount without the program fusermount3, which is not installed"
                .to_owned(),
        ),
        io::ErrorKind::PermissionDenied if !can_open(device) => (
            ErrorKind::NoFuse,
            "this user may not open /dev/fuse, which everybody may where udev has made it"
                .to_owned(),
        ),
        _ => (ErrorKind::System, error.to_string()),
    };
    Error::new(kind, format!("mount on {shown}: {}", what.trim()))
}

fn can_open(device: &Path) -> bool {
    let mut options = std::fs::File::options();
    options.read(true).write(true).open(device).is_ok()
}

impl Mounted {
    /// Where.
    pub fn mountpoint(&self) -> &Path {
        &self.mountpoint
    }

    /// Returns when somebody else has unmounted it.
    pub async fn ended(&mut self) {
        // A sender that is gone has ended, too.
        let _ = (&mut self.ended).await;
    }

    /// Unmounts. Returns at once if somebody else has done so.
    ///
    /// # Errors
    /// [`ErrorKind::System`]; the mount stands then until this process ends, and as an empty shell after that.
    pub async fn unmount(mut self) -> Result<Unmounted> {
        let has_ended = self.ended.try_recv() != Err(oneshot::error::TryRecvError::Empty);
        let unmounting = move || {
            if has_ended {
                self.leave_alone();
                return Ok(Unmounted::Free);
            }
            self.unmount_now()
        };
        tokio::task::spawn_blocking(unmounting)
            .await
            .map_err(|error| Error::new(ErrorKind::System, format!("unmount: {error}")))?
    }

    fn unmount_now(self) -> Result<Unmounted> {
        let place = self.mountpoint.clone();
        match unmount(&place, UnmountFlags::NOFOLLOW) {
            // Somebody else was faster, or a folder above was moved.
            Ok(()) | Err(Errno::INVAL | Errno::NOENT) => {
                self.leave_alone();
                Ok(Unmounted::Free)
            }
            Err(Errno::BUSY) => {
                let flags = UnmountFlags::NOFOLLOW | UnmountFlags::DETACH;
                let detached = unmount(&place, flags);
                self.leave_alone();
                detached.map(|()| Unmounted::InUse).map_err(|error| {
                    let shown = place.display();
                    Error::new(ErrorKind::System, format!("unmount {shown}: {error}"))
                })
            }
            // Ordinary users may not; the library asks fusermount3, which detaches.
            Err(_) => {
                drop(self.session);
                Ok(Unmounted::Free)
            }
        }
    }

    /// The library would unmount once more, and so take away what somebody else has mounted there since.
    fn leave_alone(self) {
        std::mem::forget(self.session);
    }
}
