//! Large pieces of memory in large pages.
//!
//! Fresh memory comes from the system page by page, and the page is cleared first: for a buffer of some megabytes that takes about
//! as long as reading a pack into it, and deriving a key from a password walks through 32 MiB at random, which also costs a
//! look-up in the page table each time. Pages of 2 MiB are 512 times fewer. Most distributions give them to programs that ask.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
#[cfg(target_os = "linux")]
use std::ffi::c_void;

/// The system's allocator, which asks for large pages where a piece of memory has room for some. What the system makes of that is
/// its own matter.
///
/// It takes no more memory than is used but for the rest of the last large page. The executable makes it its global allocator.
#[derive(Debug, Clone, Copy, Default)]
pub struct LargePages;

/// The length of a large page on x86-64 and on Arm with small pages of 4 KiB, and a multiple of all lengths of small pages.
#[cfg(target_os = "linux")]
const LARGE: usize = 2 << 20;

/// Asks for large pages for those parts of the piece of memory that could be some; its content stays what it is.
#[cfg(target_os = "linux")]
fn ask(place: *mut u8, length: usize) {
    let skipped = place.align_offset(LARGE);
    let usable = length.saturating_sub(skipped) / LARGE * LARGE;
    if place.is_null() || usable == 0 {
        return;
    }
    let begin = place.wrapping_add(skipped).cast::<c_void>();
    // A system without large pages says no, and all is as before.
    // SAFETY: the range lies within one allocation, and this advice changes no content and no right of access.
    let _ = unsafe { rustix::mm::madvise(begin, usable, rustix::mm::Advice::LinuxHugepage) };
}

#[cfg(not(target_os = "linux"))]
fn ask(_: *mut u8, _: usize) {}

// SAFETY: every call is passed on to the system's allocator as it came, and its result is returned.
unsafe impl GlobalAlloc for LargePages {
    // SAFETY: the caller keeps the promises of the trait, which are those of the system's allocator.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller has promised what this wants.
        let place = unsafe { System.alloc(layout) };
        ask(place, layout.size());
        place
    }

    // SAFETY: as above.
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller has promised what this wants.
        let place = unsafe { System.alloc_zeroed(layout) };
        ask(place, layout.size());
        place
    }

    // SAFETY: as above.
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller has promised what this wants; the place came from the same allocator.
        unsafe { System.dealloc(place, layout) }
    }

    // SAFETY: as above.
    unsafe fn realloc(&self, place: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller has promised what this wants; the place came from the same allocator.
        let place = unsafe { System.realloc(place, layout, new_size) };
        ask(place, new_size);
        place
    }
}
