//! One binary for all integration tests, so that the program is linked once.

mod store;
