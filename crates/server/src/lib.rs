//! The same recorder behind HTTP, for participants far away: browsers record, this stores, their owner looks.
//!
//! Only this room knows axum. Each session is a task that owns its recorder; the thread `hub` owns the ledger and knows
//! all sessions; the threads `vision` look at videos. docs/protocol.md is what the browsers' library relies on.

mod app;
mod assets;
mod average_api;
mod blocking;
mod browser;
mod chunk_bytes;
mod chunks;
mod clock;
mod config;
mod documents;
mod download;
mod download_api;
mod frame_clock;
mod fuzz;
mod hub;
mod hub_client;
mod intake;
mod library_api;
mod live;
mod live_api;
mod login;
mod networks;
mod orders;
mod pool;
mod problem;
mod pull;
mod rate;
mod remote;
mod run;
pub mod secrets;
mod video_ingest;
mod wire;

pub use app::description;
pub use config::{ServeError, ServerConfig};
#[doc(hidden)]
pub use fuzz::intake as fuzz_intake;
pub use pull::{PullError, PullPlan, PullProgress, Pulled, pull};
pub use run::{Running, serve};
