//! The window: views draw the state and push commands. Only this crate uses egui.
//!
//! [`port`] defines what the window needs from the rest of the program. [`run`] opens the window.

pub mod port;

mod annotation_state;
mod annotations;
mod app;
mod apply;
mod averages;
mod camera_view;
mod command;
mod decimate;
mod dialog_parts;
mod dialogs;
mod event_marks;
mod event_text;
mod events;
mod expressions;
mod figures;
mod file_dialog;
mod frame_loop;
mod galloping_search;
mod health_bar;
mod home;
mod home_dialogs;
mod indexed_timeline;
mod job_state;
mod keys;
mod live;
mod overview;
mod photo;
mod plane;
mod plot_area;
mod plots;
mod preferences;
mod quality;
mod rating;
mod rating_state;
mod receive;
mod review;
mod review_state;
mod screen_layout;
mod session_menu;
mod session_table;
mod setup;
mod state;
mod study;
mod study_form;
mod study_side;
mod study_state;
mod theme;
mod time_window;
mod views;
mod widgets;
mod window;

pub use app::App;
pub use preferences::Preferences;
pub use receive::NOT_DISCARDED;
pub use state::{Dialog, Review, Screen, State};
pub use window::{DesktopError, Options, run};
