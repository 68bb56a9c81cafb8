//! Reading through a mount: starts the command that mounts, waits until it has, walks, unmounts, and waits for it to end.

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// Longest wait for a mount to appear.
const PATIENCE: Duration = Duration::from_secs(120);

/// Mounts, walks, unmounts. Of the files in the first folder that holds `src`, every entry is looked at and one file in ten read.
pub fn walk_mounted(point: &Path, words: &[OsString]) -> Result<()> {
    fs::create_dir_all(point)?;
    let device = fs::metadata(point)?.dev();
    let (program, arguments) = words.split_first().context("no command")?;
    let mut mounter = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .spawn()?;
    let walked = wait_for(point, device, &mut mounter).and_then(|()| walk(point));
    let unmounted = Command::new("umount").arg(point).status()?;
    let status = mounter.wait()?;
    let (entries, bytes) = walked?;
    ensure!(unmounted.success(), "umount ended with {unmounted}");
    ensure!(
        status.success(),
        "{} ended with {status}",
        program.display()
    );
    ensure!(entries > 0 && bytes > 0, "the mount was empty");
    println!("walked {entries} entries, read {bytes} bytes");
    Ok(())
}

fn wait_for(point: &Path, device: u64, mounter: &mut Child) -> Result<()> {
    let begin = Instant::now();
    while fs::metadata(point)?.dev() == device {
        if let Some(status) = mounter.try_wait()? {
            bail!("it ended with {status} before anything was mounted");
        }
        ensure!(
            begin.elapsed() < PATIENCE,
            "nothing was mounted within {PATIENCE:?}"
        );
        sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// Entries seen and bytes read.
fn walk(point: &Path) -> Result<(u64, u64)> {
    let mut folders = vec![find_source(point)?];
    let (mut entries, mut files, mut bytes) = (0, 0, 0);
    let mut content = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            entries += 1;
            if metadata.is_dir() {
                folders.push(entry.path());
            } else {
                files += 1;
                if files % 10 == 0 {
                    content.clear();
                    bytes += fs::File::open(entry.path())?.read_to_end(&mut content)? as u64;
                }
            }
        }
    }
    Ok((entries, bytes))
}

/// Tools show snapshots under names of their own: the folder `src` of any of them is taken, the first that is found breadth first.
fn find_source(point: &Path) -> Result<PathBuf> {
    let mut level = vec![point.to_path_buf()];
    for _ in 0..12 {
        let mut next = Vec::new();
        for folder in level {
            if folder.join("src").is_dir() {
                return Ok(folder.join("src"));
            }
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    next.push(entry.path());
                }
            }
        }
        level = next;
    }
    bail!("no folder src below {}", point.display())
}
