//! Ctrl-C, SIGTERM and log-off (SIGHUP).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::Failure;
use study_query::Cancel;

/// Becomes `true` at Ctrl-C, SIGTERM or SIGHUP. A second signal ends the process, which loses at most the last moments.
pub fn interrupted() -> Result<Arc<AtomicBool>, Failure> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = flag.clone();
    ctrlc::set_handler(move || {
        if set.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    })?;
    Ok(flag)
}

/// The same as a [`Cancel`], for work that leaves no partial files when it is cancelled.
pub fn cancel_at_signal() -> Result<Cancel, Failure> {
    let cancel = Cancel::default();
    let set = cancel.clone();
    ctrlc::set_handler(move || {
        if set.is_cancelled() {
            std::process::exit(130);
        }
        set.cancel();
    })?;
    Ok(cancel)
}
