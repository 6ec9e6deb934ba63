//! The end of a `Vec<u8>`, open for writes that are not checked one by one.
//!
//! `Vec::push` asks for room at every byte. The kernels know a bound before
//! they start (so many units, at most so many bytes each), so they reserve it once and then write through a pointer.
//! A [`Sink`] is that pointer with its two duties in one place: stay inside the room that was reserved, and never
//! count a byte that was not written. Builds with debug assertions check both at every write, so the tests do too.
//!
//! Writing more bytes than are kept is the point of [`Sink::put_part`]: a kernel stores a whole register, steps ahead
//! by the bytes that count, and the next store covers the rest.

/// An appender with room reserved ahead of time; [`Sink::finish`] makes the bytes part of the vector.
pub(super) struct Sink<'a> {
    out: &'a mut Vec<u8>,
    at: *mut u8,
    #[cfg(debug_assertions)]
    end: *mut u8,
}

impl<'a> Sink<'a> {
    /// Opens the end of `out` with room for `room` bytes.
    #[inline(always)]
    pub(super) fn with_room(out: &'a mut Vec<u8>, room: usize) -> Self {
        out.reserve(room);
        let spare = out.spare_capacity_mut().as_mut_ptr_range();
        Sink {
            at: spare.start.cast(),
            #[cfg(debug_assertions)]
            end: spare.end.cast(),
            out,
        }
    }

    /// Appends all the bytes of `value`.
    ///
    /// # Safety
    /// As for [`Sink::put_part`].
    #[inline(always)]
    pub(super) unsafe fn put<T: Copy>(&mut self, value: T) {
        // SAFETY: the caller meets the duties of `put_part`; the part kept is all of it.
        unsafe { self.put_part(value, size_of::<T>()) }
    }

    /// Writes all the bytes of `value` and keeps the first `kept` of them.
    ///
    /// # Safety
    /// - The room that is left holds all the bytes of `value`, also those that are not kept.
    /// - `T` is an array of integers or a vector register: it has no padding, every byte of it is initialised.
    /// - `kept` is not above the size of `T`.
    #[inline(always)]
    pub(super) unsafe fn put_part<T: Copy>(&mut self, value: T, kept: usize) {
        debug_assert!(kept <= size_of::<T>());
        // SAFETY: the caller meets the duties of both; what is kept was written in full.
        unsafe {
            self.put_at(0, value);
            self.keep(kept);
        }
    }

    /// Writes all the bytes of `value`, `offset` bytes further on, and keeps none of them.
    ///
    /// # Safety
    /// - The room that is left holds `offset` bytes and all those of `value`.
    /// - `T` is an array of integers, an integer or a vector register: it has no padding, every byte of it is initialised.
    #[inline(always)]
    pub(super) unsafe fn put_at<T: Copy>(&mut self, offset: usize, value: T) {
        #[cfg(debug_assertions)]
        assert!(offset + size_of::<T>() <= self.end.addr() - self.at.addr(), "write past the reserved room");
        // SAFETY: `at` points into the spare capacity of `out`, which the exclusive borrow keeps in place, and the
        // caller says that `value` fits into what is left of it.
        unsafe { self.at.add(offset).cast::<T>().write_unaligned(value) }
    }

    /// As [`Sink::put_at`], but past the cache. Nobody reads these bytes before an `sfence`.
    ///
    /// # Safety
    /// - The room that is left holds `offset` bytes and sixteen more.
    /// - The address `offset` bytes further on is a multiple of sixteen.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(super) unsafe fn stream_at(&mut self, offset: usize, value: core::arch::x86_64::__m128i) {
        #[cfg(debug_assertions)]
        assert!(offset + 16 <= self.end.addr() - self.at.addr(), "write past the reserved room");
        debug_assert!((self.at.addr() + offset).is_multiple_of(16));
        // SAFETY: as for `put_at`; the caller says that the address is aligned. SSE2 is part of x86-64.
        unsafe { core::arch::x86_64::_mm_stream_si128(self.at.add(offset).cast(), value) }
    }

    /// Keeps the next `count` bytes.
    ///
    /// # Safety
    /// All of them were written.
    #[inline(always)]
    pub(super) unsafe fn keep(&mut self, count: usize) {
        #[cfg(debug_assertions)]
        assert!(count <= self.end.addr() - self.at.addr(), "kept past the reserved room");
        // SAFETY: what was written lies inside the room, so the step stays inside.
        self.at = unsafe { self.at.add(count) };
    }

    /// Drops the last `count` bytes.
    ///
    /// # Safety
    /// At least `count` bytes were kept since the sink was opened.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(super) unsafe fn take_back(&mut self, count: usize) {
        debug_assert!(count <= self.at.addr() - self.out.as_ptr().addr() - self.out.len());
        // SAFETY: the caller says that `at` has moved at least as far.
        self.at = unsafe { self.at.sub(count) };
    }

    /// Makes what was kept part of the vector.
    #[inline(always)]
    pub(super) fn finish(self) {
        let len = self.at.addr() - self.out.as_ptr().addr();
        // SAFETY: `at` started at the old length and moved only over bytes that `put_part` had written, inside the
        // capacity: all bytes below it are initialised.
        unsafe { self.out.set_len(len) }
    }
}
