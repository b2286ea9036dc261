//! The error type of commands and of the window's start.

/// An error with a complete message for the user.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
