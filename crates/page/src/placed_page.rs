//! A page in its place, with the same commands for both placements.

use std::path::PathBuf;

use crossbeam_channel::Sender;

#[cfg(target_os = "linux")]
use super::embedded::EmbeddedPage;
use super::error::PageError;
use super::host_protocol::{HostCommand, HostEvent};
use super::participant::{ParticipantWindow, WindowSpec};
use super::placement::Placement;
use super::view::ViewSpec;

pub(super) enum PlacedPage {
    #[cfg(target_os = "linux")]
    Embedded {
        page: EmbeddedPage,
        events: Sender<HostEvent>,
    },
    Window {
        window: Option<ParticipantWindow>,
        launcher: Box<WindowLauncher>,
        events: Sender<HostEvent>,
    },
}

/// Starts the participant window, also a second time after it has died.
pub(super) struct WindowLauncher {
    program: PathBuf,
    display: Option<String>,
    spec: WindowSpec,
}

impl WindowLauncher {
    fn start(&self, events: Sender<HostEvent>) -> std::io::Result<ParticipantWindow> {
        ParticipantWindow::start(&self.program, self.display.as_deref(), &self.spec, events)
    }
}

impl PlacedPage {
    pub fn open(placement: Placement, view: ViewSpec, events: Sender<HostEvent>) -> Result<PlacedPage, PageError> {
        match placement {
            #[cfg(target_os = "linux")]
            Placement::Embedded { parent_xid, bounds, zoom } => {
                let page =
                    EmbeddedPage::show(view, parent_xid, bounds, zoom, events.clone()).map_err(PageError::Thread)?;
                Ok(PlacedPage::Embedded { page, events })
            }
            #[cfg(not(target_os = "linux"))]
            Placement::Embedded { .. } => Err(PageError::NotEmbeddable),
            Placement::ParticipantWindow { monitor, full_screen, program, display } => {
                let program = match program {
                    Some(program) => program,
                    None => std::env::current_exe().map_err(PageError::Start)?,
                };
                let launcher =
                    Box::new(WindowLauncher { program, display, spec: WindowSpec { view, monitor, full_screen } });
                let window = launcher.start(events.clone()).map_err(PageError::Start)?;
                Ok(PlacedPage::Window { window: Some(window), launcher, events })
            }
        }
    }

    pub fn send(&mut self, command: HostCommand) -> std::io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            PlacedPage::Embedded { page, .. } => page.send(command),
            PlacedPage::Window { window, launcher, events } => {
                // From now on a restarted window shows this part at once.
                launcher.spec.view.go_on(&command);
                match (command, window.as_mut()) {
                    (HostCommand::Respawn, None) => *window = Some(launcher.start(events.clone())?),
                    (command, Some(window)) => window.send(command),
                    (_, None) => {}
                }
            }
        }
        Ok(())
    }

    /// Asks the page to close. [`HostEvent::Ended`] follows.
    pub fn request_close(&mut self) {
        match self {
            #[cfg(target_os = "linux")]
            PlacedPage::Embedded { page, events } => page.close(events.clone()),
            PlacedPage::Window { window, .. } => {
                if let Some(window) = window {
                    window.request_end();
                }
            }
        }
    }

    /// Waits until the participant window has ended and returns how it ended. `None`: there is no such window.
    pub fn wait_for_window_end(&mut self) -> Option<String> {
        match self {
            #[cfg(target_os = "linux")]
            PlacedPage::Embedded { .. } => None,
            PlacedPage::Window { window, .. } => window.take().map(ParticipantWindow::end),
        }
    }

    pub fn is_open(&self) -> bool {
        match self {
            #[cfg(target_os = "linux")]
            PlacedPage::Embedded { .. } => true,
            PlacedPage::Window { window, .. } => window.is_some(),
        }
    }
}
