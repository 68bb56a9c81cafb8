//! What to back up, read from files.

use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use strongroom_repository::pattern::{decode_text, lines};

use super::{Arguments, glob};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::escape;

/// All paths that were named, on the command line first; raw bytes.
pub fn collect(arguments: &Arguments, context: &Context) -> Result<Vec<Vec<u8>>> {
    let named = arguments.paths.iter().map(|path| path.as_bytes().to_vec());
    let mut paths: Vec<Vec<u8>> = named.collect();
    for file in &arguments.files_from {
        let content = decode_text(&read(file)?);
        for line in lines(&content).map(<[u8]>::trim_ascii) {
            if !line.is_empty() && !line.starts_with(b"#") {
                add_pattern(line, &mut paths, context)?;
            }
        }
    }
    for file in &arguments.files_from_verbatim {
        let content = decode_text(&read(file)?);
        paths.extend(
            lines(&content)
                .filter(|line| !line.is_empty())
                .map(<[u8]>::to_vec),
        );
    }
    for file in &arguments.files_from_raw {
        add_raw(file, &read(file)?, &mut paths)?;
    }
    Ok(paths)
}

fn add_pattern(pattern: &[u8], paths: &mut Vec<Vec<u8>>, context: &Context) -> Result<()> {
    if !glob::is_pattern(pattern) {
        // A plain path that does not exist has to make the backup partial, so it is kept as it is.
        paths.push(pattern.to_vec());
        return Ok(());
    }
    let root = context.environment.working_directory.as_deref();
    let found = glob::expand(pattern, root.unwrap_or(Path::new("/")))?;
    if found.is_empty() {
        let pattern = escape::name(pattern).into_owned();
        context
            .output
            .warning(&format!("nothing matches the pattern {pattern}"));
    }
    paths.extend(found);
    Ok(())
}

/// Every path ends with a zero byte; without the last one the file may have been cut off.
fn add_raw(file: &Path, content: &[u8], paths: &mut Vec<Vec<u8>>) -> Result<()> {
    let Some(content) = content.strip_suffix(&[0]) else {
        return match content.is_empty() {
            true => Ok(()),
            false => Err(Error::usage(format!(
                "{}: the last path does not end with a zero byte, so the file may have been cut off",
                file.display()
            ))),
        };
    };
    for path in content.split(|byte| *byte == 0) {
        if path.is_empty() {
            return Err(Error::usage(format!("{}: an empty path", file.display())));
        }
        paths.push(path.to_vec());
    }
    Ok(())
}

fn read(file: &PathBuf) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    let done = match file.as_os_str() == "-" {
        true => std::io::stdin().lock().read_to_end(&mut content),
        false => std::fs::File::open(file).and_then(|mut file| file.read_to_end(&mut content)),
    };
    done.map_err(|e| Error::usage(format!("read what to back up from {}: {e}", file.display())))?;
    Ok(content)
}
