//! Stops a command at Ctrl-C, SIGTERM or log-off (SIGHUP).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::Failure;
use crate::stop_signal::StopSignal;
use study_query::Cancel;

/// Becomes `true` at a signal.
pub fn interrupted() -> Result<Arc<AtomicBool>, Failure> {
    let flag = Arc::new(AtomicBool::new(false));
    let (set, signal) = (flag.clone(), StopSignal::default());
    ctrlc::set_handler(move || signal.received(|| set.store(true, Ordering::SeqCst)))?;
    Ok(flag)
}

/// The same as a [`Cancel`], for work that leaves no partial files when it is cancelled.
pub fn cancel_at_signal() -> Result<Cancel, Failure> {
    let cancel = Cancel::default();
    let (set, signal) = (cancel.clone(), StopSignal::default());
    ctrlc::set_handler(move || signal.received(|| set.cancel()))?;
    Ok(cancel)
}
