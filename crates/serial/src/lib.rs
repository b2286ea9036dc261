//! Serial ports: bytes that come become events at once, and marks go out as bytes.
//!
//! Amplifiers, button boxes and trigger boxes are often connected this way. Each port has two threads, so that a device that takes
//! no bytes delays neither what it sends nor the recording.

mod error;
mod input;
mod latency;
mod list;
mod output;
mod port;
#[cfg(unix)]
mod pseudo_port;
#[cfg(test)]
#[cfg(unix)]
mod tests;
mod threads;

pub use error::{NotSent, PortError};
pub use input::{InputEvent, InputSink};
pub use latency::{Latency, measure_latency};
pub use list::{ListedPort, list};
pub use output::{OutputEvent, OutputSink, Trigger, TriggerSender};
pub use port::Port;
#[cfg(unix)]
pub use pseudo_port::{Device, Echo, PseudoPort};
pub use threads::PortThreads;
