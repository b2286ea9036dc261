//! Returns the memory of ended sessions to the operating system.

/// The allocator of glibc keeps freed memory for later. After many sessions at the same time this would be megabytes for
/// each of them. Takes some milliseconds.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn release_unused() {
    // SAFETY: this is the function's declaration in malloc.h. It has no precondition and may be called from any thread.
    unsafe extern "C" {
        safe fn malloc_trim(pad_bytes: usize) -> std::ffi::c_int;
    }
    malloc_trim(0);
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn release_unused() {}
