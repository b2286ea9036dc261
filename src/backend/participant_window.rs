//! The participant window of a session: it is open from set-up until the operator leaves the report.

use std::sync::Arc;

use crossbeam_channel::{Receiver, bounded};

use desktop::port::{self, ParticipantScreen};
use page::{HostScreen, PageHost, Placement, WindowEvent, WindowOpening, Withdraw, monitor_count};
use recording::page_spec;
use session::{Seat, Study};
use store::StudyFile;

/// Events of the window that nobody has read. They follow actions of a person.
const EVENTS: usize = 64;
const CHORD_HINT: &str = "Operator: Ctrl+Shift+F12";

/// Whether the key chord, the participant's button to stop and the number of monitors are built for this system.
const IS_BUILT: bool = cfg!(target_os = "linux");

/// Where a participant window is, as the operator reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowPlace {
    /// The window covers the operator's view, because there is one monitor.
    covers_operator: bool,
    screen: ParticipantScreen,
    /// `screen 2`, `this screen`.
    pub name: String,
    /// The chosen monitor is not there.
    pub problem: Option<String>,
}

impl WindowPlace {
    /// The place of the next window. `chosen` is the operator's choice for a window that does not cover the operator's view.
    pub fn now(seat: Seat, chosen: ParticipantScreen) -> WindowPlace {
        WindowPlace::with(seat, chosen, IS_BUILT.then(monitor_count))
    }

    /// `monitors: None`: a system without the chord. There, the window never covers the operator's view by itself, because
    /// nothing would bring that back.
    fn with(seat: Seat, chosen: ParticipantScreen, monitors: Option<usize>) -> WindowPlace {
        if seat == Seat::Participant && monitors.is_some_and(|count| count < 2) {
            let screen = ParticipantScreen { monitor: Some(0), full_screen: true };
            return WindowPlace { covers_operator: true, screen, name: "this screen".to_owned(), problem: None };
        }
        let missing = chosen.monitor.filter(|k| monitors.is_some_and(|count| *k >= count));
        let monitor = chosen.monitor.filter(|_| missing.is_none());
        let screen = ParticipantScreen { monitor, ..chosen };
        let second = monitors.filter(|count| *count > 1).map(|_| 1);
        let name = match monitor.or(second) {
            Some(k) if chosen.full_screen => format!("screen {}", k + 1),
            Some(k) => format!("screen {}, not full screen", k + 1),
            None if monitors.is_none() => "screen 2, or in a window of its own if there is none".to_owned(),
            None => "this screen".to_owned(),
        };
        let problem =
            missing.map(|k| format!("Monitor {} of the preferences is not there. Used instead: {name}.", k + 1));
        WindowPlace { covers_operator: false, screen, name, problem }
    }

    fn placement(&self) -> Placement {
        let ParticipantScreen { monitor, full_screen } = self.screen;
        Placement::ParticipantWindow { monitor, full_screen, program: None, display: None }
    }
}

pub struct ParticipantWindow {
    host: Arc<PageHost>,
    events: Receiver<WindowEvent>,
    place: WindowPlace,
    is_in_front: bool,
    study: Study,
}

impl ParticipantWindow {
    /// `chosen` is the operator's choice for a window that does not cover the operator's view. `Err` is a message for the
    /// user.
    pub fn open(file: &StudyFile, seat: Seat, chosen: ParticipantScreen) -> Result<ParticipantWindow, String> {
        let study = &file.study;
        let p = &study.participant;
        if p.withdraw && !IS_BUILT {
            return Err(
                "The participant's button to stop is not built for this system. Record on Linux, or set `withdraw = \
                        false` in the study."
                    .to_owned(),
            );
        }
        let place = WindowPlace::now(seat, chosen);
        let covers_operator = place.covers_operator;
        let spec = page_spec(file, place.placement()).map_err(|e| e.to_string())?;
        let opening = WindowOpening {
            screen: sentence(&p.waiting, covers_operator),
            is_in_front: !covers_operator,
            // Also beside the operator's view: the operator may have chosen the wrong monitor.
            has_chord: seat == Seat::Participant,
            withdraw: p.withdraw.then(|| Withdraw {
                button: p.withdraw_button.clone(),
                question: p.withdraw_question.clone(),
                stop: p.withdraw_stop.clone(),
                go_on: p.withdraw_continue.clone(),
            }),
        };
        let (to, events) = bounded(EVENTS);
        let host = Arc::new(PageHost::open(spec, opening, to).map_err(|e| e.to_string())?);
        Ok(ParticipantWindow { host, events, place, is_in_front: !covers_operator, study: study.clone() })
    }

