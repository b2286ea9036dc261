//! The window: views draw state and push commands, nothing else. Only this room knows egui.
//!
//! What it needs from the rest of the program stands in [`port`]; [`run`] opens the window over a backend.

pub mod port;

mod ahead;
mod annotated;
mod annotations;
mod app;
mod apply;
mod averages;
mod camera_view;
mod command;
mod decimate;
mod describe;
mod dialogs;
mod event_marks;
mod events;
mod expressions;
mod figures;
mod health_bar;
mod home;
mod indexed;
mod keys;
mod live;
mod overview;
mod pick;
mod plane;
mod plots;
mod preferences;
mod quality;
mod rated;
mod rating;
mod receive;
mod review;
mod reviewed;
mod session_table;
mod setup;
mod state;
mod studied;
mod study;
mod study_form;
mod study_side;
mod theme;
mod views;
mod widgets;
mod window;

pub use app::App;
pub use preferences::Preferences;
pub use state::{Review, Screen, State};
pub use window::{DesktopError, Options, run};
