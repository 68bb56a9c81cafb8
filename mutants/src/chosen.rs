//! Which change is in effect in this process. This file is put into the copy that is tested; the tool itself only carries it.

use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The number of the change that is in effect.
pub const CHOSEN: &str = "STRONGROOM_MUTANT";
/// The file that the numbers of all changes that are passed go to.
pub const REACHED: &str = "STRONGROOM_MUTANTS_REACHED";

/// Nothing has been read from the environment yet.
const UNKNOWN: u32 = u32::MAX;
/// No change, and every one that is passed is noted.
const NOTING: u32 = u32::MAX - 1;
/// No change.
const NONE: u32 = u32::MAX - 2;

static STATE: AtomicU32 = AtomicU32::new(UNKNOWN);
static FILE: OnceLock<Option<std::fs::File>> = OnceLock::new();
/// Which changes have been noted, a bit each; what does not fit in is noted each time.
static NOTED: [AtomicU64; 1024] = [const { AtomicU64::new(0) }; 1024];

/// Whether the change of this number is in effect.
#[inline]
pub fn is(number: u32) -> bool {
    let state = STATE.load(Ordering::Relaxed);
    if state < NOTING {
        state == number
    } else {
        look(number)
    }
}

#[cold]
#[inline(never)]
fn look(number: u32) -> bool {
    if STATE.load(Ordering::Relaxed) == UNKNOWN {
        let chosen = std::env::var(CHOSEN)
            .ok()
            .and_then(|text| text.parse().ok());
        let noting = if file().is_some() { NOTING } else { NONE };
        STATE.store(chosen.unwrap_or(noting), Ordering::Relaxed);
        return is(number);
    }
    note(number);
    false
}

fn note(number: u32) {
    let bit = 1_u64 << (number % 64);
    let is_new = match NOTED.get(number as usize / 64) {
        Some(word) => word.fetch_or(bit, Ordering::Relaxed) & bit == 0,
        None => true,
    };
    // One write in a file that only grows, so that lines of several threads and processes do not mix.
    if let (true, Some(mut file)) = (is_new, file()) {
        let _ = file.write_all(format!("{number}\n").as_bytes());
    }
}

fn file() -> Option<&'static std::fs::File> {
    let opened = FILE.get_or_init(|| {
        let path = std::env::var_os(REACHED)?;
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .ok()
    });
    opened.as_ref()
}
