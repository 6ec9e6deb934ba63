//! Reuse of output buffers: bounded in bytes, shared by all threads, never blocking.
//!
//! A batch of spans needs some hundred kilobytes for some milliseconds. Asked from the allocator each time, that is
//! fresh pages from the kernel and a page fault per 4 KiB, which costs more than writing the bytes. The pool keeps
//! the buffers of finished requests by size class (powers of two from 4 KiB to 4 MiB) and hands them out again as
//! they are: a pooled buffer is never cleared, as nothing reads behind its length.
//!
//! Larger buffers come from the allocator and go back to it: kept, a single one would fill the pool. They are asked to be
//! backed by large pages instead, of which fresh ones are cheap.
//!
//! Why not a lock-free stack: the lock is held for a `Vec::pop`, and a lock that is taken is not waited for. `try_lock`
//! counts as a miss on the way out and as a discard on the way back, so no thread ever blocks here, and a child that
//! was forked while another thread held the lock can still allocate.

use crate::raw;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// log2 of the smallest size class.
const MIN_CLASS: u32 = 12;
/// log2 of the largest size class: larger buffers go back to the allocator.
const MAX_CLASS: u32 = 22;
const CLASSES: usize = (MAX_CLASS - MIN_CLASS + 1) as usize;
/// The bytes that [`shared`] keeps at most.
pub const SHARED_LIMIT: usize = 16 << 20;

/// A bounded store of buffers for reuse.
#[derive(Debug)]
pub struct Pool {
    classes: [Mutex<Vec<Vec<u8>>>; CLASSES],
    limit: usize,
    held: AtomicUsize,
    hits: AtomicU64,
    misses: AtomicU64,
    returned: AtomicU64,
    discarded: AtomicU64,
}

/// What a [`Pool`] has done since the process began, and what it holds now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStats {
    /// Buffers handed out from the pool.
    pub hits: u64,
    /// Buffers that had to come from the allocator.
    pub misses: u64,
    /// Buffers taken back.
    pub returned: u64,
    /// Buffers given to the allocator instead: too small, too large, or the pool was full.
    pub discarded: u64,
    /// Bytes (capacity) held for reuse now.
    pub bytes_held: usize,
    /// The bytes that the pool holds at most.
    pub bytes_limit: usize,
}

impl Pool {
    /// An empty pool that will keep at most `limit` bytes.
    pub const fn new(limit: usize) -> Self {
        Self {
            classes: [const { Mutex::new(Vec::new()) }; CLASSES],
            limit,
            held: AtomicUsize::new(0),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            returned: AtomicU64::new(0),
            discarded: AtomicU64::new(0),
        }
    }

    /// An empty buffer with room for at least `capacity` bytes; `None` when the allocator refuses.
    pub fn take(&self, capacity: usize) -> Option<Vec<u8>> {
        let capacity = capacity.max(1 << MIN_CLASS);
        if capacity > 1 << MAX_CLASS {
            self.misses.fetch_add(1, Relaxed);
            let mut buffer = allocate(capacity)?;
            raw::prefer_large_pages(&mut buffer);
            return Some(buffer);
        }
        let rounded = capacity.next_power_of_two();
        let class = class_of(rounded);
        let found = self.classes[class].try_lock().ok().and_then(|mut buffers| buffers.pop());
        if let Some(buffer) = found {
            self.held.fetch_sub(buffer.capacity(), Relaxed);
            self.hits.fetch_add(1, Relaxed);
            return Some(buffer);
        }
        self.misses.fetch_add(1, Relaxed);
        allocate(rounded)
    }

    /// Takes a buffer back. Its content stays as it is; it is only ever read up to the length of its next use.
    pub fn give(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let capacity = buffer.capacity();
        if (1 << MIN_CLASS..=1 << MAX_CLASS).contains(&capacity) {
            // The bytes are claimed before the buffer is stored, so that threads together cannot pass the limit.
            let claimed = self.held.fetch_add(capacity, Relaxed) + capacity <= self.limit;
            if claimed {
                // A buffer belongs to the class that it is large enough for.
                let class = (capacity.ilog2() - MIN_CLASS) as usize;
                if let Ok(mut buffers) = self.classes[class].try_lock() {
                    buffers.push(buffer);
                    self.returned.fetch_add(1, Relaxed);
                    return;
                }
            }
            self.held.fetch_sub(capacity, Relaxed);
        }
        self.discarded.fetch_add(1, Relaxed);
    }