    pub fn host(&self) -> Arc<PageHost> {
        self.host.clone()
    }

    pub fn events(&self) -> &Receiver<WindowEvent> {
        &self.events
    }

    pub fn place(&self) -> &WindowPlace {
        &self.place
    }

    /// Whether the window covers the operator's view now. `None`: it is beside it. A window beside it can be hidden by the
    /// chord.
    pub fn front(&self) -> Option<bool> {
        (self.place.covers_operator || !self.is_in_front).then_some(self.is_in_front)
    }

    pub fn wait(&self) {
        self.host.show(sentence(&self.study.participant.waiting, self.place.covers_operator));
    }

    pub fn close_session(&self) {
        self.host.show(sentence(&self.study.participant.closing, self.place.covers_operator));
    }

    pub fn ask_consent(&mut self) {
        let consent = &self.study.consent;
        let filled = |text: &str| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
        self.host.show(HostScreen::Consent {
            text: consent.text.clone(),
            button: filled(&consent.button).unwrap_or_else(|| "I agree".to_owned()),
            initials: filled(&consent.initials),
        });
        self.set_front(true);
    }

    /// A window that does not cover the operator's view is not hidden.
    pub fn set_front(&mut self, is_in_front: bool) {
        if self.place.covers_operator || is_in_front {
            self.is_in_front = is_in_front;
            self.host.set_front(is_in_front);
        }
    }

    pub fn is_hidden_by_chord(&mut self) {
        self.is_in_front = false;
    }

    /// The newest picture of what the participant sees.
    pub fn picture(&self) -> Option<port::Picture> {
        let jpeg = self.host.picture().try_take()?;
        match image::load_from_memory_with_format(&jpeg, image::ImageFormat::Jpeg) {
            Ok(picture) => {
                let rgb = picture.into_rgb8();
                Some(port::Picture { width_px: rgb.width(), height_px: rgb.height(), rgb: rgb.into_raw() })
            }
            Err(error) => {
                tracing::warn!("a picture of the participant's screen could not be read: {error}");
                None
            }
        }
    }
}

fn sentence(text: &str, covers_operator: bool) -> HostScreen {
    HostScreen::Sentence { sentence: text.to_owned(), hint: covers_operator.then(|| CHORD_HINT.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(monitor: Option<usize>) -> ParticipantScreen {
        ParticipantScreen { monitor, full_screen: true }
    }

    #[test]
    fn a_monitor_that_is_not_there_is_said_and_does_not_cover_the_operators_view() {
        let place = WindowPlace::with(Seat::Participant, chosen(Some(2)), Some(2));
        assert_eq!((place.screen.monitor, place.name.as_str()), (None, "screen 2"), "as if none were chosen");
        assert!(place.problem.unwrap().starts_with("Monitor 3 of the preferences is not there."));
        let place = WindowPlace::with(Seat::Participant, chosen(Some(2)), Some(3));
        assert_eq!((place.screen.monitor, place.name.as_str(), place.problem), (Some(2), "screen 3", None));
    }

    #[test]
    fn only_a_window_with_the_chord_covers_the_operators_view() {
        let covers = |seat, monitors| WindowPlace::with(seat, chosen(None), monitors).covers_operator;
        assert!(covers(Seat::Participant, Some(1)));
        assert!(!covers(Seat::Participant, None) && !covers(Seat::Participant, Some(2)));
        assert!(!covers(Seat::Pilot, Some(1)));
        assert_eq!(WindowPlace::with(Seat::Participant, chosen(Some(2)), None).screen, chosen(Some(2)), "not counted");
    }

    #[test]
    fn the_place_is_named_as_it_is() {
        let screen = ParticipantScreen { monitor: None, full_screen: false };
        assert_eq!(WindowPlace::with(Seat::Participant, screen, Some(2)).name, "screen 2, not full screen");
        assert_eq!(WindowPlace::with(Seat::Pilot, screen, Some(1)).name, "this screen");
        assert_eq!(WindowPlace::with(Seat::Participant, screen, Some(1)).name, "this screen");
    }
}
