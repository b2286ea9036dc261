//! Opens the window and runs [`App`] in it.

use std::path::PathBuf;

use eframe::egui;
use raw_window_handle::HasWindowHandle;
use thiserror::Error;

use super::app::App;
use super::port::{BackendBuilder, Host, Wake};
use super::preferences::Preferences;
use super::window_size::{SMALLEST, WindowSize};

pub struct Options {
    /// Called on this thread after the window is open.
    pub build: BackendBuilder,
    /// A session to open at the start.
    pub open: Option<PathBuf>,
    /// The file of the preferences: [`Preferences::default_path`](super::Preferences::default_path).
    pub preferences: Option<PathBuf>,
}

#[derive(Debug, Error)]
pub enum DesktopError {
    #[error(
        "The window could not be opened: {0}. Check that a display is available. `affectograph record` works without one."
    )]
    Window(String),
    #[error("{0}")]
    Backend(String),
}

/// Runs until the window is closed. Must be called on the main thread.
pub fn run(options: Options) -> Result<(), DesktopError> {
    let Options { build, open, preferences } = options;
    // `App::new` reports preferences that cannot be read.
    let remembered = preferences.as_deref().and_then(|path| Preferences::load(path).ok()).and_then(|p| p.window);
    let WindowSize { width, height, is_maximized } = WindowSize::at_start(remembered);
    let mut viewport = egui::ViewportBuilder::default()
        .with_title("affectograph")
        .with_app_id("affectograph")
        .with_inner_size([width, height])
        .with_min_inner_size(SMALLEST)
        .with_maximized(is_maximized)
        .with_drag_and_drop(true);
    let icon = eframe::icon_data::from_png_bytes(include_bytes!("../../../assets/icon.png"));
    if let Ok(icon) = icon {
        viewport = viewport.with_icon(icon);
    }
    let native = eframe::NativeOptions {
        viewport,
        renderer: eframe::Renderer::Glow,
        // Dithering takes time and is not visible on flat surfaces.
        dithering: false,
        event_loop_builder: event_loop(),
        ..Default::default()
    };
    // eframe would box this error. The backend's message is kept apart, so that it is shown unchanged.
    let failure = std::rc::Rc::new(std::cell::RefCell::new(None));
    let failure_of_backend = failure.clone();
    let opened = eframe::run_native(
        "affectograph",
        native,
        Box::new(move |creation| {
            let ctx = creation.egui_ctx.clone();
            let waker = ctx.clone();
            let host = Host {
                wake: Wake::new(move || waker.request_repaint()),
                window: creation.window_handle().ok().map(|handle| handle.as_raw()),
            };
            let backend = build(host).inspect_err(|sentence| {
                failure_of_backend.replace(Some(sentence.clone()));
            })?;
            let mut app = App::new(&ctx, backend, preferences);
            if let Some(path) = open {
                app.open(&ctx, path);
            }
            Ok(Box::new(app))
        }),
    );
    match (opened, failure.take()) {
        (_, Some(sentence)) => Err(DesktopError::Backend(sentence)),
        (Ok(()), None) => Ok(()),
        (Err(error), None) => Err(DesktopError::Window(error.to_string())),
    }
}

/// The embedded page is an X11 child window. A native Wayland surface cannot have one; XWayland can.
#[cfg(target_os = "linux")]
fn event_loop() -> Option<eframe::EventLoopBuilderHook> {
    use winit::platform::x11::EventLoopBuilderExtX11;
    let has_x11 = std::env::var_os("DISPLAY").is_some_and(|display| !display.is_empty());
    has_x11.then(|| -> eframe::EventLoopBuilderHook {
        Box::new(|builder| {
            builder.with_x11();
        })
    })
}

#[cfg(not(target_os = "linux"))]
fn event_loop() -> Option<eframe::EventLoopBuilderHook> {
    None
}
