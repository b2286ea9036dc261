//! Integration tests, as one program: linking it once is quicker than linking one for each file.

#[cfg(target_os = "linux")]
mod camera;
#[cfg(target_os = "linux")]
mod camera_rig;
mod desktop;
mod phantom;
mod store;
mod video_file;
