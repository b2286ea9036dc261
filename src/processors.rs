//! The number of processors, which sets the default number of threads.

/// How many threads can run at the same time.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
