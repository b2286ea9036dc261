//! Stops a command at Ctrl-C, SIGTERM or log-off (SIGHUP).

use crate::failure::Failure;
use crate::stop_signal::StopSignal;
use study_query::Cancel;

/// Cancelled at a signal.
pub fn cancel_at_signal() -> Result<Cancel, Failure> {
    let cancel = Cancel::default();
    let (set, signal) = (cancel.clone(), StopSignal::default());
    ctrlc::set_handler(move || signal.received(|| set.cancel()))?;
    Ok(cancel)
}
