//! Integration tests in one program, because linking one program is faster than linking one per file.

#![allow(clippy::print_stdout, reason = "a test prints why it is skipped and what it measured")]
#![expect(clippy::disallowed_methods, reason = "a test may use unbounded channels")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

#[cfg(target_os = "linux")]
mod app;
mod atspi;
mod backend_window;
mod batch;
#[cfg(target_os = "linux")]
mod camera;
#[cfg(target_os = "linux")]
mod camera_rig;
mod client;
mod closed_output;
mod compact;
mod conditions;
mod demo_study;
mod desktop;
mod face_streams;
mod films;
mod formats;
#[cfg(target_os = "linux")]
mod guided_phase;
mod hostile_bytes;
mod instrument;
mod items_table;
mod lsl;
mod lsl_set_up;
#[cfg(target_os = "linux")]
mod manage;
mod manual;
#[cfg(target_os = "linux")]
mod marker_control;
mod need;
#[cfg(target_os = "linux")]
mod no_camera;
#[cfg(target_os = "linux")]
mod own_study;
#[cfg(target_os = "linux")]
mod page;
mod page_canary;
#[cfg(target_os = "linux")]
mod page_cases;
#[cfg(target_os = "linux")]
mod page_embedded;
#[cfg(target_os = "linux")]
mod page_keys;
#[cfg(target_os = "linux")]
mod page_replay;
#[cfg(target_os = "linux")]
mod participant_screen;
mod phantom;
mod program;
mod pulse;
mod python;
#[cfg(target_os = "linux")]
mod questionnaire;
mod remote_control;
#[cfg(target_os = "linux")]
mod screen;
mod server;
mod signals;
mod simulated;
mod simulated_study;
mod statistics;
mod store;
mod study_templates;
mod study_without_page;
#[cfg(target_os = "linux")]
mod triggers;
mod video_file;
mod vision;
mod vision_onnx;
mod vision_parity;
mod vision_refusals;
mod vision_stored;
mod vision_support;
mod vision_tracking;
mod whole_line;
