//! Who may read the files that the program creates.

/// All files and folders that this process and its child processes create from now on are accessible for their owner only:
/// files have the mode 0600 and folders 0700.
#[cfg(unix)]
pub fn make_new_files_private() {
    use rustix::fs::Mode;
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

#[cfg(not(unix))]
pub fn make_new_files_private() {}
