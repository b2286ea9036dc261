//! The exit codes that are not in the standard library. `docs/versions.md` lists all of them.

/// Damaged or missing data was found. The command has printed what.
pub const INCOMPLETE: u8 = 3;
