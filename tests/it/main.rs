//! Integration tests, as one program: linking it once is quicker than linking one for each file.

#[cfg(target_os = "linux")]
mod app;
#[cfg(target_os = "linux")]
mod camera;
#[cfg(target_os = "linux")]
mod camera_rig;
mod demo_study;
mod desktop;
#[cfg(target_os = "linux")]
mod page;
mod phantom;
#[cfg(target_os = "linux")]
mod screen;
mod server;
mod store;
mod video_file;
mod vision;
mod vision_onnx;
mod vision_parity;
mod vision_refusals;
mod vision_support;
mod vision_tracking;
mod whole_line;
