//! An allocator that counts, thread by thread: what bytes from outside made somebody ask for.
//!
//! A test binary has to choose it:
//!
//! ```ignore
//! #[global_allocator]
//! static ALLOCATOR: millstream_test_support::memory::Counting = millstream_test_support::memory::Counting;
//! ```

#![allow(unsafe_code, reason = "an allocator can't be without it; this one hands everything to the system's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counted.
#[derive(Debug)]
pub struct Counting;

/// What was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allocated {
    /// Bytes of the largest piece.
    pub largest: usize,
    /// Bytes of all pieces, whether they were given back or not.
    pub total: usize,
}

thread_local! {
    static ALLOCATED: Cell<Allocated> = const { Cell::new(Allocated { largest: 0, total: 0 }) };
}

/// Runs something and says what its thread has asked for meanwhile.
///
/// # Panics
/// When the binary has not chosen [`Counting`]: nothing would be counted.
pub fn allocated<T>(run: impl FnOnce() -> T) -> (T, Allocated) {
    ALLOCATED.set(Allocated::default());
    drop(std::hint::black_box(vec![0_u8; 100]));
    assert!(ALLOCATED.get().total >= 100, "the test binary has another allocator than `Counting`");
    ALLOCATED.set(Allocated::default());
    let result = run();
    (result, ALLOCATED.get())
}

fn note(bytes: usize) {
    // The thread may be on its way out.
    let _ = ALLOCATED.try_with(|allocated| {
        let Allocated { largest, total } = allocated.get();
        allocated.set(Allocated { largest: largest.max(bytes), total: total.saturating_add(bytes) });
    });
}

// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        note(bytes);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(at, layout, bytes) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}
