//! The recorder behind HTTP, for participants at other computers: browsers record, the server stores, and the owner
//! views the sessions in the dashboard.
//!
//! Only this crate uses axum. Each session is a task that owns its recorder. The thread `hub` owns the ledger and the
//! list of open sessions. The threads `vision` score videos. docs/protocol.md specifies what the browsers' library
//! relies on.

mod address;
mod address_rates;
mod app;
mod assets;
mod average_api;
mod blocking;
mod browser;
mod catalogue_api;
mod chunk_bytes;
mod chunks;
mod client_files;
mod clock;
mod clock_run;
mod closing;
mod comparison_api;
mod config;
mod consent_record;
mod container;
mod documents;
mod download;
mod download_api;
mod enrolment;
mod erase_api;
mod export_api;
mod file_permits;
mod frame_clock;
mod frame_pace;
mod frame_times;
mod fuzz;
mod hub;
mod hub_client;
mod intake;
mod invitation_api;
mod library_api;
mod links;
mod live;
mod live_api;
mod login;
mod login_attempts;
mod media_api;
mod memory;
mod networks;
mod note_api;
mod origins;
mod own_data;
pub mod phone_pad;
mod pool;
mod problem;
mod pull;
mod quota;
mod rate;
mod remote;
mod remote_plan;
mod reply;
mod responses;
mod routes;
mod run;
mod running;
pub mod secrets;
mod session_command;
mod session_list_api;
mod session_state;
mod status_api;
mod studies_api;
mod study_form;
mod unread_body;
mod video_ingest;
mod video_result;
mod visitor_api;
mod wire;

pub use config::{Quotas, ServeError, ServerConfig, SessionLimits};
#[doc(hidden)]
pub use fuzz::intake as fuzz_intake;
pub use origins::origin;
pub use pull::{PullError, PullPlan, PullProgress, Pulled, pull};
pub use routes::description;
pub use run::{Running, serve};
