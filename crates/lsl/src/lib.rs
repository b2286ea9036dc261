//! Lab Streaming Layer, the protocol by which the instruments of a laboratory find each other and exchange samples.
//!
//! liblsl is loaded at run time. Without it, everything else of the program works. Only `api.rs` and the files that call it
//! contain unsafe code: [`Network`] finds streams, [`Inlet`] receives one, [`Outlet`] offers one. [`InletThread`] receives one
//! stream until it is stopped, also if its sender is lost and comes back.

mod api;
mod arrival;
mod clock_link;
mod description;
mod error;
mod find;
mod inlet;
mod inlet_thread;
mod library;
mod network;
mod outlet;
mod samples;

pub use arrival::{NewSegment, SegmentReason};
pub use clock_link::{ClockLink, seconds_to_ns};
pub use description::{Channel, Description};
pub use error::LslError;
pub use find::find_stream;
pub use inlet::{ClockMeasurement, Inlet};
pub use inlet_thread::{InletEvent, InletSink, InletThread};
pub use library::LIBRARY_VARIABLE;
pub use network::{FoundStream, Network, StreamIdentity};
pub use outlet::{Outlet, OutletFormat, OutletPlan, Row};
pub use samples::{Format, Samples, Values, split};
