//! Where a page is shown.

use std::path::PathBuf;

#[derive(Debug, Clone)]
pub enum Placement {
    /// Inside the program's own window, on X11. `zoom` is the number of physical pixels per page pixel.
    Embedded { parent_xid: u64, bounds: BoundsPx, zoom: f64 },
    /// In a window and a process of its own. [`Placement::WINDOW`] is the usual one.
    ParticipantWindow {
        /// `None`: the second monitor, or a normal window if there is one monitor.
        monitor: Option<usize>,
        /// Whether the window fills that monitor.
        full_screen: bool,
        /// The program to run. `None`: this program.
        program: Option<PathBuf>,
        /// An X display other than the program's own.
        display: Option<String>,
    },
}

impl Placement {
    /// A participant window of this program, on the second monitor if there is one.
    pub const WINDOW: Placement =
        Placement::ParticipantWindow { monitor: None, full_screen: true, program: None, display: None };
}

/// A rectangle in physical pixels of the window that contains it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoundsPx {
    pub left: i32,
    pub top: i32,
    pub width: u32,
    pub height: u32,
}
