//! Memory that is soon read or written is fetched while there is something else to do.
//!
//! An event and its response are larger than the caches next to a core, and a record's share of them comes in bursts: too
//! short for the processor to see a pattern, too long for it to hide (docs/adr/0030).

use branches::prefetch_read_data;

/// Bytes that a processor fetches at once.
const LINE: usize = 64;

/// Bursts that are shorter follow one another so closely that the processor sees what they are part of.
const LEAST: usize = 1536;

/// The most bytes to fetch: what a larger record has beyond them is one burst, and the processor sees that.
const MOST: usize = 16 * 1024;

/// Into the second cache; the first has no room beside what the mapping of a record needs.
const LOCALITY: i32 = 1;

/// Starts to fetch memory, if it is worth it, and waits for nothing.
#[inline]
pub(super) fn fetch<T>(memory: &[T]) {
    const { assert!(size_of::<T>() == 1, "lengths are bytes") };
    if memory.len() < LEAST {
        return;
    }
    for line in memory[..memory.len().min(MOST)].chunks(LINE) {
        prefetch_read_data::<T, LOCALITY>(line.as_ptr());
    }
}
