//! Whether what was restored is what was backed up. A tool that is fast and wrong has no place in a table.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

/// Compares a file or folder with what was restored of it somewhere below `target`: names, kinds, modes, times to the second, content.
pub fn verify(original: &Path, path: &Path, target: &Path) -> Result<()> {
    let restored = find_restored(path, target)?;
    let (here, there) = (entries(original)?, entries(&restored)?);
    if let Some(name) = here.keys().find(|name| !there.contains_key(*name)) {
        bail!("{} is missing in {}", name.display(), restored.display());
    }
    if let Some(name) = there.keys().find(|name| !here.contains_key(*name)) {
        bail!(
            "{} is in {} and was never backed up",
            name.display(),
            restored.display()
        );
    }
    for (name, metadata) in &here {
        let (a, b) = (original.join(name), restored.join(name));
        let (a, b) = if name.as_os_str().is_empty() {
            (original.to_owned(), restored.clone())
        } else {
            (a, b)
        };
        compare(&a, metadata, &b, &there[name])
            .with_context(|| format!("{} differs", b.display()))?;
    }
    Ok(())
}

/// Tools restore below the target with all, some or none of the folders above.
fn find_restored(path: &Path, target: &Path) -> Result<PathBuf> {
    let mut folders = vec![target.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let mut below = path.components();
        while below.as_path().file_name().is_some() {
            if folder.join(below.as_path()).exists() {
                return Ok(folder.join(below.as_path()));
            }
            below.next();
        }
        let inner: Vec<_> = fs::read_dir(&folder)?.collect::<Result<_, _>>()?;
        match &inner[..] {
            [only] if only.file_type()?.is_dir() => folders.push(only.path()),
            _ => {}
        }
    }
    // bupstash restores what is in the folder, not the folder.
    ensure!(
        fs::read_dir(target)?.next().is_some(),
        "nothing was restored into {}",
        target.display()
    );
    Ok(target.to_owned())
}

fn entries(root: &Path) -> Result<BTreeMap<PathBuf, fs::Metadata>> {
    let mut found = BTreeMap::new();
    let mut paths = vec![PathBuf::new()];
    while let Some(path) = paths.pop() {
        let whole = if path.as_os_str().is_empty() {
            root.to_owned()
        } else {
            root.join(&path)
        };
        let metadata = fs::symlink_metadata(&whole).with_context(|| whole.display().to_string())?;
        if metadata.is_dir() {
            for entry in fs::read_dir(&whole)? {
                paths.push(path.join(entry?.file_name()));
            }
        }
        found.insert(path, metadata);
    }
    Ok(found)
}

fn compare(a: &Path, of_a: &fs::Metadata, b: &Path, of_b: &fs::Metadata) -> Result<()> {
    ensure!(of_a.file_type() == of_b.file_type(), "other kind");
    if of_a.is_dir() {
        return Ok(());
    }
    ensure!(
        of_a.mode() == of_b.mode(),
        "mode {:o} instead of {:o}",
        of_b.mode(),
        of_a.mode()
    );
    ensure!(
        of_a.len() == of_b.len(),
        "{} bytes instead of {}",
        of_b.len(),
        of_a.len()
    );
    ensure!(
        of_a.mtime() == of_b.mtime(),
        "time {} instead of {}",
        of_b.mtime(),
        of_a.mtime()
    );
    same_content(a, b)
}

fn same_content(a: &Path, b: &Path) -> Result<()> {
    let (mut file_a, mut file_b) = (fs::File::open(a)?, fs::File::open(b)?);
    let (mut block_a, mut block_b) = (vec![0; 256 << 10], vec![0; 256 << 10]);
    loop {
        let length = file_a.read(&mut block_a)?;
        if length == 0 {
            return Ok(());
        }
        file_b.read_exact(&mut block_b[..length])?;
        ensure!(block_a[..length] == block_b[..length], "other content");
    }
}
