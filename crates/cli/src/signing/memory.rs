//! Heads of chains that were seen on this machine: what shows that a storage was put back to an earlier state.

use std::fs::{self, DirBuilder};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use strongroom_repository::format::Id;
use strongroom_repository::signature::Link;

use crate::context::Context;
use crate::error::{Error, Result};

/// Each machine remembers a handful; more are not ours.
const MAX_BYTES: u64 = 1024 * 1024;

impl Context {
    /// The heads of a repository that were seen on this machine.
    ///
    /// # Errors
    /// A file that is there and cannot be read or understood: to go on as if nothing were remembered would hide what it is
    /// there to show.
    pub fn remembered(&self, repository: &Id) -> Result<Vec<Link>> {
        let Some(path) = self.memory(repository) else {
            return Ok(Vec::new());
        };
        let failed = |why: &str| {
            Error::failed(format!(
                "read the signatures seen before from {}: {why}",
                path.display()
            ))
            .hint("if that file is lost, remove it: earlier states of the repository are not noticed then")
        };
        match fs::metadata(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(failed(&e.to_string())),
            Ok(metadata) if metadata.len() > MAX_BYTES => return Err(failed("it is too long")),
            Ok(_) => {}
        }
        let text = fs::read_to_string(&path).map_err(|e| failed(&e.to_string()))?;
        let links = text.lines().map(str::parse);
        links
            .collect::<std::result::Result<_, _>>()
            .map_err(|_| failed("it is not what strongroom writes"))
    }

    /// Remembers heads in place of those that are `covered` by them; others stay. What cannot be remembered is told.
    pub fn remember(&self, repository: &Id, heads: &[Link], covered: &[Link]) {
        let done = self.try_remember(repository, heads, covered);
        if let Err(error) = done {
            self.output.warning(&format!(
                "the state of the signatures is not remembered: {error}"
            ));
        }
    }

    fn try_remember(&self, repository: &Id, heads: &[Link], covered: &[Link]) -> Result<()> {
        let Some(path) = self.memory(repository) else {
            return Err(Error::failed(
                "neither HOME nor XDG_STATE_HOME nor STRONGROOM_STATE_DIR is set",
            ));
        };
        let before = self.remembered(repository)?;
        let mut links = before.clone();
        links.retain(|link| !covered.contains(link));
        links.extend(heads);
        links.sort_unstable();
        links.dedup();
        if links == before {
            return Ok(());
        }
        let text: String = links.iter().map(|link| format!("{link}\n")).collect();
        replace(&path, text.as_bytes())
            .map_err(|e| Error::file(&e, format_args!("write {}", path.display())))
    }

    fn memory(&self, repository: &Id) -> Option<PathBuf> {
        let state = self.environment.state_directory()?;
        Some(state.join("signatures").join(repository.to_hex()))
    }
}

/// The old content or the new one, whatever happens.
fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let partial = path.with_extension(format!("{}.part", std::process::id()));
    let mut file = fs::File::create(&partial)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&partial, path)
}
