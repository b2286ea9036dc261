//! A page in its place, with the same commands for both placements.

use std::path::PathBuf;

use crossbeam_channel::Sender;

#[cfg(target_os = "linux")]
use super::embedded::EmbeddedPage;
use super::error::PageError;
use super::host_protocol::{HostCommand, HostEvent, PageLoad};
use super::participant::{ParticipantWindow, WindowSpec};
use super::placement::Placement;
use super::view::ViewSpec;
use super::window_opening::WindowOpening;

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

/// Starts the participant window, also a second time after it has died. Then it shows what it showed before.
pub(super) struct WindowLauncher {
    program: PathBuf,
    display: Option<String>,
    spec: WindowSpec,
    /// The window was started without the session's page.
    lacks_page: bool,
}

impl WindowLauncher {
    fn start(&mut self, events: Sender<HostEvent>, has_page: bool) -> std::io::Result<ParticipantWindow> {
        self.lacks_page = !has_page && self.spec.load.is_some();
        let load = self.spec.load.clone().filter(|_| has_page);
        let spec = WindowSpec { load, ..self.spec.clone() };
        ParticipantWindow::start(&self.program, self.display.as_deref(), &spec, events)
    }

    /// Remembers what the window shows.
    fn note(&mut self, command: &HostCommand) {
        match command {
            // From now on a restarted window shows this part at once.
            HostCommand::Begin | HostCommand::Questionnaire(_) | HostCommand::Calm | HostCommand::Closing => {
                self.spec.load.iter_mut().for_each(|load| load.go_on(command));
            }
            HostCommand::Load(load) => (self.spec.load, self.lacks_page) = (Some(load.clone()), false),
            HostCommand::Unload => (self.spec.load, self.lacks_page) = (None, false),
            HostCommand::Show(screen) => self.spec.screen = screen.clone(),
            HostCommand::SetFront(is_in_front) => self.spec.is_in_front = *is_in_front,
            _ => {}
        }
    }

    /// The command, or the load of the page if the window was started without it and the command shows the page.
    fn with_missing_page(&mut self, command: HostCommand) -> HostCommand {
        let shows_page = matches!(
            command,
            HostCommand::Reload
                | HostCommand::Begin
                | HostCommand::Questionnaire(_)
                | HostCommand::Calm
                | HostCommand::Closing
        );
        match &self.spec.load {
            Some(load) if shows_page && std::mem::take(&mut self.lacks_page) => HostCommand::Load(load.clone()),
            _ => command,
        }
    }
}

impl PlacedPage {
    pub fn open(
        placement: Placement,
        view: ViewSpec,
        opening: WindowOpening,
        load: Option<PageLoad>,
        events: Sender<HostEvent>,
    ) -> Result<PlacedPage, PageError> {
        match placement {
            #[cfg(target_os = "linux")]
            Placement::Embedded { parent_xid, bounds, zoom } => {
                let view = match load {
                    Some(load) => view.with_load(load),
                    None => view,
                };
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
                let WindowOpening { screen, is_in_front, has_chord, withdraw } = opening;
                let spec = WindowSpec { view, monitor, full_screen, screen, load, is_in_front, has_chord, withdraw };
                let mut launcher = Box::new(WindowLauncher { program, display, spec, lacks_page: false });
                let window = launcher.start(events.clone(), true).map_err(PageError::Start)?;
                Ok(PlacedPage::Window { window: Some(window), launcher, events })
            }
        }
    }

    pub fn send(&mut self, command: HostCommand) -> std::io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            PlacedPage::Embedded { page, .. } => page.send(command),
            PlacedPage::Window { window, launcher, events } => {
                launcher.note(&command);
                match (command, window.as_mut()) {
                    (HostCommand::Respawn { has_page }, None) => {
                        *window = Some(launcher.start(events.clone(), has_page)?)
                    }
                    // The window has ended for good. The operator wants it back.
                    (HostCommand::Reload | HostCommand::Load(_), None) => {
                        *window = Some(launcher.start(events.clone(), true)?)
                    }
                    (command, Some(window)) => window.send(&launcher.with_missing_page(command)),
                    (_, None) => {}
                }
            }
        }
        Ok(())
    }

    /// The key chord has hidden the participant window.
    pub fn is_hidden_by_chord(&mut self) {
        if let PlacedPage::Window { launcher, .. } = self {
            launcher.spec.is_in_front = false;
        }
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

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "Clippy does not see that this is a test")]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use super::*;
    use crate::address::PageAddress;
    use crate::host_screen::HostScreen;

    /// A window whose process is a script: it ends after its first line, and each next one stays open.
    fn window(folder: &std::path::Path, events: Sender<HostEvent>) -> PlacedPage {
        let program = folder.join("window");
        let script = format!(
            "#!/bin/sh\nread -r first\n[ -e '{0}/was' ] || {{ touch '{0}/was'; exit; }}\nwhile read -r line; do :; done\n",
            folder.display()
        );
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let place =
            Placement::ParticipantWindow { monitor: None, full_screen: false, program: Some(program), display: None };
        let opening = WindowOpening { screen: HostScreen::Grey, is_in_front: true, has_chord: false, withdraw: None };
        PlacedPage::open(place, view(), opening, None, events).unwrap()
    }

    fn view() -> ViewSpec {
        ViewSpec::new(PageAddress::Calm, Vec::new(), Vec::new(), None).unwrap()
    }

    #[test]
    fn a_window_that_ended_for_good_comes_back_when_the_operator_loads_the_page() {
        for command in [HostCommand::Reload, HostCommand::Load(PageLoad::new(None, None, None, false))] {
            let folder = tempfile::tempdir().unwrap();
            let (to, events) = crossbeam_channel::bounded(16);
            let mut page = window(folder.path(), to);
            assert_eq!(events.recv_timeout(Duration::from_secs(20)), Ok(HostEvent::Ended));
            page.wait_for_window_end();
            page.send(HostCommand::SetFront(true)).unwrap();
            assert!(!page.is_open(), "only a page brings the window back");
            page.send(command).unwrap();
            assert!(page.is_open());
            page.request_close();
            assert_eq!(events.recv_timeout(Duration::from_secs(20)), Ok(HostEvent::Ended));
            page.wait_for_window_end();
        }
    }

    #[test]
    fn a_window_without_its_page_gets_it_with_the_next_part() {
        let spec = WindowSpec {
            view: view(),
            monitor: None,
            full_screen: false,
            screen: HostScreen::Grey,
            load: Some(PageLoad::new(Some("rest".into()), None, None, false)),
            is_in_front: true,
            has_chord: false,
            withdraw: None,
        };
        let mut launcher = WindowLauncher { program: PathBuf::new(), display: None, spec, lacks_page: true };
        assert_eq!(launcher.with_missing_page(HostCommand::ShowPage), HostCommand::ShowPage);
        launcher.note(&HostCommand::Begin);
        let HostCommand::Load(load) = launcher.with_missing_page(HostCommand::Begin) else { panic!("no page") };
        assert_eq!(load.fixation, None, "the page and not the cross");
        assert_eq!(launcher.with_missing_page(HostCommand::Reload), HostCommand::Reload);
    }
}