    /// The counters now. Taken one by one: under load they may differ by a buffer or two.
    pub fn stats(&self) -> PoolStats {
        PoolStats {
            hits: self.hits.load(Relaxed),
            misses: self.misses.load(Relaxed),
            returned: self.returned.load(Relaxed),
            discarded: self.discarded.load(Relaxed),
            bytes_held: self.held.load(Relaxed),
            bytes_limit: self.limit,
        }
    }
}

fn class_of(capacity: usize) -> usize {
    (capacity.ilog2() - MIN_CLASS) as usize
}

fn allocate(capacity: usize) -> Option<Vec<u8>> {
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(capacity).ok()?;
    Some(buffer)
}

/// The pool of this process.
pub fn shared() -> &'static Pool {
    static SHARED: Pool = Pool::new(SHARED_LIMIT);
    &SHARED
}

/// Finished bytes in pooled memory. They go back to [`shared`] when this is dropped.
#[derive(Debug, Default)]
pub struct PooledBytes {
    memory: Vec<u8>,
    start: usize,
}

impl PooledBytes {
    /// The bytes of `memory` from `start` on.
    pub fn new(memory: Vec<u8>, start: usize) -> Self {
        debug_assert!(start <= memory.len());
        Self { memory, start }
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.memory[self.start..]
    }
}

impl Drop for PooledBytes {
    fn drop(&mut self) {
        if self.memory.capacity() > 0 {
            shared().give(std::mem::take(&mut self.memory));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn given_buffer_is_handed_out_again() {
        let pool = Pool::new(1 << 20);
        let mut buffer = pool.take(5000).unwrap();
        buffer.extend_from_slice(b"left behind");
        let (address, capacity) = (buffer.as_ptr(), buffer.capacity());
        assert_eq!(capacity, 8192);
        pool.give(buffer);
        assert_eq!(pool.stats().bytes_held, capacity);
        let again = pool.take(6000).unwrap();
        assert_eq!((again.as_ptr(), again.capacity(), again.len()), (address, capacity, 0));
        let stats = pool.stats();
        assert_eq!((stats.hits, stats.misses, stats.returned, stats.bytes_held), (1, 1, 1, 0));
    }

    #[test]
    fn limit_is_never_passed() {
        let pool = Pool::new(3 * 4096);
        let buffers: Vec<_> = (0..8).map(|_| pool.take(100).unwrap()).collect();
        for buffer in buffers {
            pool.give(buffer);
        }
        let stats = pool.stats();
        assert_eq!((stats.returned, stats.discarded, stats.bytes_held), (3, 5, 3 * 4096));
    }

    #[test]
    fn very_large_and_empty_buffers_are_not_kept() {
        let pool = Pool::new(usize::MAX);
        let large = pool.take((4 << 20) + 1).unwrap();
        assert!(large.capacity() > 4 << 20);
        pool.give(large);
        pool.give(Vec::new());
        assert_eq!(pool.stats().bytes_held, 0);
        assert_eq!(pool.stats().discarded, 2);
    }

    #[test]
    fn impossible_size_is_refused_without_abort() {
        assert!(Pool::new(0).take(isize::MAX as usize).is_none());
    }

    #[test]
    fn taken_lock_counts_as_miss_and_discard() {
        let pool = Pool::new(1 << 20);
        let first = pool.take(4096).unwrap();
        let held = pool.classes[0].lock().unwrap();
        pool.give(first);
        assert!(pool.take(4096).is_some());
        drop(held);
        let stats = pool.stats();
        assert_eq!((stats.hits, stats.misses, stats.discarded, stats.bytes_held), (0, 2, 1, 0));
    }

    #[test]
    fn threads_share_a_pool_without_losing_count() {
        let pool = Pool::new(256 << 10);
        thread::scope(|scope| {
            for seed in 0..4usize {
                let pool = &pool;
                scope.spawn(move || {
                    for round in 0..2000usize {
                        let mut buffer = pool.take(1000 + (round * 37 + seed) % 40_000).unwrap();
                        buffer.push(seed as u8);
                        pool.give(buffer);
                    }
                });
            }
        });
        let stats = pool.stats();
        assert_eq!(stats.hits + stats.misses, 8000);
        assert_eq!(stats.returned + stats.discarded, 8000);
        let really_held: usize = pool
            .classes
            .iter()
            .flat_map(|class| class.lock().unwrap().iter().map(Vec::capacity).collect::<Vec<_>>())
            .sum();
        assert_eq!(stats.bytes_held, really_held);
        assert!(stats.bytes_held <= 256 << 10);
    }
}
