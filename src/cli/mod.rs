//! The command line: arguments parsed once, then one function a command.
